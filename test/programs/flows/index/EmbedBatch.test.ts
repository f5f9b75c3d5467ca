import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import * as BatchSize from "../../../../src/domain/index/BatchSize.js"
import { Network, ProviderUnavailable, Timeout } from "../../../../src/domain/failure/Failure.js"
import type { Failure } from "../../../../src/domain/failure/Failure.js"
import { Pacer } from "../../../../src/domain/retry/Pacer.js"
import { Tenant } from "../../../../src/domain/store/Tenant.js"
import { embedBatch } from "../../../../src/programs/flows/index/EmbedBatch.js"
import * as EmbedCall from "../../../../src/programs/flows/index/EmbedCall.js"
import * as Paced from "../../../../src/programs/flows/work/Paced.js"
import { held } from "../../../support/Jobs.js"
import { fail, script, scripted, serve } from "../../../support/ScriptedEmbedder.js"
import type { Answer, Script } from "../../../support/ScriptedEmbedder.js"

const common = { provider: "scripted", detail: "by the script" }
const broke = new ProviderUnavailable({ ...common, status: 500 })
const hungUp = new Network({ ...common, phase: "receive" })
const refused = new Network({ ...common, phase: "connect" })
const slow = new Timeout(common)

const texts = (count: number) => Array.from({ length: count }, (_, n) => ({ hash: `h${n}`, text: `text ${n}` }))
const hashes = (batch: ReadonlyArray<{ readonly hash: string }>) => batch.map(({ hash }) => hash)

const free = Layer.mock(Pacer, { isFree: () => Effect.succeed(true), throttled: () => Effect.void })

/** A pass that has just begun, and may have served texts already. */
const passOf = (batchSize: number, hasServed = true) =>
  Effect.gen(function*() {
    const pass = yield* EmbedCall.begin({
      job: held(1).job,
      size: yield* Ref.make(BatchSize.start(batchSize, 1)),
      dimension: yield* Ref.make<number | null>(8),
      movable: false,
      stop: yield* Deferred.make<void>(),
      calls: yield* Paced.make("scripted", 4)
    })
    yield* Ref.set(pass.hasServed, hasServed)
    yield* Ref.set(pass.wasThere, hasServed)
    return pass
  })

/** What becomes of a batch: the hashes that were served and refused, or how the attempt ended. */
const brought = (pass: EmbedCall.Pass, batch: ReturnType<typeof texts>) => {
  const served: Array<string> = []
  const run = embedBatch(pass, batch, (vectors) => Effect.sync(() => void served.push(...hashes(vectors)))).pipe(
    Effect.map((left) => ({ served, refused: left.map(({ planned }) => planned.hash), ended: undefined })),
    Effect.catchTag("Ended", ({ outcome }) => Effect.succeed({ served, refused: [], ended: outcome._tag }))
  )
  return Effect.gen(function*() {
    const running = yield* Effect.fork(run)
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(running)
  })
}

const against = (played: Script) =>
  Layer.mergeAll(scripted(played, { concurrency: 4 }), free, Layer.succeed(Tenant, "tests"))

const guiltyOnes = (guilty: ReadonlySet<string>, failure: Failure) => (asked: ReadonlyArray<string>): Answer =>
  asked.some((text) => guilty.has(text)) ? fail(failure) : serve

describe("a batch that a server fails at", () => {
  it.effect("loses exactly its guilty texts, whatever the server does over them, in few calls for each", () => {
    const given = FastCheck.record({
      count: FastCheck.integer({ min: 2, max: 32 }),
      guilty: FastCheck.uniqueArray(FastCheck.nat(31), { maxLength: 3 }),
      failure: FastCheck.constantFrom<Failure>(broke, hungUp, slow)
    })
    return Effect.forEach(FastCheck.sample(given, { numRuns: 40, seed: 13 }), ({ count, failure, guilty }) => {
      const batch = texts(count)
      const bad = new Set(guilty.filter((n) => n < count - 1).map((n) => `text ${n}`))
      const played = script(guiltyOnes(bad, failure))
      return Effect.gen(function*() {
        const found = yield* brought(yield* passOf(32), batch)
        expect(found.served).toEqual(hashes(batch.filter(({ text }) => !bad.has(text))))
        expect(found.refused).toEqual(hashes(batch.filter(({ text }) => bad.has(text))))
        const halvings = Math.ceil(Math.log2(count)) + 1
        expect(played.calls.length).toBeLessThanOrEqual(bad.size === 0 ? 1 : 6 + bad.size * 4 * halvings)
      }).pipe(Effect.provide(against(played)))
    }, { discard: true })
  }, 60_000)

  it.effect("is asked for in smaller calls where it is too much, and so are those after it", () => {
    const given = FastCheck.record({
      count: FastCheck.integer({ min: 2, max: 32 }),
      most: FastCheck.integer({ min: 1, max: 31 }),
      failure: FastCheck.constantFrom<Failure>(broke, hungUp, slow)
    })
    return Effect.forEach(FastCheck.sample(given, { numRuns: 40, seed: 13 }), ({ count, failure, most }) => {
      const played = script((asked) => asked.length > most ? fail(failure) : serve)
      return Effect.gen(function*() {
        const pass = yield* passOf(32)
        const batch = texts(count)
        expect(yield* brought(pass, batch)).toEqual({ served: hashes(batch), refused: [], ended: undefined })
        const calls = played.calls.length
        expect(yield* brought(pass, batch)).toMatchObject({ served: hashes(batch) })
        expect(played.calls.slice(calls).filter((asked) => asked.length > most)).toEqual([])
      }).pipe(Effect.provide(against(played)))
    }, { discard: true })
  }, 60_000)

  it.effect.each(
    [
      ["is not reached", refused, false, 3],
      ["answers nothing but errors", broke, false, 4],
      ["went away in the midst of it", refused, true, 9],
      ["hangs up on everything", hungUp, false, 9]
    ] as const
  )("ends the attempt where the server %s, and is asked for no smaller", ([, failure, hasServed, most]) => {
    const played = script(() => fail(failure))
    return Effect.gen(function*() {
      const found = yield* brought(yield* passOf(32, hasServed), texts(32))
      expect(found).toEqual({ served: [], refused: [], ended: "Retried" })
      expect(played.calls.length).toBeLessThanOrEqual(most)
      expect(new Set(played.calls.map((asked) => asked.length))).toSatisfy((sizes: Set<number>) =>
        [...sizes].every((size) => size === 32 || size === 1)
      )
    }).pipe(Effect.provide(against(played)))
  })

  it.effect("waits for the server that one text brings down, and goes on when it is back", () => {
    let away = 0
    const played = script((asked) => {
      if (away > 0) {
        away -= 1
        return fail(refused)
      }
      if (!asked.includes("text 5")) return serve
      away = 5
      return fail(hungUp)
    })
    return Effect.gen(function*() {
      const found = yield* brought(yield* passOf(32, false), texts(16))
      expect(found).toMatchObject({ refused: ["h5"], ended: undefined })
      expect(found.served.length).toBe(15)
    }).pipe(Effect.provide(against(played)))
  })

  it.effect("is not blamed, text by text, where every text fails but the one that is asked to make sure", () => {
    const played = script((asked) => asked.some((text) => text.startsWith("text")) ? fail(broke) : serve)
    return Effect.gen(function*() {
      expect(yield* brought(yield* passOf(32), texts(8))).toEqual({ served: [], refused: [], ended: "Retried" })
      const alone = yield* passOf(1)
      const ends = yield* Effect.forEach(texts(20), (text) => brought(alone, [text]))
      expect(ends.filter(({ refused }) => refused.length > 0).length).toBeLessThan(8)
    }).pipe(Effect.provide(against(played)))
  })

  it.effect("shares one lane's word about the server among all lanes", () => {
    const played = script(() => fail(hungUp))
    return Effect.gen(function*() {
      const pass = yield* passOf(8)
      const lanes = yield* Effect.fork(
        Effect.forEach(
          [0, 8, 16, 24],
          (from) => Effect.exit(embedBatch(pass, texts(32).slice(from, from + 8), () => Effect.void)),
          { concurrency: 4 }
        )
      )
      yield* TestClock.adjust("10 minutes")
      yield* Fiber.join(lanes)
      expect(played.calls.filter((asked) => asked.length === 8).length).toBe(12)
      expect(played.calls.filter((asked) => asked.length === 1).length).toBeLessThanOrEqual(12)
    }).pipe(Effect.provide(against(played)))
  })

  it.effect("keeps to what the provider names: a wait is no reason to suspect a text", () => {
    const later = new ProviderUnavailable({ ...common, retryAfter: Duration.hours(1) })
    const played = script(() => fail(later))
    return Effect.gen(function*() {
      expect((yield* brought(yield* passOf(32), texts(8))).ended).toBe("Retried")
      expect(played.calls.length).toBe(1)
    }).pipe(Effect.provide(against(played)))
  })
})
