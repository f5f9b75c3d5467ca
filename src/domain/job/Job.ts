import * as Schema from "effect/Schema"
import { Failure } from "../failure/Failure.js"
import type { FailureTag } from "../failure/Failure.js"
import { Lease } from "../lease/Lease.js"

/** A job's number, unique within the tenant. */
export const JobId = Schema.Int.pipe(Schema.positive(), Schema.brand("JobId"))
export type JobId = typeof JobId.Type

/** What kind of thing is indexed. */
export const SourceKind = Schema.Literal("catalog", "memory")
export type SourceKind = typeof SourceKind.Type

/** What a job indexes: at most one open job each. */
export class SourceRef extends Schema.Class<SourceRef>("SourceRef")({
  kind: SourceKind,
  id: Schema.NonEmptyString
}) {}

/** Stored states. A pending job that stands behind a closed gate or a cooldown is shown as `waiting` (see SourceState). */
export const JobStatus = Schema.Literal("pending", "running", "succeeded", "partial", "failed", "cancelled")
export type JobStatus = typeof JobStatus.Type

/** Open jobs can still run; the others are history. */
export const isOpen = (status: JobStatus): boolean => status === "pending" || status === "running"

/** Items of the source: `done` of `items` have their vectors, by a call (`embedded`) or without (`reused`). */
export class Progress extends Schema.Class<Progress>("Progress")({
  items: Schema.Int,
  embedded: Schema.Int,
  reused: Schema.Int,
  refused: Schema.Int
}) {}

export const noProgress = Progress.make({ items: 0, embedded: 0, reused: 0, refused: 0 })

/** Items that need nothing more. */
export const done = (progress: Progress): number => progress.embedded + progress.reused + progress.refused

/** What went wrong last, as stored and shown. `crashed`, `stalled` and `bug` are the worker's, the rest a provider's or a store's. */
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

/** One row of the queue, with the database's times. */
export class Job extends Schema.Class<Job>("Job")({
  id: JobId,
  source: SourceRef,
  provider: Schema.String,
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
  lastError: Schema.OptionFromNullOr(LastError),
  /** Set where the whole index was asked for anew: vectors written before this time do not count. */
  forcedAt: Schema.OptionFromNullOr(Schema.DateTimeUtc),
  createdAt: Schema.DateTimeUtc,
  startedAt: Schema.OptionFromNullOr(Schema.DateTimeUtc),
  finishedAt: Schema.OptionFromNullOr(Schema.DateTimeUtc)
}) {}

/** An item that its provider would not take, with the reason. */
export class Refusal extends Schema.Class<Refusal>("Refusal")({
  item: Schema.String,
  itemHash: Schema.String,
  failure: Failure
}) {}
