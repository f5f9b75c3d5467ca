import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import { Pacer, unpaced } from "../../../domain/retry/Pacer.js"
import { patiently } from "./PatientStore.js"

/** The provider asked everyone to wait for longer than this caller does. */
export class Cooling extends Data.TaggedError("Cooling")<{ readonly wait: Duration.Duration }> {}

/** The newest look at a provider: the moment that it speaks of, in milliseconds, and whether nothing held a call. */
interface Look {
  readonly at: number
  readonly wasFree: boolean
}

/** The calls of this process to one provider. */
export interface Calls {
  readonly provider: string
  readonly permits: Effect.Semaphore
  /** What counts now; a refusal that this process hears changes it. */
  readonly look: Ref.Ref<Look>
}

/** At most `concurrency` calls at a time, the waits for their grants included. */
export const make = (provider: string, concurrency: number): Effect.Effect<Calls> =>
  Effect.all({
    provider: Effect.succeed(provider),
    permits: Effect.makeSemaphore(concurrency),
    look: Ref.make<Look>({ at: Number.NEGATIVE_INFINITY, wasFree: true })
  })

/** Workers that ask again after the same wait are spread over so many milliseconds. */
const spread = 500

/**
 * Wait until a call may begin; answers the cycle of its grant. Waits by `pause`, at most for `patience` where a cooldown stands,
 * and looks once more when its grant has come: a refusal makes the grants before it void.
 */
export const grant = Effect.fn("Paced.grant")(function*<E, R>(
  provider: string,
  patience: Duration.Duration,
  pause: (wait: Duration.Duration) => Effect.Effect<void, E, R>
) {
  const pacer = yield* Pacer
  const given = (wait: Duration.Duration, cycle: number) =>
    Duration.toMillis(wait) === 0
      ? Effect.succeedSome(cycle)
      : Effect.zipRight(pause(wait), patiently(pacer.stands(provider, cycle))).pipe(
        Effect.map((stands) => stands ? Option.some(cycle) : Option.none())
      )
  const later = (wait: Duration.Duration) =>
    Random.next.pipe(
      Effect.flatMap((random) => pause(Duration.sum(wait, Duration.millis(random * spread)))),
      Effect.as(Option.none<number>())
    )
  while (true) {
    const cycle = yield* Match.value(yield* patiently(pacer.take(provider))).pipe(
      Match.tagsExhaustive({
        Free: () => Effect.succeedSome(unpaced),
        Given: ({ cycle, wait }) => given(wait, cycle),
        Later: ({ wait }) => later(wait),
        Cooling: ({ wait }) => Duration.greaterThan(wait, patience) ? Effect.fail(new Cooling({ wait })) : later(wait)
      })
    )
    if (Option.isSome(cycle)) return cycle.value
  }
})

/** A look at the provider counts for so many milliseconds; whoever waits for a permit renews it at half of that. */
const freshness = 100

/** Look at the provider, unless somebody here did so a moment ago. */
const renewed = Effect.fnUntraced(function*(calls: Calls, within: number) {
  const pacer = yield* Pacer
  const at = yield* Clock.currentTimeMillis
  const known = yield* Ref.get(calls.look)
  if (at - known.at < within) return known
  const wasFree = yield* patiently(pacer.isFree(calls.provider))
  // That nothing holds a call may be over by now, and is dated from the question; that something does is news from the answer.
  const seen = { at: wasFree ? at : yield* Clock.currentTimeMillis, wasFree }
  return yield* Ref.updateAndGet(calls.look, (now) => now.at < seen.at ? seen : now)
})

/**
 * Make a call when a permit is free and its grant has come. The looks at a provider that nothing holds are made while other calls
 * are under way, so that they take no time from them.
 */
export const call = Effect.fnUntraced(function*<A, E, R, E2, R2>(
  calls: Calls,
  patience: Duration.Duration,
  pause: (wait: Duration.Duration) => Effect.Effect<void, E2, R2>,
  request: (cycle: number) => Effect.Effect<A, E, R>
) {
  const renewing = Effect.uninterruptible(renewed(calls, freshness / 2))
  yield* renewing
  const watching = yield* Effect.fork(Effect.forever(Effect.delay(renewing, freshness / 2)))
  const stop = Fiber.interruptFork(watching)
  const begun = Effect.gen(function*() {
    yield* stop
    const { wasFree } = yield* renewed(calls, freshness)
    return wasFree ? unpaced : yield* grant(calls.provider, patience, pause)
  })
  return yield* Effect.ensuring(calls.permits.withPermits(1)(Effect.flatMap(begun, request)), stop)
})

/** For a while every call here takes its grant. */
const held = (calls: Calls) =>
  Effect.flatMap(Clock.currentTimeMillis, (at) => Ref.set(calls.look, { at, wasFree: false }))

/** Tell everyone that a call of this cycle was refused. */
export const throttled = (calls: Calls, cycle: number, wait: Duration.Duration) =>
  Effect.flatMap(Pacer, (pacer) => patiently(pacer.throttled(calls.provider, cycle, wait))).pipe(
    Effect.zipRight(held(calls)),
    (told) => Effect.zipRight(held(calls), told)
  )
