import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { EventEmitter } from "node:events"
import { signal } from "../../../src/programs/cli/run.js"

/** A process that is sent signals and only notes that it was to end. */
const host = () => {
  const events = new EventEmitter()
  const exits: Array<number | string | null | undefined> = []
  const process = {
    once: (name: string | symbol, hear: () => void) => {
      events.once(name, hear)
    },
    exit: (code?: number | string | null) => {
      exits.push(code)
    }
  }
  // The two members of a process that are used here, whose many overloads no double can have.
  return { exits, process: process as never, send: (name: NodeJS.Signals) => events.emit(name) }
}

describe("a signal", () => {
  it.effect("that comes twice at once, as whoever passes it on sends it, stops the work well", () =>
    Effect.gen(function*() {
      const { exits, process, send } = host()
      const heard = yield* Effect.fork(signal(process))
      yield* Effect.yieldNow()
      send("SIGTERM")
      send("SIGTERM")
      yield* TestClock.adjust("1 second")
      send("SIGINT")
      expect(yield* Fiber.join(heard)).toBe("SIGTERM")
      expect(exits).toEqual([])
    }))

  it.effect("that comes again later ends the program at once", () =>
    Effect.gen(function*() {
      const { exits, process, send } = host()
      yield* Effect.fork(signal(process))
      yield* Effect.yieldNow()
      send("SIGINT")
      yield* TestClock.adjust("1001 millis")
      send("SIGINT")
      expect(exits).toEqual([130])
    }))
})
