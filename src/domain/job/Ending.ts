import * as Duration from "effect/Duration"
import * as Inspectable from "effect/Inspectable"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import type { Consequence, ReportPolicy } from "../failure/Consequence.js"
import type { Failure } from "../failure/Failure.js"
import { detail } from "../failure/scrub.js"
import * as RetryPolicy from "../retry/RetryPolicy.js"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { NewError } from "./Job.js"
import type { Claimed } from "./JobQueue.js"
import { Outcome } from "./Outcome.js"
import type { JobFailed } from "./Run.js"
import type { StepProblem } from "./Step.js"
import * as Storable from "../text/Storable.js"

/** How long a provider's named waits may add up before they cost attempts. */
export const coolingLimit = Duration.hours(1)

/** What a failed attempt is stored with, and who hears of it. */
interface Cause {
  readonly error: NewError
  readonly report: ReportPolicy
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
const cooled = (outcome: Outcome, provider: string): Outcome =>
  outcome._tag === "Retried"
    ? Outcome.Cooled({ error: outcome.error, delay: outcome.delay, refunded: false, provider })
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
  const { provider } = failure
  return Match.value(action).pipe(
    Match.withReturnType<Outcome>(),
    Match.tagsExhaustive({
      Retry: ({ policy, retryAfter }) => again(cause, job, random, policy, retryAfter),
      Wait: ({ delay }) =>
        Option.match(delay, {
          onNone: () => cooled(again(cause, job, random, RetryPolicy.job), provider),
          onSome: (named) =>
            Duration.lessThan(Duration.sum(job.cooled, named), coolingLimit)
              ? Outcome.Cooled({ error, delay: named, refunded: true, provider })
              : cooled(again(cause, job, random, RetryPolicy.job, delay), provider)
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

/** Causes of a defect that are told. */
const mostCauses = 3

/** What a defect says of itself, and of what caused it: a database's client tells only there what was wrong. */
export const wordsOf = (defect: unknown, causes = mostCauses): string => {
  if (!(defect instanceof Error)) return Inspectable.toStringUnknown(defect)
  const own = `${defect.name}: ${defect.message}`
  return defect.cause === undefined || causes === 0 ? own : `${own} (${wordsOf(defect.cause, causes - 1)})`
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

/** How an attempt ends that its own work failed: no provider is asked about, the job's retry policy decides. */
export const failed = (failure: JobFailed, job: Claimed, random: number): Outcome => {
  const cause: Cause = {
    error: {
      tag: "job-failed",
      message: Storable.cut(Storable.clean(failure.message), 1000),
      detail: detail(failure.detail)
    },
    report: "on-exhaustion"
  }
  return failure.permanent ? Outcome.Halted({ ...cause, report: "report" }) : again(cause, job, random, RetryPolicy.job)
}

/** How an attempt ends one of whose steps cannot be. The next one would meet the same. */
export const brokenStep = (problem: StepProblem): Outcome =>
  Outcome.Halted({ error: { tag: "step", message: problem.message, detail: detail(problem.detail) }, report: "report" })

const cutShort = (tag: string, message: string, job: Claimed, random: number): Outcome =>
  again({ error: { tag, message, detail: "" }, report: "on-exhaustion" }, job, random, RetryPolicy.job)

/** How an attempt ends that made no progress for so long. */
export const stalled = (after: Duration.Duration, job: Claimed, random: number): Outcome =>
  cutShort(
    "stalled",
    `The job made no progress for ${Duration.format(after)}, so the attempt was ended.`,
    job,
    random
  )

/** How an attempt ends that took longer than its kind allows. */
export const timedOut = (limit: Duration.Duration, job: Claimed, random: number): Outcome =>
  cutShort("timed-out", `The attempt took longer than ${Duration.format(limit)}, so it was ended.`, job, random)
