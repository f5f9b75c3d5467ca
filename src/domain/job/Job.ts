import * as Schema from "effect/Schema"
import type { FailureTag } from "../failure/Failure.js"
import { Lease } from "../lease/Lease.js"

/** A job's number, unique within the store. */
export const JobId = Schema.Int.pipe(Schema.positive(), Schema.brand("JobId"))
export type JobId = typeof JobId.Type

/** Stored states. A pending job that stands behind a closed gate or a cooldown is shown as `waiting` (see JobState). */
export const JobStatus = Schema.Literal("pending", "running", "succeeded", "partial", "failed", "cancelled")
export type JobStatus = typeof JobStatus.Type

/** Open jobs can still run; the others are over. */
export const isOpen = (status: JobStatus): boolean => status === "pending" || status === "running"

/** How far a job is: `done` of `total` in units of its kind, and what else the kind counts. A total of 0 is not known. */
export class Progress extends Schema.Class<Progress>("Progress")({
  done: Schema.NonNegativeInt,
  total: Schema.NonNegativeInt,
  detail: Schema.Record({ key: Schema.String, value: Schema.Int })
}) {}

export const noProgress = Progress.make({ done: 0, total: 0, detail: {} })

/** What went wrong last, as stored and shown. `crashed`, `stalled`, `timed-out` and `bug` are the worker's, the rest a provider's, a store's or the kind's. */
export const LastError = Schema.Struct({
  tag: Schema.String,
  message: Schema.String,
  detail: Schema.String,
  at: Schema.DateTimeUtc,
  /** Where the provider is down: the time of the first failure of that kind in a row. */
  since: Schema.optional(Schema.DateTimeUtc)
})
export type LastError = typeof LastError.Type

/** What ended an attempt, as it is stored; the times are the database's. */
export type NewError = Omit<LastError, "at" | "since">

/** The last errors after which a provider counts as down: no answer came, or it said itself that it cannot serve. */
export const downTags = ["Network", "Timeout", "ProviderUnavailable"] as const satisfies ReadonlyArray<FailureTag>

export const isDown = (tag: string): boolean => downTags.some((down) => down === tag)

/** What a job stands behind: the gate and the cooldown of its provider, and the gate of its session. */
export interface Behind {
  readonly provider: string | null
  readonly session: string | null
}

/** One piece of work, with the database's times. At most one job of a kind and a key is open. */
export class Job extends Schema.Class<Job>("Job")({
  id: JobId,
  kind: Schema.String,
  key: Schema.String,
  provider: Schema.NullOr(Schema.String),
  session: Schema.NullOr(Schema.String),
  /** Greater goes first. */
  priority: Schema.Int,
  /** JSON, as its kind encodes it. */
  payload: Schema.Unknown,
  /** What the work depends on beside the payload, such as a document's revision. */
  version: Schema.NullOr(Schema.String),
  /** Counts what the job was asked for: the steps of an earlier run answer nothing. */
  run: Schema.Int,
  status: JobStatus,
  attempts: Schema.Int,
  maxAttempts: Schema.Int,
  /** Claims in a row that ended without a word: the worker died. */
  crashes: Schema.Int,
  /** Waits named by the provider since the last progress, added up. */
  cooled: Schema.DurationFromMillis,
  /** Not claimed before this time. */
  runAt: Schema.DateTimeUtc,
  lease: Schema.OptionFromNullOr(Lease),
  progress: Progress,
  progressAt: Schema.OptionFromNullOr(Schema.DateTimeUtc),
  /** JSON, as its kind encodes it; null until it has succeeded, and where its kind has none. */
  output: Schema.Unknown,
  lastError: Schema.OptionFromNullOr(LastError),
  createdAt: Schema.DateTimeUtc,
  startedAt: Schema.OptionFromNullOr(Schema.DateTimeUtc),
  finishedAt: Schema.OptionFromNullOr(Schema.DateTimeUtc)
}) {}
