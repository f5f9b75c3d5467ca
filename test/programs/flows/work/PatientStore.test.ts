import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { StoreBroken, StoreUnavailable } from "../../../../src/domain/store/StoreFailure.js"
import { patiently, Stopping } from "../../../../src/programs/flows/work/PatientStore.js"

const down = new StoreUnavailable({ detail: "connection refused" })

/** A write that counts its attempts. */
const counted = <A, E>(write: Effect.Effect<A, E>) => {
  let attempts = 0
  return {
    attempts: () => attempts,
    write: Effect.suspend(() => {
      attempts += 1
      return write
    })
  }
}

describe("a write while the database is down", () => {
  it.effect("is tried for two minutes", () =>
    Effect.gen(function*() {
      const { attempts, write } = counted(Effect.fail(down))
      const writing = yield* Effect.fork(patiently(write))
      yield* TestClock.adjust("110 seconds")
      expect(Option.isNone(yield* Fiber.poll(writing))).toBe(true)
      expect(attempts()).toBeGreaterThan(40)
      yield* TestClock.adjust("20 seconds")
      expect(yield* Fiber.await(writing)).toEqual(Exit.fail(down))
    }))

  it.effect("is not tried again where trying is no use", () =>
    Effect.gen(function*() {
      const { attempts, write } = counted(Effect.fail(new StoreBroken({ sqlState: "42601", detail: "broken" })))
      yield* Effect.flip(patiently(write))
      expect(attempts()).toBe(1)
    }))

  for (const masked of [false, true]) {
    const region = masked ? Effect.uninterruptible : <A, E>(effect: Effect.Effect<A, E>) => effect
    const where = masked ? ", where no interruption reaches" : ""

    it.effect(`is given up two seconds after whoever writes is asked to stop${where}`, () =>
      Effect.gen(function*() {
        const stop = yield* Deferred.make<void>()
        const { attempts, write } = counted(Effect.fail(down))
        const writing = yield* Effect.fork(
          region(Effect.provideService(patiently(write), Stopping, Option.some(Deferred.await(stop))))
        )
        yield* TestClock.adjust("10 seconds")
        const before = attempts()
        yield* Deferred.succeed(stop, undefined)
        yield* TestClock.adjust("1900 millis")
        expect(Option.isNone(yield* Fiber.poll(writing))).toBe(true)
        yield* TestClock.adjust("100 millis")
        expect(yield* Fiber.await(writing)).toEqual(Exit.fail(down))
        expect(attempts()).toBeGreaterThanOrEqual(before)
      }))

    it.effect(`is not waited for by who has to stop, when it gives no answer${where}`, () =>
      Effect.gen(function*() {
        const write = Effect.uninterruptible(Effect.never)
        const writing = yield* Effect.fork(
          region(Effect.provideService(patiently(write), Stopping, Option.some(Effect.void)))
        )
        yield* TestClock.adjust("2 seconds")
        expect(yield* Effect.flip(Fiber.join(writing))).toMatchObject({ _tag: "StoreUnavailable" })
      }))
  }

  it.effect("happens, where the database comes back before the patience of the stop is over", () =>
    Effect.gen(function*() {
      let isDown = true
      const write = Effect.suspend(() => isDown ? Effect.fail(down) : Effect.succeed("written"))
      const writing = yield* Effect.fork(Effect.provideService(patiently(write), Stopping, Option.some(Effect.void)))
      yield* TestClock.adjust("500 millis")
      isDown = false
      yield* TestClock.adjust("1499 millis")
      expect(yield* Fiber.join(writing)).toBe("written")
    }))
})
