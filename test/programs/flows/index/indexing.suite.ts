import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { CatalogStore } from "../../../../src/domain/catalog/CatalogStore.js"
import { countsOf } from "../../../../src/domain/index/IndexJob.js"
import { IndexStore } from "../../../../src/domain/index/IndexStore.js"
import * as Failure from "../../../../src/domain/failure/Failure.js"
import { Reporter } from "../../../../src/domain/failure/Reporter.js"
import type { Incident } from "../../../../src/domain/failure/Reporter.js"
import { JobQueue } from "../../../../src/domain/job/JobQueue.js"
import { GateRef } from "../../../../src/domain/session/Gate.js"
import { Gates } from "../../../../src/domain/session/Gates.js"
import { search } from "../../../../src/programs/flows/search/Search.js"
import { follow } from "../../../../src/programs/flows/work/Jobs.js"
import { retry, retryAll } from "../../../../src/programs/flows/index/RetryJob.js"
import { work, workOn } from "../../../../src/programs/flows/index/IndexWorker.js"
import type { Backend } from "../../../support/Databases.js"
import { house, settings } from "../../../support/House.js"
import { catalog, freshTenant, put, sha, source } from "../../../support/Indexing.js"
import { fail, script, serve } from "../../../support/ScriptedEmbedder.js"
import type { Script } from "../../../support/ScriptedEmbedder.js"

const numbered = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`op${String(n).padStart(3, "0")}`, `text number ${n}`]))

const asked = (played: Script) => played.calls.flat()

/** A worker takes the jobs of its own embedder's provider alone. */
const own = { provider: "scripted", maxAttempts: 5, force: false }

/** Store a catalog and run its job to its end in this process. */
const run = (stored: ReturnType<typeof catalog>, force = false) =>
  Effect.flatMap(put(stored, { ...own, force }), (job) => workOn(job.id))

const contains = (word: string) => (texts: ReadonlyArray<string>) => texts.some((text) => text.includes(word))
/** What a person in charge heard. */
const listening = () => {
  const heard: Array<Incident> = []
  const reporter = Layer.succeed(Reporter, { report: (incident) => Effect.sync(() => void heard.push(incident)) })
  return { heard, reporter }
}

const pets = source("pets")

const common = { provider: "scripted", detail: "by the script" }

/** What an index job does with an embedder that serves, refuses, fails or hangs. */
export const indexing = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute", excludeTestServices: true })(
    `An index job on ${backend.name}`,
    (it) => {
      it.effect("embeds every text once, in batches, and ends succeeded", () => {
        const played = script()
        return Effect.gen(function*() {
          const job = yield* run(catalog("pets", numbered(10)))
          expect(job.status).toBe("succeeded")
          expect(countsOf(job.progress)).toMatchObject({ items: 10, embedded: 10, reused: 0, refused: 0 })
          expect(played.calls.map((texts) => texts.length).toSorted()).toEqual([2, 4, 4])
          const answer = yield* search({
            question: "text number 3",
            mode: "semantic",
            limit: 1
          })
          expect(answer.hits[0]?.id).toBe("op003")
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("makes no call for what is stored, wherever the same text stands", () => {
        const played = script()
        return Effect.gen(function*() {
          yield* run(catalog("pets", numbered(6)))
          const again = yield* run(catalog("pets", numbered(6)))
          expect(countsOf(again.progress)).toMatchObject({ items: 6, embedded: 0, reused: 6 })
          yield* run(catalog("copy", { x: "text number 1", y: "something new" }))
          expect(asked(played).slice(6)).toEqual(["something new"])
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("embeds a forced source anew, each text once", () => {
        const played = script()
        return Effect.gen(function*() {
          yield* run(catalog("pets", numbered(6)))
          const forced = yield* run(catalog("pets", numbered(6)), true)
          expect(countsOf(forced.progress)).toMatchObject({ items: 6, embedded: 6 })
          expect(asked(played).length).toBe(12)
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("finds the guilty text of a batch, keeps its neighbours, and ends partial", () => {
        const guilty = contains("number 6")
        const played = script((texts) => guilty(texts) ? fail(new Failure.ContentFiltered(common)) : serve)
        return Effect.gen(function*() {
          const job = yield* run(catalog("pets", numbered(10)))
          expect(job.status).toBe("partial")
          expect(countsOf(job.progress)).toMatchObject({ items: 10, embedded: 9, refused: 1 })
          const listed = yield* Effect.flatMap(IndexStore, (index) => index.refusals(pets, 10))
          expect(listed.map(({ failure, item }) => [item, failure._tag])).toEqual([["op006", "ContentFiltered"]])
          const calls = played.calls.length
          const again = yield* run(catalog("pets", numbered(10)))
          expect(again.status).toBe("partial")
          expect(played.calls.length).toBe(calls)
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("halts after one batch when every text of it is refused alone, and reports it", () => {
        const played = script(() => fail(new Failure.InvalidRequest(common)))
        const { heard, reporter } = listening()
        return Effect.gen(function*() {
          const job = yield* run(catalog("pets", numbered(40)))
          expect(job.status).toBe("failed")
          expect(countsOf(job.progress).refused).toBe(0)
          // One batch of four takes seven calls; a second lane may have begun its own.
          expect(played.calls.length).toBeLessThanOrEqual(14)
          expect(heard.map(({ tag, work }) => [tag, work])).toEqual([["InvalidRequest", "index catalog/pets"]])
        }).pipe(Effect.provide(reporter), Effect.provide(house(played)))
      })

      it.effect("reports nothing of single texts that are refused", () => {
        const played = script((texts) => contains("number 6")(texts) ? fail(new Failure.InvalidRequest(common)) : serve)
        const { heard, reporter } = listening()
        return Effect.gen(function*() {
          expect((yield* run(catalog("pets", numbered(10)))).status).toBe("partial")
          expect(heard).toEqual([])
        }).pipe(Effect.provide(reporter), Effect.provide(house(played)))
      })

      it.effect("shortens a text that is too long for the model", () => {
        const played = script((texts) =>
          texts.some((text) => text.split(" ").length > 6)
            ? fail(new Failure.ContextLengthExceeded(common))
            : serve
        )
        return Effect.gen(function*() {
          const long = Array.from({ length: 18 }, (_, n) => `w${n}`).join(" ")
          const job = yield* run(catalog("pets", { short: "a b c", long }))
          expect(job.status).toBe("succeeded")
          expect(asked(played).at(-1)).toBe("w0 w1 w2 w3 w4")
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("halves a batch that times out, and keeps the smaller size", () => {
        const played = script((texts) => texts.length > 2 ? fail(new Failure.Timeout(common)) : serve)
        return Effect.gen(function*() {
          const job = yield* run(catalog("pets", numbered(16)))
          expect(job.status).toBe("succeeded")
          expect(job.attempts).toBe(1)
          const sizes = played.calls.map((texts) => texts.length)
          expect(sizes.filter((size) => size > 2).length).toBeLessThanOrEqual(2)
          expect(sizes.filter((size) => size <= 2).reduce((sum, size) => sum + size, 0)).toBe(16)
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("resumes after a failed attempt without embedding a stored text again", () => {
        let broken = false
        const played = script((_, call) => {
          if (call < 3 || broken) return serve
          broken = true
          throw new Error("a bug in the embedder")
        })
        // What is stored when the failed attempt's end is written, and how many calls there were until then.
        const failed: Array<{ readonly stored: ReadonlySet<string>; readonly calls: number }> = []
        const noting = Layer.effect(
          JobQueue,
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const sql = yield* SqlClient.SqlClient
            return JobQueue.of({
              ...queue,
              settle: Effect.fnUntraced(function*(held, outcome) {
                const rows = yield* Effect.orDie(sql<{ readonly hash: string }>`
                  select text_hash as hash from holdfast.embedding where tenant = ${held.tenant}`)
                failed.push({ stored: new Set(rows.map(({ hash }) => hash)), calls: played.calls.length })
                return yield* queue.settle(held, outcome)
              })
            })
          })
        )
        return Effect.gen(function*() {
          const job = yield* run(catalog("pets", numbered(24)))
          expect([job.status, job.attempts, job.progress.done]).toEqual(["succeeded", 2, 24])
          const [{ calls, stored } = { calls: 0, stored: new Set<string>() }, ...others] = failed
          expect(others).toEqual([])
          expect(stored.size).toBeGreaterThanOrEqual(4)
          const later = played.calls.slice(calls).flat()
          expect(later.length).toBe(24 - stored.size)
          expect(later.filter((text) => stored.has(sha(text)))).toEqual([])
        }).pipe(Effect.provide(noting), Effect.provide(house(played)))
      })

      it.effect("closes the provider's gate on a wrong key, asks nothing more, and goes on when the gate opens", () => {
        const played = script((_, call) => call === 0 ? fail(new Failure.AuthenticationFailed(common)) : serve)
        return Effect.gen(function*() {
          const gates = yield* Gates
          const parked = yield* run(catalog("pets", numbered(3)))
          expect(parked.status).toBe("pending")
          expect(parked.attempts).toBe(0)
          expect((yield* gates.closed).map((gate) => gate.reason)).toEqual(["key"])
          const still = yield* workOn(parked.id)
          expect(still.status).toBe("pending")
          expect(played.calls.length).toBe(1)
          yield* gates.open(GateRef.make({ kind: "provider", name: "scripted" }))
          expect((yield* workOn(parked.id)).status).toBe("succeeded")
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("makes one call where a login lapsed, whatever waits behind it: neither a job nor a search tries again", () => {
        let lapsed = true
        const expired = new Failure.SessionExpired({ ...common, session: "scripted" })
        const played = script(() => lapsed ? fail(expired) : serve)
        return Effect.gen(function*() {
          const gates = yield* Gates
          const parked = yield* run(catalog("pets", numbered(3)))
          expect([parked.status, parked.attempts]).toEqual(["pending", 0])
          expect((yield* gates.closed).map(({ reason, ref }) => [ref.kind, reason])).toEqual([["session", "sign-in"]])
          const other = yield* run(catalog("cars", numbered(3)))
          expect([other.status, other.attempts, Option.isNone(other.startedAt)]).toEqual(["pending", 0, true])
          const found = yield* search({ question: "text number 1", limit: 1 })
          expect(found.degraded?.reason).toContain("sign-in")
          expect(played.calls.length).toBe(1)
          lapsed = false
          yield* gates.open(GateRef.make({ kind: "session", name: "scripted" }))
          expect((yield* workOn(other.id)).status).toBe("succeeded")
          expect((yield* workOn(parked.id)).status).toBe("succeeded")
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("serves the old vectors until a new dimension is complete", () => {
        const tenant = freshTenant()
        const small = script()
        const large = script()
        large.dimension = 16
        const begun = Effect.runSync(Deferred.make<void>())
        const until = Effect.runSync(Deferred.make<void>())
        large.answer = (_, call) => call === 1 ? { _tag: "Hold", begun, until } : serve
        const ask = search({ question: "text number 2", mode: "semantic", limit: 1 })
        const inSmall = Effect.provide(house(small, {}, tenant))
        return Effect.gen(function*() {
          yield* inSmall(run(catalog("pets", numbered(8))))
          const moving = yield* Effect.fork(
            Effect.provide(run(catalog("pets", numbered(8))), house(large, { dimension: 16 }, tenant))
          )
          yield* Deferred.await(begun)
          expect((yield* inSmall(ask)).hits[0]?.id).toBe("op002")
          yield* Deferred.succeed(until, undefined)
          expect((yield* Fiber.join(moving)).status).toBe("succeeded")
          expect((yield* inSmall(ask)).degraded?.reason).toContain("pets")
        })
      })

      it.effect("goes back to pending at once when its source is edited while it runs, and then takes the new texts", () => {
        const begun = Effect.runSync(Deferred.make<void>())
        const until = Effect.runSync(Deferred.make<void>())
        const played = script((_, call) => call === 0 ? { _tag: "Hold", begun, until } : serve)
        return Effect.gen(function*() {
          const first = yield* put(catalog("pets", { a: "old text", b: "same" }), own)
          const running = yield* Effect.fork(workOn(first.id))
          yield* Deferred.await(begun)
          yield* put(catalog("pets", { a: "new text", b: "same" }), own)
          yield* Deferred.succeed(until, undefined)
          expect((yield* Fiber.join(running)).status).toBe("succeeded")
          expect(asked(played)).toEqual(["old text", "same", "new text"])
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("ends cancelled, with its vectors gone, when its source is removed while it runs", () => {
        const begun = Effect.runSync(Deferred.make<void>())
        const until = Effect.runSync(Deferred.make<void>())
        const played = script((_, call) => call === 1 ? { _tag: "Hold", begun, until } : serve)
        return Effect.gen(function*() {
          const store = yield* CatalogStore
          const job = yield* put(catalog("pets", numbered(12)), own)
          const running = yield* Effect.fork(workOn(job.id))
          yield* Deferred.await(begun)
          yield* store.remove("pets")
          yield* Deferred.succeed(until, undefined)
          expect((yield* Fiber.join(running)).status).toBe("cancelled")
          expect(yield* store.list).toEqual([])
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("gives way after its turn to a job that waits, and then goes on where it was", () => {
        const begun = Deferred.unsafeMake<void>(FiberId.none)
        const until = Deferred.unsafeMake<void>(FiberId.none)
        const played = script((_, call) => call === 0 ? { _tag: "Hold", begun, until } : serve)
        /** Says once that somebody waits, and then lets the first call go on. */
        const once = Layer.effect(
          JobQueue,
          Effect.map(JobQueue, (queue) =>
            JobQueue.of({
              ...queue,
              nextReadyIn: (wanted) =>
                Effect.if(Deferred.isDone(until), {
                  onTrue: () => Effect.succeedNone,
                  onFalse: () => Effect.tap(queue.nextReadyIn(wanted), () => Deferred.succeed(until, undefined))
                })
            }))
        )
        return Effect.gen(function*() {
          const huge = yield* put(catalog("huge", numbered(20)), { provider: "scripted", maxAttempts: 5, force: false })
          const small = yield* put(catalog("small", { x: "a small one" }), {
            provider: "scripted",
            maxAttempts: 5,
            force: false
          })
          const turns = settings({ timeSlice: Duration.millis(1) })
          const worker = yield* Effect.fork(Effect.provide(work, Layer.merge(turns, once)))
          const queue = yield* JobQueue
          const ended = yield* Stream.runLast(follow(huge.id))
          yield* Fiber.interrupt(worker)
          const order = asked(played)
          expect(order.indexOf("a small one")).toBeLessThan(order.indexOf("text number 19"))
          expect(new Set(order).size).toBe(order.length)
          expect(Option.getOrUndefined(ended)).toMatchObject({
            status: "succeeded",
            attempts: 1,
            progress: { done: 20, total: 20 }
          })
          expect((yield* queue.find(small.id)).status).toBe("succeeded")
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("gives its lease back when the worker stops, after the batch under way is stored", () => {
        const begun = Effect.runSync(Deferred.make<void>())
        const until = Effect.runSync(Deferred.make<void>())
        const played = script((_, call) => call === 1 ? { _tag: "Hold", begun, until } : serve)
        return Effect.gen(function*() {
          const queue = yield* JobQueue
          const job = yield* put(catalog("pets", numbered(12)), own)
          const running = yield* Effect.fork(work)
          yield* Deferred.await(begun)
          const stopping = yield* Effect.fork(Fiber.interrupt(running))
          yield* Effect.yieldNow()
          yield* Deferred.succeed(until, undefined)
          yield* Fiber.join(stopping)
          const released = yield* queue.find(job.id)
          expect(released).toMatchObject({ status: "pending", attempts: 0 })
          const stored = asked(played).length
          expect((yield* workOn(job.id)).status).toBe("succeeded")
          expect(asked(played).length).toBe(12)
          expect(stored).toBeLessThan(12)
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("learns the dimension from the first answer where no setting names it", () => {
        const played = script()
        return Effect.gen(function*() {
          expect((yield* run(catalog("pets", numbered(6)))).status).toBe("succeeded")
          played.dimension = 12
          const moved = yield* run(catalog("pets", numbered(6)), true)
          expect(moved.status).toBe("succeeded")
          const found = yield* Effect.flatMap(CatalogStore, (store) => store.find("pets"))
          expect(found.dimension).toEqual(Option.some(12))
        }).pipe(Effect.provide(house(played, { dimension: null })))
      })

      it.effect.each(
        [
          ["a person's retry", "retry"],
          ["a retry of all index jobs", "retry all"],
          ["an index that asks for it", "index"]
        ] as const
      )("asks for refused items again at %s, and for nothing else", ([, by]) => {
        let isRefused = true
        const guilty = contains("number 6")
        const played = script((texts) => isRefused && guilty(texts) ? fail(new Failure.InvalidRequest(common)) : serve)
        return Effect.gen(function*() {
          const partial = yield* run(catalog("pets", numbered(10)))
          expect(partial.status).toBe("partial")
          const calls = played.calls.length
          isRefused = false
          const request = { provider: "scripted", maxAttempts: 5, force: false, retryRefused: true }
          if (by === "retry all") expect(yield* retryAll({ kind: "index", status: ["partial"] })).toBe(1)
          const again = by === "index"
            ? yield* put(catalog("pets", numbered(10)), request)
            : by === "retry"
            ? yield* retry(partial.id)
            : partial
          const job = yield* workOn(again.id)
          expect(job.status).toBe("succeeded")
          expect(played.calls.slice(calls)).toEqual([["text number 6"]])
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("keeps a day's wait that the provider names for everyone, and goes on once a person ends it", () => {
        const day = new Failure.RateLimited({ ...common, retryAfter: Duration.days(1) })
        const played = script((_, call) => call === 0 ? fail(day) : serve)
        return Effect.gen(function*() {
          const gates = yield* Gates
          const waiting = yield* run(catalog("pets", numbered(3)))
          expect([waiting.status, waiting.attempts]).toEqual(["pending", 1])
          const other = yield* run(catalog("cars", numbered(3)))
          expect([other.status, other.attempts]).toEqual(["pending", 0])
          expect(played.calls.length).toBe(1)
          expect((yield* gates.cooling).map(({ provider }) => provider)).toEqual(["scripted"])
          expect(yield* gates.endCooldown("scripted")).toBe(true)
          expect((yield* workOn(waiting.id)).status).toBe("succeeded")
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("leaves out the one text of 1,000 that makes the server fail, and stores all others", () => {
        const guilty = contains("number 617")
        const broke = new Failure.ProviderUnavailable({ ...common, status: 500 })
        const played = script((texts) => guilty(texts) ? fail(broke) : serve)
        return Effect.gen(function*() {
          const job = yield* run(catalog("pets", numbered(1000)))
          expect([job.status, job.attempts]).toEqual(["partial", 1])
          expect(countsOf(job.progress)).toMatchObject({ items: 1000, embedded: 999, refused: 1 })
          const listed = yield* Effect.flatMap(IndexStore, (index) => index.refusals(pets, 10))
          expect(listed.map(({ failure, item }) => [item, failure._tag, failure.detail])).toEqual([
            ["op617", "ProviderUnavailable", "by the script"]
          ])
        }).pipe(Effect.provide(house(played, {}, freshTenant(), settings({ batchSize: 32 }))))
      })

      it.effect("asks a server that is down a few times an attempt, however many texts there are", () => {
        const played = script(() => fail(new Failure.ProviderUnavailable({ ...common, status: 500 })))
        return Effect.gen(function*() {
          const job = yield* run(catalog("pets", numbered(1000)))
          expect([job.status, job.attempts, countsOf(job.progress).refused]).toEqual(["failed", 5, 0])
          // Two lanes make three tries each, and one call makes sure that it is not the texts: in each of five attempts.
          expect(played.calls.length).toBeLessThanOrEqual(5 * (2 * 3 + 2))
          expect(Option.map(job.lastError, ({ message }) => message)).toEqual(
            Option.some("scripted is not available at the moment. It was tried 5 times.")
          )
        }).pipe(Effect.provide(house(played, {}, freshTenant(), settings({ batchSize: 32 }))))
      })

      it.effect("begins an attempt after a failed one with smaller calls, and grows with what is served", () => {
        let left = 4
        const broke = new Failure.ProviderUnavailable({ ...common, status: 500 })
        const played = script(() => left-- > 0 ? fail(broke) : serve)
        return Effect.gen(function*() {
          const job = yield* run(catalog("pets", numbered(20)))
          expect([job.status, job.attempts]).toEqual(["succeeded", 2])
          expect(played.calls.map((texts) => texts.length)).toEqual([20, 20, 20, 1, 8, 12])
        }).pipe(Effect.provide(house(played, {}, freshTenant(), settings({ batchSize: 32 }))))
      })

      it.effect("leaves out the one text that spoils its batch's answers, and keeps its neighbours", () => {
        const played = script((texts) =>
          contains("number 5")(texts) ? fail(new Failure.MalformedResponse(common)) : serve
        )
        return Effect.gen(function*() {
          const job = yield* run(catalog("pets", numbered(8)))
          expect(job.status).toBe("partial")
          expect(countsOf(job.progress)).toMatchObject({ items: 8, embedded: 7, refused: 1 })
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("retries an answer that makes no sense twice, and then halts", () => {
        const played = script(() => fail(new Failure.MalformedResponse(common)))
        return Effect.gen(function*() {
          const job = yield* run(catalog("pets", { only: "one text" }))
          expect(job.status).toBe("failed")
          expect(played.calls.length).toBe(3)
        }).pipe(Effect.provide(house(played)))
      })
    }
  )
