import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type { Failure } from "../failure/Failure.js"

/** A retry policy as data: `base * factor^n` capped at `cap`, full jitter, at most `maxAttempts` tries and `total` time. */
export class RetryPolicy extends Schema.Class<RetryPolicy>("RetryPolicy")({
  base: Schema.DurationFromMillis,
  factor: Schema.Number.pipe(Schema.greaterThanOrEqualTo(1)),
  cap: Schema.DurationFromMillis,
  maxAttempts: Schema.Int.pipe(Schema.positive()),
  /** Time since the first try after which nothing is tried again. */
  total: Schema.DurationFromMillis
}) {}

const base = { base: Duration.millis(500), factor: 2, cap: Duration.seconds(30) }

/** A job's attempts: five, within six hours. */
export const job = RetryPolicy.make({ ...base, maxAttempts: 5, total: Duration.hours(6) })

/** One request inside one attempt: three tries within two minutes. */
export const request = RetryPolicy.make({ ...base, maxAttempts: 3, total: Duration.minutes(2) })

/** A malformed answer is worth two more tries; then it is the provider's way of answering. */
export const malformed = RetryPolicy.make({ ...base, maxAttempts: 3, total: Duration.minutes(2) })

/** What has happened so far: tries made (at least 1) and the time since the first of them. */
export interface History {
  readonly attempt: number
  readonly elapsed: Duration.Duration
}

/** The delay before jitter after try number `attempt` (1 for the first): `base * factor^(attempt-1)`, at most `cap`. */
export const ceiling = (policy: RetryPolicy, attempt: number): Duration.Duration => {
  const grown = Duration.toMillis(policy.base) * Math.pow(policy.factor, Math.max(0, attempt - 1))
  return Duration.min(policy.cap, Duration.millis(Number.isFinite(grown) ? grown : Number.MAX_SAFE_INTEGER))
}

/**
 * How long to wait before the next try; none when the policy is spent. `random` lies in [0, 1) and picks the point between
 * zero and the ceiling (full jitter). A provider's `retryAfter` is a lower bound, also beyond the cap.
 */
export const nextDelay = (
  policy: RetryPolicy,
  history: History,
  random: number,
  retryAfter: Option.Option<Duration.Duration> = Option.none()
): Option.Option<Duration.Duration> => {
  if (history.attempt >= policy.maxAttempts) return Option.none()
  const jittered = Duration.times(ceiling(policy, history.attempt), random)
  const delay = Option.match(retryAfter, { onNone: () => jittered, onSome: (named) => Duration.max(named, jittered) })
  return Duration.lessThanOrEqualTo(Duration.sum(history.elapsed, delay), policy.total)
    ? Option.some(delay)
    : Option.none()
}

/** Which failures are worth another request inside the same attempt, and the wait that the provider names (DESIGN section 3). */
const anotherRequest = (failure: Failure): Option.Option<Option.Option<Duration.Duration>> =>
  Match.value(failure).pipe(
    Match.withReturnType<Option.Option<Option.Option<Duration.Duration>>>(),
    Match.tag("Network", ({ phase }) => phase === "certificate" ? Option.none() : Option.some(Option.none())),
    Match.tag("ProviderUnavailable", ({ permanent, retryAfter }) =>
      permanent === true ? Option.none() : Option.some(Option.fromNullable(retryAfter))),
    Match.orElse(() => Option.none())
  )

/** Try one request again where the network or the provider failed, under the policy for requests. */
export const retryRequest = <A, R>(call: Effect.Effect<A, Failure, R>): Effect.Effect<A, Failure, R> =>
  Effect.gen(function*() {
    const started = yield* Clock.currentTimeMillis
    const attempt = (tries: number): Effect.Effect<A, Failure, R> =>
      Effect.catchAll(call, (failure) =>
        Effect.gen(function*() {
          const elapsed = Duration.millis((yield* Clock.currentTimeMillis) - started)
          const random = yield* Random.next
          const delay = Option.flatMap(anotherRequest(failure), (named) =>
            nextDelay(request, { attempt: tries, elapsed }, random, named))
          if (Option.isNone(delay)) return yield* Effect.fail(failure)
          yield* Effect.sleep(delay.value)
          return yield* attempt(tries + 1)
        }))
    return yield* attempt(1)
  })
