import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleInterval from "effect/ScheduleInterval"
import * as Schema from "effect/Schema"

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

/** The longest wait that a provider can name: past it everyone asks again, and may be told to wait once more. */
export const longestNamed = Duration.days(1)

/** A job's attempts: five, each after a backoff, or after the wait that the provider named. */
export const job = RetryPolicy.make({ ...base, maxAttempts: 5, total: longestNamed })

/** One request inside one attempt: three tries within two minutes. */
export const request = RetryPolicy.make({ ...base, maxAttempts: 3, total: Duration.minutes(2) })

/** A malformed answer is worth two more tries; then it is the provider's way of answering. */
export const malformed = RetryPolicy.make({ ...base, maxAttempts: 3, total: Duration.minutes(2) })

/** Leave to try again, with the wait that the provider named. */
export interface Ask {
  readonly retryAfter: Option.Option<Duration.Duration>
}

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

/**
 * The policy as a schedule: `asks` says of each failure whether it may be tried again (none ends the schedule), `startedAt`
 * is the first try's start in epoch milliseconds, without which time counts from the first failure. Answers each delay.
 */
export const schedule = <In>(
  policy: RetryPolicy,
  asks: (failure: In) => Option.Option<Ask>,
  startedAt?: number
): Schedule.Schedule<Duration.Duration, In> =>
  Schedule.makeWithState(
    { attempt: 1, since: Option.fromNullable(startedAt) },
    Effect.fnUntraced(function*(now: number, failure: In, { attempt, since }) {
      const started = Option.getOrElse(since, () => now)
      const history = { attempt, elapsed: Duration.millis(now - started) }
      const random = yield* Random.next
      const delay = Option.flatMap(asks(failure), ({ retryAfter }) => nextDelay(policy, history, random, retryAfter))
      return [
        { attempt: attempt + 1, since: Option.some(started) },
        Option.getOrElse(delay, () => Duration.zero),
        Option.match(delay, {
          onNone: () => ScheduleDecision.done,
          onSome: (wait) => ScheduleDecision.continueWith(ScheduleInterval.after(now + Duration.toMillis(wait)))
        })
      ] as const
    })
  )
