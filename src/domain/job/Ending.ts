import * as Duration from "effect/Duration"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import type { Consequence, Report } from "../failure/Consequence.js"
import type { Failure } from "../failure/Failure.js"
import { detail } from "../failure/scrub.js"
import * as RetryPolicy from "../retry/RetryPolicy.js"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { NewError } from "./Job.js"
import type { Claimed } from "./JobQueue.js"
import { Outcome } from "./Outcome.js"

/** How long a provider's named waits may add up before they cost attempts. */
export const coolingLimit = Duration.hours(1)

/** What a failed attempt is stored with, and who hears of it. */
interface Cause {
  readonly error: NewError
  readonly report: Report
}

/** The end of a job whose tries are used up says so. */
const spent = ({ error, report }: Cause, tries: number): Outcome =>
  Outcome.Halted({
    error: tries > 1 ? { ...error, message: `${error.message} It was tried ${tries} times.` } : error,
    report
  })

/** The next attempt under the job's own maximum, or the end. `random` in [0, 1). */
const again = (
  cause: Cause,
  job: Claimed,
  random: number,
  policy: RetryPolicy.RetryPolicy,
  named: Option.Option<Duration.Duration> = Option.none()
): Outcome =>
  Option.match(
    RetryPolicy.nextDelay(
      RetryPolicy.RetryPolicy.make({ ...policy, maxAttempts: job.maxAttempts }),
      { attempt: job.attempts, elapsed: Duration.zero },
      random,
      Option.map(named, Duration.min(RetryPolicy.longestNamed))
    ),
    {
      onNone: () => spent(cause, job.attempts),
      onSome: (delay) => Outcome.Retried({ ...cause, delay })
    }
  )

/** A try that costs an attempt, before which everyone on the provider waits. */
const cooled = (outcome: Outcome): Outcome =>
  outcome._tag === "Retried"
    ? Outcome.Cooled({ error: outcome.error, delay: outcome.delay, refunded: false })
    : outcome

/**
 * How an attempt ends after a failure with these consequences. Actions that go on within the attempt (split, bisect, probe,
 * shorten, refuse) never get here from the runner; should one come, it halts rather than loop.
 */
export const ending = (
  failure: Failure,
  { action, report, userMessage }: Pick<Consequence, "action" | "report" | "userMessage">,
  job: Claimed,
  random: number
): Outcome => {
  const cause = { error: { tag: failure._tag, message: userMessage, detail: failure.detail }, report }
  const { error } = cause
  return Match.value(action).pipe(
    Match.withReturnType<Outcome>(),
    Match.tagsExhaustive({
      Retry: ({ policy, retryAfter }) => again(cause, job, random, policy, retryAfter),
      Wait: ({ delay }) =>
        Option.match(delay, {
          onNone: () => cooled(again(cause, job, random, RetryPolicy.job)),
          onSome: (named) =>
            Duration.lessThan(Duration.sum(job.cooled, named), coolingLimit)
              ? Outcome.Cooled({ error, delay: named, refunded: true })
              : cooled(again(cause, job, random, RetryPolicy.job, delay))
        }),
      Park: ({ gate, reason, until }) => Outcome.Parked({ error, gate, reason, until }),
      Split: () => Outcome.Halted(cause),
      Bisect: () => Outcome.Halted(cause),
      Probe: () => Outcome.Halted(cause),
      Shorten: () => Outcome.Halted(cause),
      Refuse: () => Outcome.Halted(cause),
      Halt: () => Outcome.Halted(cause)
    })
  )
}

/** What every database can store, whatever its encoding. */
const ascii = (text: string): string => text.replace(/[^ -~]/g, "?")

/**
 * How an attempt ends whose writes the store refuses, though it is there. What was refused for its value is refused again; in its
 * place stands what the store said, in letters that it cannot refuse.
 */
export const brokenByStore = (failure: StoreFailure, job: Claimed, random: number): Outcome => {
  const cause: Cause = { error: { tag: failure._tag, message: ascii(failure.message), detail: "" }, report: "report" }
  return failure._tag === "StoreRejectedData" ? Outcome.Halted(cause) : again(cause, job, random, RetryPolicy.job)
}

/** How an attempt ends that a bug in the program ended: it is spent, reported, and tried again after the ordinary backoff. */
export const brokenByBug = (said: string, job: Claimed, random: number): Outcome =>
  again(
    {
      error: {
        tag: "bug",
        message: "A bug in the program ended the attempt. The log has more: report it.",
        detail: detail(said)
      },
      report: "report"
    },
    job,
    random,
    RetryPolicy.job
  )
