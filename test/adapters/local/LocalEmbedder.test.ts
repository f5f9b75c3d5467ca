import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { Worker } from "node:worker_threads"
import * as LocalEmbedder from "../../../src/adapters/local/LocalEmbedder.js"
import { Embedder } from "../../../src/domain/index/Embedder.js"
import { embedderOf } from "../../support/Embedders.js"
import type { Settings } from "../../support/Embedders.js"

/** The embedder on threads that have no model and do as a text says. */
const puppet = (settings: Partial<Settings> = {}) =>
  embedderOf(
    Layer.scoped(Embedder, LocalEmbedder.make(new URL("./fixtures/thread.js", import.meta.url))),
    { kind: "local", concurrency: 1, ...settings }
  )

const cosine = (one: ReadonlyArray<number> = [], other: ReadonlyArray<number> = []) =>
  one.reduce((sum, x, index) => sum + x * (other[index] ?? 0), 0)

/** One turn of the event loop: whatever was forked has reached its thread. */
const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const threads = () => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length

describe("the embedder in this process", () => {
  it.scopedLive("makes vectors that lie near where the meaning does, whatever the case", () =>
    Effect.gen(function*() {
      const embedder = yield* embedderOf(LocalEmbedder.layer, { kind: "local", timeout: "25 seconds" })
      expect((yield* embedder.probe).detail).toBe("installed, not loaded yet")
      const [remove, erase, weather, shouted] = yield* embedder.embed([
        "delete a repository",
        "remove this repository for ever",
        "the weather in spring is mild",
        "DELETE A REPOSITORY"
      ])
      expect(remove).toHaveLength(512)
      expect(cosine(remove, remove)).toBeCloseTo(1, 4)
      expect(cosine(remove, erase)).toBeGreaterThan(cosine(remove, weather) + 0.2)
      expect(shouted).toEqual(remove)
      const alone = yield* embedder.embed(["delete a repository"])
      expect(cosine(alone[0], remove)).toBeCloseTo(1, 6)
      const long = Array.from({ length: 9 }, (_, n) => `${"a longer text about the weather ".repeat(9 - n)}number ${n}`)
      const mixed = yield* embedder.embed([...long, "delete a repository"])
      expect(mixed.map((one) => cosine(one, remove) > 0.99)).toEqual([...long.map(() => false), true])
      const [first] = yield* embedder.embed(long.slice(0, 1))
      expect(cosine(mixed[0], first)).toBeCloseTo(1, 4)
      expect((yield* embedder.probe).detail).toBe("loaded on 1 thread(s)")
    }))

  it.scopedLive("refuses an empty text by itself, before a thread sees it", () =>
    Effect.gen(function*() {
      const embedder = yield* puppet()
      const failure = yield* Effect.flip(embedder.embed(["one", " \n"]))
      expect(failure._tag).toBe("InvalidRequest")
      expect((yield* embedder.probe).detail).toBe("installed, not loaded yet")
    }))

  it.scopedLive("refuses a text of a length that would block the thread, as too long", () =>
    Effect.gen(function*() {
      const embedder = yield* puppet()
      const failure = yield* Effect.flip(embedder.embed(["a".repeat(20_000)]))
      expect(failure._tag).toBe("ContextLengthExceeded")
    }))

  for (const text of ["crash", "exit"]) {
    it.scopedLive(`turns the end of its thread (${text}) into a failure, and the next call starts another thread`, () =>
      Effect.gen(function*() {
        const embedder = yield* puppet()
        const [before] = yield* embedder.embed(["one"])
        const failure = yield* Effect.flip(embedder.embed(["one", text]))
        expect(failure.provider).toBe("local")
        const [after] = yield* embedder.embed(["one"])
        expect(after?.[0]).toBeGreaterThan(before?.[0] ?? Number.NaN)
      }))
  }

  it.scopedLive("passes on why the model cannot be loaded", () =>
    Effect.gen(function*() {
      const embedder = yield* puppet()
      const failure = yield* Effect.flip(embedder.embed(["fail"]))
      expect(failure.detail).toContain("the weights cannot be read")
    }))

  it.scopedLive("refuses a vector without a direction", () =>
    Effect.gen(function*() {
      const embedder = yield* puppet()
      expect((yield* Effect.flip(embedder.embed(["zero"])))._tag).toBe("MalformedResponse")
    }))

  it.scopedLive("ends a thread that outlives the time limit, and goes on with another", () =>
    Effect.gen(function*() {
      const embedder = yield* puppet({ timeout: "1 second" })
      const failure = yield* Effect.flip(embedder.embed(["hang"]))
      expect(failure._tag).toBe("Timeout")
      expect(yield* embedder.embed(["one"])).toHaveLength(1)
    }))

  it.scopedLive("gives up the rest of the texts when it is interrupted, and keeps the thread", () =>
    Effect.gen(function*() {
      const embedder = yield* puppet()
      const [before] = yield* embedder.embed(["one"])
      const fiber = yield* Effect.fork(embedder.embed(["until-stopped"]))
      yield* turn
      yield* Fiber.interrupt(fiber)
      const [after] = yield* embedder.embed(["one"])
      expect(after?.[0]).toBe(before?.[0])
    }))

  it.scopedLive("has as many threads as calls may be under way, and a lone caller uses one", () =>
    Effect.gen(function*() {
      const embedder = yield* puppet({ concurrency: 2 })
      expect(embedder.concurrency).toBe(2)
      const [first] = yield* embedder.embed(["one"])
      const [second] = yield* embedder.embed(["two"])
      expect(second?.[0]).toBe(first?.[0])
      const busy = yield* Effect.fork(embedder.embed(["until-stopped"]))
      yield* turn
      const [third] = yield* embedder.embed(["three"])
      expect(third?.[0]).not.toBe(first?.[0])
      yield* Fiber.interrupt(busy)
    }))

  it.live("ends its thread with its scope, also in the middle of a task", () =>
    Effect.gen(function*() {
      const before = threads()
      const scope = yield* Scope.make()
      const embedder = yield* Scope.extend(puppet(), scope)
      yield* embedder.embed(["one"])
      expect(threads()).toBeGreaterThan(before)
      const fiber = yield* Effect.fork(embedder.embed(["hang"]))
      yield* turn
      const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
      expect(Duration.toSeconds(took)).toBeLessThan(2)
      expect(Exit.isFailure(yield* Fiber.await(fiber))).toBe(true)
      expect(threads()).toBe(before)
    }))

  it.live("starts no thread after its scope", () =>
    Effect.gen(function*() {
      const before = threads()
      const scope = yield* Scope.make()
      const embedder = yield* Scope.extend(puppet(), scope)
      yield* Scope.close(scope, Exit.void)
      expect((yield* Effect.flip(embedder.embed(["one"])))._tag).toBe("Cancelled")
      expect(threads()).toBe(before)
    }))

  const settings = [
    [{ model: "nomic-embed-text" }, "universal-sentence-encoder-lite"],
    [{ dimension: 768 }, "512"]
  ] as const
  for (const [wrong, words] of settings) {
    it.scopedLive(`does not start with ${JSON.stringify(wrong)}, and says what it has`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(puppet(wrong))
        expect(String(error)).toContain(words)
      }))
  }

  it.scopedLive("knows its dimension beforehand", () =>
    Effect.gen(function*() {
      const embedder = yield* puppet()
      expect(embedder.dimension).toEqual(Option.some(512))
      expect(embedder.chunkWords).toBe(80)
    }))
})

describe("the thread of the model", () => {
  it.live("leaves a task that was given up before it computes anything of it", () =>
    Effect.gen(function*() {
      const worker = new Worker(new URL("../../../src/adapters/local/model.js", import.meta.url), { execArgv: [] })
      const stop = new Int32Array(new SharedArrayBuffer(4))
      Atomics.store(stop, 0, 1)
      const reply = yield* Effect.async<unknown>((resume) => {
        worker.once("message", (message) => resume(Effect.succeed(message)))
        worker.postMessage({ id: 7, texts: ["one", "two"], stop }, [])
      })
      yield* Effect.promise(() => worker.terminate())
      expect(reply).toEqual({ id: 7, tag: "stopped" })
    }))
})
