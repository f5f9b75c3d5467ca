import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import { Pacer, unpaced } from "../../domain/retry/Pacer.js"
import { patiently } from "./PatientStore.js"

/** The provider asked everyone to wait for longer than this caller does. */
export class Cooling extends Data.TaggedError("Cooling")<{ readonly wait: Duration.Duration }> {}

/** The calls of this process to one provider. */
export interface Calls {
  readonly provider: string
  readonly permits: Effect.Semaphore
  /** The refusals that this process heard. */
  readonly refusals: Ref.Ref<number>
}

/** At most `concurrency` calls at a time, the waits for their turns included. */
export const make = (provider: string, concurrency: number): Effect.Effect<Calls> =>
  Effect.all({
    provider: Effect.succeed(provider),
    permits: Effect.makeSemaphore(concurrency),
    refusals: Ref.make(0)
  })

/** Workers that ask again after the same wait are spread over so many milliseconds. */
const spread = 500

/**
 * Wait until a call may begin; answers the cycle of its turn. Waits by `pause`, at most for `patience` where a cooldown stands,
 * and looks once more when its turn has come: a refusal makes the turns before it void.
 */
export const turn = Effect.fn("Paced.turn")(function*<E, R>(
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

/** A look at the provider is worth something for so many milliseconds: less than most calls take. */
const freshness = 100

/**
 * Make a call when a permit is free and its turn has come. The look at a provider that nothing holds comes before the permit,
 * so that it takes no time from quick calls. It is worth nothing once this process heard a refusal, or waited for long.
 */
export const call = Effect.fnUntraced(function*<A, E, R, E2, R2>(
  calls: Calls,
  patience: Duration.Duration,
  pause: (wait: Duration.Duration) => Effect.Effect<void, E2, R2>,
  request: (cycle: number) => Effect.Effect<A, E, R>
) {
  const pacer = yield* Pacer
  const look = patiently(pacer.isFree(calls.provider))
  const heard = yield* Ref.get(calls.refusals)
  const lookedAt = yield* Clock.currentTimeMillis
  const wasFree = yield* look
  const begun = Effect.gen(function*() {
    const isFresh = (yield* Clock.currentTimeMillis) - lookedAt < freshness &&
      (yield* Ref.get(calls.refusals)) === heard
    return wasFree && (isFresh || (yield* look)) ? unpaced : yield* turn(calls.provider, patience, pause)
  })
  return yield* calls.permits.withPermits(1)(Effect.flatMap(begun, request))
})

/** Tell everyone that a call of this cycle was refused. */
export const refused = (calls: Calls, cycle: number, wait: Duration.Duration) =>
  Ref.update(calls.refusals, (count) => count + 1).pipe(
    Effect.zipRight(Effect.flatMap(Pacer, (pacer) => patiently(pacer.refused(calls.provider, cycle, wait))))
  )
