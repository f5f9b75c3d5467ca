import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { chatOf, heard, partsOf, wires } from "../../../support/Chats.js"
import { user } from "../../../support/Messages.js"

const request = { messages: [user("Hi")] }

const gone = (aborted: number) => (seen: { readonly aborted: number; readonly inFlight: number }) =>
  seen.aborted === aborted && seen.inFlight === 0

describe.each(wires)("ending an answer early over the wire of $name", ({ layer, start, text, whole }) => {
  it.scopedLive("closes the request that is not answered yet, and lets the next one in", () =>
    Effect.gen(function*() {
      const server = yield* start({ fault: ({ number }) => number === 1 ? { kind: "hang" } : undefined })
      const provider = yield* chatOf(layer, { url: server.url, concurrency: 1 })
      const asked = yield* Effect.fork(partsOf(provider, request))
      yield* Effect.promise(() => server.until(({ inFlight }) => inFlight === 1))
      const ended = yield* Fiber.interrupt(asked)
      expect(Exit.isInterrupted(ended)).toBe(true)
      yield* Effect.promise(() => server.until(gone(1)))
      expect((yield* partsOf(provider, request)).at(-1)?._tag).toBe("Finish")
    }))

  it.scopedLive("closes the request in the middle of its answer", () =>
    Effect.gen(function*() {
      const server = yield* start({ fault: () => ({ kind: "hang", after: text + 1 }) })
      const provider = yield* chatOf(layer, { url: server.url })
      const begun = yield* Deferred.make<void>()
      const asked = yield* provider.stream(request).pipe(
        Stream.runForEach(() => Deferred.succeed(begun, undefined)),
        Effect.fork
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(asked)
      yield* Effect.promise(() => server.until(gone(1)))
    }))

  it.scopedLive("closes the request of whoever has read enough", () =>
    Effect.gen(function*() {
      const server = yield* start({ fault: () => ({ kind: "hang", after: text + 1 }) })
      const provider = yield* chatOf(layer, { url: server.url })
      const first = yield* provider.stream(request).pipe(Stream.take(1), Stream.runCollect)
      expect(first.length).toBe(1)
      yield* Effect.promise(() => server.until(gone(1)))
    }))

  it.scopedLive("ends the wait for its turn, and takes no turn from others", () =>
    Effect.gen(function*() {
      const server = yield* start({ fault: ({ number }) => number === 1 ? { kind: "hang" } : undefined })
      const provider = yield* chatOf(layer, { url: server.url, concurrency: 1 })
      const first = yield* Effect.fork(partsOf(provider, request))
      yield* Effect.promise(() => server.until(({ inFlight }) => inFlight === 1))
      const second = yield* Effect.fork(partsOf(provider, request))
      const third = yield* Effect.fork(partsOf(provider, request))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(second)
      yield* Fiber.interrupt(first)
      expect((yield* Fiber.join(third)).at(-1)?._tag).toBe("Finish")
      expect(server.seen().calls).toHaveLength(2)
      expect(server.seen().mostInFlight).toBe(1)
    }))

  it.scopedLive("is not ended by whoever takes long to read it", () =>
    Effect.gen(function*() {
      const server = yield* start({ chunk: 64 })
      const provider = yield* chatOf(layer, { url: server.url, tokenTimeout: "1 second" })
      const texts = yield* provider.stream(request).pipe(
        Stream.tap((part) => part._tag === "Text" && part.text === "Hello" ? Effect.sleep("1200 millis") : Effect.void),
        Stream.runCollect
      )
      expect(texts.length).toBe(5)
    }))

  it.scopedLive("tells how long was waited for its next piece", () =>
    Effect.gen(function*() {
      const server = yield* start({
        fault: ({ number }) => number === 1 ? { kind: "hang", after: text + 1 } : { kind: "ping", after: 0 }
      })
      const provider = yield* chatOf(layer, {
        url: server.url,
        tokenTimeout: "200 millis",
        firstTokenTimeout: "5 seconds"
      })
      const inTheMiddle = yield* heard(provider, request)
      expect(inTheMiddle.failure).toMatchObject({ _tag: "Timeout", after: Duration.millis(200) })
      expect(inTheMiddle.parts).toHaveLength(1)
      const hasty = yield* chatOf(layer, { url: server.url, firstTokenTimeout: "300 millis" })
      const atFirst = yield* heard(hasty, request)
      expect(atFirst.failure).toMatchObject({ _tag: "Timeout", after: Duration.millis(300) })
      expect(atFirst.parts).toEqual([])
    }))

  it.scopedLive("is as good as its own end, once all of it has arrived", () =>
    Effect.gen(function*() {
      const server = yield* start({ fault: () => ({ kind: "hang", after: whole }) })
      const provider = yield* chatOf(layer, { url: server.url, tokenTimeout: "200 millis" })
      const { failure, parts } = yield* heard(provider, request)
      expect(failure).toBeNull()
      expect(parts.at(-1)).toEqual({ _tag: "Finish", reason: "stop" })
    }))

  it.scopedLive("is bounded: an event without an end is given up", () =>
    Effect.gen(function*() {
      const flood = `data: {"model": "${"x".repeat(6 * 1024 * 1024)}`
      const server = yield* start({ fault: () => ({ kind: "frame", after: 0, text: flood }) })
      const provider = yield* chatOf(layer, { url: server.url })
      const { failure } = yield* heard(provider, request)
      expect(failure).toMatchObject({
        _tag: "MalformedResponse",
        detail: "an event of the answer is longer than 4 MiB"
      })
    }))
})
