import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { asksAgain } from "../../../src/domain/failure/Consequence.js"
import * as Failure from "../../../src/domain/failure/Failure.js"
import { CallContext } from "../../../src/domain/failure/CallContext.js"
import { retryRequest, withinRequest } from "../../../src/domain/failure/RetryRequest.js"
import * as RetryPolicy from "../../../src/domain/retry/RetryPolicy.js"

const common = { provider: "openai", detail: "" }
const network = new Failure.Network({ ...common, phase: "receive" })
const certificate = new Failure.Network({ ...common, phase: "certificate" })
const down = new Failure.ProviderUnavailable(common)
const downFor = (seconds: number) =>
  new Failure.ProviderUnavailable({ ...common, retryAfter: Duration.seconds(seconds) })
const permanent = new Failure.ProviderUnavailable({ ...common, permanent: true })
const pace = new Failure.RateLimited({ ...common, retryAfter: Duration.seconds(7) })
const money = new Failure.BudgetExhausted(common)
const timeout = new Failure.Timeout(common)

const policy = FastCheck.record({
  base: FastCheck.integer({ min: 1, max: 10_000 }).map(Duration.millis),
  factor: FastCheck.double({ min: 1, max: 10, noNaN: true }),
  cap: FastCheck.integer({ min: 1, max: 100_000 }).map(Duration.millis),
  maxAttempts: FastCheck.integer({ min: 1, max: 12 }),
  total: FastCheck.integer({ min: 0, max: 10_000_000 }).map(Duration.millis)
}).map((fields) => RetryPolicy.RetryPolicy.make(fields))

const random = FastCheck.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const attempt = FastCheck.integer({ min: 1, max: 10_000 })
const elapsed = FastCheck.integer({ min: 0, max: 10_000_000 }).map(Duration.millis)
const named = FastCheck.option(FastCheck.integer({ min: 0, max: 1_000_000 }).map(Duration.millis)).map(
  Option.fromNullable
)

const law = <T>(arbitrary: FastCheck.Arbitrary<T>, holds: (value: T) => boolean) =>
  FastCheck.assert(FastCheck.property(arbitrary, holds), { numRuns: 2_000 })

describe("nextDelay", () => {
  it("lies between zero and the cap where the provider names no time", () => {
    law(
      FastCheck.tuple(policy, attempt, elapsed, random),
      ([policy, attempt, elapsed, random]) =>
        Option.match(RetryPolicy.nextDelay(policy, { attempt, elapsed }, random), {
          onNone: () => true,
          onSome: Duration.between({ minimum: Duration.zero, maximum: policy.cap })
        })
    )
  })

  it("is never earlier than the provider's own time", () => {
    law(
      FastCheck.tuple(policy, attempt, elapsed, random, named),
      ([policy, attempt, elapsed, random, named]) =>
        Option.match(Option.all([named, RetryPolicy.nextDelay(policy, { attempt, elapsed }, random, named)]), {
          onNone: () => true,
          onSome: ([least, delay]) => Duration.greaterThanOrEqualTo(delay, least)
        })
    )
  })

  it("is none once the attempts are used up, and a longer history brings none back", () => {
    law(FastCheck.tuple(policy, attempt, elapsed, random, named), ([policy, attempt, elapsed, random, named]) => {
      const now = RetryPolicy.nextDelay(policy, { attempt, elapsed }, random, named)
      const later = RetryPolicy.nextDelay(policy, { attempt: attempt + 1, elapsed }, 0, named)
      const muchLater = RetryPolicy.nextDelay(
        policy,
        { attempt, elapsed: Duration.sum(elapsed, Duration.hours(1)) },
        random,
        named
      )
      return (attempt < policy.maxAttempts || Option.isNone(now)) &&
        (Option.isSome(now) || Option.isNone(muchLater)) &&
        (attempt + 1 < policy.maxAttempts || Option.isNone(later))
    })
  })

  it("never reaches beyond the total time", () => {
    law(
      FastCheck.tuple(policy, attempt, elapsed, random, named),
      ([policy, attempt, elapsed, random, named]) =>
        Option.match(RetryPolicy.nextDelay(policy, { attempt, elapsed }, random, named), {
          onNone: () => true,
          onSome: (delay) => Duration.lessThanOrEqualTo(Duration.sum(elapsed, delay), policy.total)
        })
    )
  })

  it("grows by the factor up to the cap when chance is left out", () => {
    const ceilings = [1, 2, 3, 6, 7, 8, 2_000].map((attempt) =>
      Duration.toMillis(RetryPolicy.ceiling(RetryPolicy.job, attempt))
    )
    expect(ceilings).toEqual([500, 1_000, 2_000, 16_000, 30_000, 30_000, 30_000])
    expect(Duration.toMillis(RetryPolicy.ceiling(RetryPolicy.job, 0))).toBe(500)
  })

  it("takes its point from chance", () => {
    const first = { attempt: 1, elapsed: Duration.zero }
    expect(RetryPolicy.nextDelay(RetryPolicy.job, first, 0)).toEqual(Option.some(Duration.zero))
    expect(RetryPolicy.nextDelay(RetryPolicy.job, first, 0.5)).toEqual(Option.some(Duration.millis(250)))
  })

  it("may end exactly with the total time", () => {
    const history = { attempt: 1, elapsed: Duration.seconds(100) }
    expect(RetryPolicy.nextDelay(RetryPolicy.request, history, 0, Option.some(Duration.seconds(20)))).toEqual(
      Option.some(Duration.seconds(20))
    )
    expect(RetryPolicy.nextDelay(RetryPolicy.request, history, 0, Option.some(Duration.millis(20_001)))).toEqual(
      Option.none()
    )
  })

  it.each([
    [RetryPolicy.job, 5, Duration.days(1)],
    [RetryPolicy.request, 3, Duration.minutes(2)],
    [RetryPolicy.malformed, 3, Duration.minutes(2)]
  ])("knows the policies: base 500 ms, factor 2, cap 30 s", (policy, maxAttempts, total) => {
    expect(policy).toMatchObject({
      base: Duration.millis(500),
      factor: 2,
      cap: Duration.seconds(30),
      maxAttempts,
      total
    })
  })
})

/** The delays that the pure function gives for a run of failures, each waited out before the next. */
const pureDelays = (policy: RetryPolicy.RetryPolicy, failures: ReadonlyArray<Failure.Failure>, point: number) => {
  const asks = asksAgain(CallContext.Request({ malformedTries: 0 }))
  const delays: Array<number> = []
  let elapsed = 0
  for (const [index, failure] of failures.entries()) {
    const delay = Option.flatMap(
      asks(failure),
      ({ retryAfter }) =>
        RetryPolicy.nextDelay(policy, { attempt: index + 1, elapsed: Duration.millis(elapsed) }, point, retryAfter)
    )
    if (Option.isNone(delay)) return { delays, elapsed, ended: true }
    delays.push(Duration.toMillis(delay.value))
    elapsed += Duration.toMillis(delay.value)
  }
  return { delays, elapsed, ended: false }
}

const failures = FastCheck.array(
  FastCheck.constantFrom<ReadonlyArray<Failure.Failure>[number]>(
    network,
    down,
    downFor(3),
    pace,
    timeout,
    money,
    certificate
  ),
  {
    minLength: 1,
    maxLength: 8
  }
)

describe("schedule", () => {
  it("agrees with the pure function on every run of failures", () => {
    law(FastCheck.tuple(policy, failures, random), ([policy, failures, point]) => {
      const schedule = RetryPolicy.schedule(policy, asksAgain(CallContext.Request({ malformedTries: 0 })), 0)
      const pure = pureDelays(policy, failures, point)
      const delays = Effect.runSync(
        Schedule.run(schedule, 0, failures).pipe(
          Effect.map(Chunk.toReadonlyArray),
          Effect.withRandom(Random.fixed([point]))
        )
      ).map((delay) => Duration.toMillis(delay))
      expect(delays.slice(0, pure.delays.length).map(Math.round)).toEqual(pure.delays.map(Math.round))
      expect(delays.length).toBe(pure.delays.length + (pure.ended ? 1 : 0))
      return true
    })
  })

  it.effect("waits those delays by the clock, and passes the last failure on", () =>
    Effect.gen(function*() {
      const times = yield* Ref.make<ReadonlyArray<number>>([])
      const call = Clock.currentTimeMillis.pipe(
        Effect.tap((now) => Ref.update(times, (known) => [...known, now])),
        Effect.zipRight(Effect.fail(network))
      )
      const fiber = yield* Effect.retry(
        call,
        RetryPolicy.schedule(RetryPolicy.job, asksAgain(CallContext.Agent({ malformedTries: 0 })))
      ).pipe(
        Effect.withRandom(Random.fixed([0.5])),
        Effect.exit,
        Effect.fork
      )
      yield* TestClock.adjust(Duration.minutes(5))
      expect(yield* Fiber.join(fiber)).toEqual(Exit.fail(network))
      expect(yield* Ref.get(times)).toEqual([0, 250, 750, 1_750, 3_750])
    }))
})

describe("withinRequest", () => {
  it.each([
    [network, true],
    [certificate, false],
    [down, true],
    [permanent, false],
    [pace, false],
    [money, false],
    [timeout, false]
  ])("%s: %s", (failure, again) => {
    expect(Option.isSome(withinRequest(failure))).toBe(again)
  })
})

/** How often a call is made that fails `failing` times, and how it ends. */
const tries = <E>(error: E, failing: number) =>
  Effect.gen(function*() {
    const calls = yield* Ref.make(0)
    const call = Ref.updateAndGet(calls, (count) => count + 1).pipe(
      Effect.flatMap((count) => count <= failing ? Effect.fail(error) : Effect.succeed("answer"))
    )
    const fiber = yield* retryRequest(call).pipe(Effect.exit, Effect.fork)
    yield* TestClock.adjust(Duration.minutes(10))
    return { exit: yield* Fiber.join(fiber), calls: yield* Ref.get(calls) }
  })

describe("retryRequest", () => {
  it.effect("asks again until the answer comes", () =>
    Effect.gen(function*() {
      expect(yield* tries(network, 2)).toEqual({ exit: Exit.succeed("answer"), calls: 3 })
    }))

  it.effect("gives up after three tries with the last failure", () =>
    Effect.gen(function*() {
      expect(yield* tries(down, 9)).toEqual({ exit: Exit.fail(down), calls: 3 })
    }))

  it.effect.each([certificate, permanent, pace, money, timeout])(
    "asks once where another try is another's matter: %s",
    (failure) =>
      Effect.gen(function*() {
        expect(yield* tries(failure, 9)).toEqual({ exit: Exit.fail(failure), calls: 1 })
      })
  )

  it.effect("does not wait beyond its two minutes for a provider that asks for three", () =>
    Effect.gen(function*() {
      expect((yield* tries(downFor(180), 9)).calls).toBe(1)
      expect((yield* tries(downFor(50), 9)).calls).toBe(3)
      expect((yield* tries(downFor(70), 9)).calls).toBe(2)
    }))

  it.effect("leaves errors alone that are no failures of a provider", () =>
    Effect.gen(function*() {
      expect(yield* tries("other", 9)).toEqual({ exit: Exit.fail("other"), calls: 1 })
    }))

  it.effect("counts the time of the first try itself", () =>
    Effect.gen(function*() {
      const calls = yield* Ref.make(0)
      const slow = Ref.update(calls, (count) => count + 1).pipe(
        Effect.zipRight(Effect.sleep(Duration.minutes(3))),
        Effect.zipRight(Effect.fail(network))
      )
      const fiber = yield* retryRequest(slow).pipe(Effect.exit, Effect.fork)
      yield* TestClock.adjust(Duration.minutes(30))
      yield* Fiber.join(fiber)
      expect(yield* Ref.get(calls)).toBe(1)
    }))
})
