import * as Duration from "effect/Duration"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import type { Action } from "../failure/Consequence.js"
import type { Failure } from "../failure/Failure.js"
import * as RetryPolicy from "../retry/RetryPolicy.js"
import type { Claimed } from "./JobQueue.js"
import { Outcome } from "./Outcome.js"

/** How long a provider's named waits may add up before they cost attempts. */
export const coolingLimit = Duration.hours(1)

/** The next attempt under the job's own maximum, or the end. `random` in [0, 1). */
const again = (
  failure: Failure,
  job: Claimed,
  random: number,
  policy: RetryPolicy.RetryPolicy,
  named: Option.Option<Duration.Duration>
): Outcome =>
  Option.match(
    RetryPolicy.nextDelay(
      RetryPolicy.RetryPolicy.make({ ...policy, maxAttempts: job.maxAttempts }),
      { attempt: job.attempts, elapsed: Duration.zero },
      random,
      named
    ),
    {
      onNone: () => Outcome.Halted({ failure }),
      onSome: (delay) => Outcome.Retried({ failure, delay })
    }
  )

/** A try that costs an attempt, before which everyone on the provider waits. */
const cooled = (outcome: Outcome): Outcome =>
  outcome._tag === "Retried"
    ? Outcome.Cooled({ failure: outcome.failure, delay: outcome.delay, refunded: false })
    : outcome

/**
 * How an attempt ends after a failure whose consequence is `action`. Actions that go on within the attempt (split, bisect,
 * shorten, refuse) never get here from the runner; should one come, it halts rather than loop.
 */
export const ending = (failure: Failure, action: Action, job: Claimed, random: number): Outcome =>
  Match.value(action).pipe(
    Match.withReturnType<Outcome>(),
    Match.tagsExhaustive({
      Retry: ({ policy, retryAfter }) => again(failure, job, random, policy, retryAfter),
      Wait: ({ delay }) =>
        Option.match(delay, {
          onNone: () => cooled(again(failure, job, random, RetryPolicy.job, Option.none())),
          onSome: (named) =>
            Duration.lessThan(Duration.sum(job.cooled, named), coolingLimit)
              ? Outcome.Cooled({ failure, delay: named, refunded: true })
              : cooled(again(failure, job, random, RetryPolicy.job, delay))
        }),
      Park: ({ gate, reason, until }) => Outcome.Parked({ failure, gate, reason, until }),
      Split: () => Outcome.Halted({ failure }),
      Bisect: () => Outcome.Halted({ failure }),
      Shorten: () => Outcome.Halted({ failure }),
      Refuse: () => Outcome.Halted({ failure }),
      Halt: () => Outcome.Halted({ failure })
    })
  )
