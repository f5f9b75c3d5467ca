import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as TestClock from "effect/TestClock"
import { Grant, Pacer } from "../../../../src/domain/retry/Pacer.js"
import { Tenant } from "../../../../src/domain/store/Tenant.js"
import * as Paced from "../../../../src/programs/flows/work/Paced.js"

const millis = Duration.millis
const patience = millis(5000)

/** A pacer that gives these grants one after another, then is free; grants of void cycles do not stand. */
const giving = (grants: ReadonlyArray<Grant>, voided: ReadonlyArray<number> = []) => {
  const left = [...grants]
  const told: Array<readonly [string, number, number]> = []
  const pacer = Layer.mock(Pacer, {
    isFree: () => Effect.sync(() => left.length === 0),
    take: () => Effect.sync(() => left.shift() ?? Grant.Free()),
    stands: (_, cycle) => Effect.succeed(!voided.includes(cycle)),
    throttled: (provider, cycle, wait) => Effect.sync(() => told.push([provider, cycle, Duration.toMillis(wait)]))
  })
  return { layer: Layer.merge(pacer, Layer.succeed(Tenant, "tests")), told }
}

/** What a lane's grant was, and when it came. */
const grantOf = (grants: ReadonlyArray<Grant>, voided: ReadonlyArray<number> = []) =>
  Paced.grant("fake", patience, Effect.sleep).pipe(
    Effect.flatMap((cycle) => Effect.map(Clock.currentTimeMillis, (at) => ({ cycle, at }))),
    Effect.exit,
    Effect.fork,
    Effect.tap(() => TestClock.adjust("1 minute")),
    Effect.flatMap(Fiber.join),
    Effect.withRandom(Random.make("seed")),
    Effect.provide(giving(grants, voided).layer)
  )

describe("a grant", () => {
  it.effect("of a provider that nothing holds comes at once", () =>
    Effect.gen(function*() {
      expect(yield* grantOf([])).toEqual(Exit.succeed({ cycle: 0, at: 0 }))
    }))

  it.effect("is waited for", () =>
    Effect.gen(function*() {
      expect(yield* grantOf([Grant.Given({ wait: millis(700), cycle: 3 })])).toEqual(
        Exit.succeed({ cycle: 3, at: 700 })
      )
      expect(yield* grantOf([Grant.Given({ wait: millis(0), cycle: 3 })], [3])).toEqual(
        Exit.succeed({ cycle: 3, at: 60_000 })
      )
    }))

  it.effect("that a refusal made void is taken anew", () =>
    Effect.gen(function*() {
      const grants = [Grant.Given({ wait: millis(700), cycle: 3 }), Grant.Given({ wait: millis(200), cycle: 4 })]
      expect(yield* grantOf(grants, [3])).toEqual(Exit.succeed({ cycle: 4, at: 900 }))
    }))

  it.effect("is asked for again, not all at the same moment, where the grants of others reach too far", () =>
    Effect.gen(function*() {
      const exit = yield* grantOf([Grant.Later({ wait: millis(1000) })])
      const at = Exit.isSuccess(exit) ? exit.value.at : 0
      expect(at).toBeGreaterThan(1000)
      expect(at).toBeLessThan(1500)
    }))

  it.effect("comes after a short cooldown; a long one is not waited for", () =>
    Effect.gen(function*() {
      const exit = yield* grantOf([Grant.Cooling({ wait: millis(5000) })])
      expect(Exit.isSuccess(exit) ? exit.value.at : 0).toBeGreaterThanOrEqual(5000)
      const long = yield* grantOf([Grant.Cooling({ wait: millis(5001) })])
      expect(long).toEqual(Exit.fail(new Paced.Cooling({ wait: millis(5001) })))
    }))

  it.effect("is given up at once by who is stopped", () =>
    Effect.gen(function*() {
      const waiting = yield* Effect.fork(Paced.grant("fake", patience, Effect.sleep))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(waiting)
      expect(yield* Clock.currentTimeMillis).toBe(0)
    }).pipe(Effect.provide(giving([Grant.Given({ wait: millis(700), cycle: 3 })]).layer)))
})

describe("a call", () => {
  const cycleOf = (calls: Paced.Calls) => Paced.call(calls, patience, Effect.sleep, Effect.succeed)

  it.effect("takes no grant where nothing holds it", () =>
    Effect.gen(function*() {
      expect(yield* cycleOf(yield* Paced.make("fake", 1))).toBe(0)
    }).pipe(Effect.provide(giving([]).layer)))

  it.effect("takes its grant where the provider has a pace", () =>
    Effect.gen(function*() {
      expect(yield* cycleOf(yield* Paced.make("fake", 1))).toBe(2)
    }).pipe(Effect.provide(giving([Grant.Given({ wait: millis(0), cycle: 2 })]).layer)))

  /** A call that looks at a free provider, waits for its permit, and meanwhile this happens. */
  const meanwhile = (happens: (calls: Paced.Calls) => Effect.Effect<unknown, unknown, Pacer | Tenant>) => {
    const grants: Array<Grant> = []
    let looks = 0
    const pacer = Layer.mock(Pacer, {
      isFree: () => Effect.sync(() => ++looks > 0 && grants.length === 0),
      take: () => Effect.sync(() => grants.shift() ?? Grant.Free()),
      throttled: () => Effect.sync(() => grants.push(Grant.Given({ wait: millis(0), cycle: 1 })))
    })
    return Effect.gen(function*() {
      const calls = yield* Paced.make("fake", 1)
      const under = yield* Deferred.make<void>()
      const first = yield* Effect.fork(Paced.call(calls, patience, Effect.sleep, () => Deferred.await(under)))
      yield* Effect.yieldNow()
      const second = yield* Effect.fork(cycleOf(calls))
      yield* Effect.yieldNow()
      yield* happens(calls)
      yield* Deferred.succeed(under, undefined)
      yield* Fiber.join(first)
      return { cycle: yield* Fiber.join(second), looks }
    }).pipe(Effect.provide([pacer, Layer.succeed(Tenant, "tests")]))
  }

  it.effect("shares its look with the other calls of its process", () =>
    Effect.gen(function*() {
      expect(yield* meanwhile(() => TestClock.adjust("49 millis"))).toEqual({ cycle: 0, looks: 1 })
    }))

  it.effect("looks again while it waits for its permit, and not when it has it", () =>
    Effect.gen(function*() {
      expect(yield* meanwhile(() => TestClock.adjust("149 millis"))).toEqual({ cycle: 0, looks: 3 })
    }))

  it.effect("takes a grant after all where another process heard a refusal while it waited for its permit", () =>
    Effect.gen(function*() {
      const elsewhere = Effect.flatMap(Pacer, (pacer) => pacer.throttled("fake", 0, millis(10)))
      expect(yield* meanwhile(() => Effect.zipRight(elsewhere, TestClock.adjust("50 millis")))).toMatchObject({
        cycle: 1
      })
    }))

  it.effect("takes a grant after all where a refusal was heard while it waited for its permit", () =>
    Effect.gen(function*() {
      expect(yield* meanwhile((calls) => Paced.throttled(calls, 0, millis(10)))).toMatchObject({ cycle: 1 })
    }))

  it.effect("that was refused is told by its provider, its cycle and its wait", () => {
    const { layer, told } = giving([])
    return Effect.gen(function*() {
      yield* Paced.throttled(yield* Paced.make("fake", 1), 4, millis(250))
      expect(told).toEqual([["fake", 4, 250]])
    }).pipe(Effect.provide(layer))
  })
})
