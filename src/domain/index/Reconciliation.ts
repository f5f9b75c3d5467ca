import * as Array from "effect/Array"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { JobId, JobStatus } from "../job/Job.js"
import type { Source } from "./IndexJob.js"

/**
 * What the reconciler opens a job for: a source whose stored vectors do not match its items, and that has no open job. It
 * repairs what was lost on the way; what a person ended stays ended, and what keeps failing is tried ever more rarely.
 */

/** The newest job of a source, and the failures in a row that it ends. */
export interface LastJob {
  readonly id: JobId
  readonly status: JobStatus
  /** Failed jobs since the last one that ended otherwise; zero where the newest did not fail. */
  readonly failures: number
  /** How long ago it ended. */
  readonly endedFor: Duration.Duration
  readonly maxAttempts: number
}

export interface Unmatched {
  readonly source: Source
  readonly last: Option.Option<LastJob>
}

const shortest = Duration.minutes(5)
const longest = Duration.hours(6)

/** How long a source is left alone after so many failed jobs in a row: 5 minutes after one, then twice as long, up to 6 hours. */
export const backoff = (failures: number): Duration.Duration =>
  failures < 1
    ? Duration.zero
    : Duration.min(longest, Duration.times(shortest, 2 ** Math.min(failures - 1, 30)))

/** Whether a job is opened now. After a cancellation never: a person asks for the next one. */
export const isDue = ({ last }: Unmatched): boolean =>
  Option.match(last, {
    onNone: () => true,
    onSome: ({ endedFor, failures, status }) =>
      status !== "cancelled" && Duration.greaterThanOrEqualTo(endedFor, backoff(failures))
  })

/** Those for which a job is opened now. */
export const due = (unmatched: ReadonlyArray<Unmatched>): ReadonlyArray<Unmatched> => Array.filter(unmatched, isDue)
