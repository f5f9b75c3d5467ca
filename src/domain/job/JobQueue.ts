import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Fence, LeaseLost, WorkerId } from "../lease/Lease.js"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { Job, JobId, JobStatus, SourceRef } from "./Job.js"
import type { Outcome } from "./Outcome.js"
import type { Tenant } from "../store/Tenant.js"

/** What whoever runs a job knows of it. Plain and small, because a claim reads hundreds of them. */
export interface Claimed {
  readonly id: JobId
  readonly source: Pick<SourceRef, "kind" | "id">
  readonly attempts: number
  readonly maxAttempts: number
  /** Waits named by the provider since the last progress, added up. */
  readonly cooled: Duration.Duration
}

/** A claimed job: proof that its holder may work on it, carried by every write. */
export interface Held {
  readonly job: Claimed
  readonly worker: WorkerId
  readonly fence: Fence
}

/** What a worker asks for. `duration` is the lease's. */
export interface ClaimRequest {
  readonly worker: WorkerId
  readonly slots: number
  readonly duration: Duration.Duration
  /** Only jobs that wait for this provider; others are not this worker's to do. */
  readonly provider?: string
  /** Only this job; a program that waits for one job uses it. */
  readonly only?: JobId
}

export interface EnqueueRequest {
  readonly source: Pick<SourceRef, "kind" | "id">
  readonly provider: string
  readonly maxAttempts: number
  /** Embed all anew, also what is stored already. */
  readonly force: boolean
}

/** The open job of a source, and no more: whoever enqueues waits for the answer, and `find` tells the rest. */
export interface Enqueued {
  readonly id: JobId
  /** `running`: it runs again where the source was edited, or all is to be embedded anew. */
  readonly status: JobStatus
}

/** How a settled job stands now. `pending` after Completed means: edited while it ran, so it runs again. */
export interface Settled {
  readonly status: JobStatus
  readonly runAt: Option.Option<Date>
}

export class JobNotFound extends Schema.TaggedError<JobNotFound>()("JobNotFound", { job: Schema.Number }) {
  override get message(): string {
    return `There is no job ${this.job}. "holdfast jobs list" shows all jobs.`
  }
}

/** The job cannot do what was asked in its present state. */
export class JobStateConflict extends Schema.TaggedError<JobStateConflict>()("JobStateConflict", {
  job: Schema.Number,
  status: Schema.String,
  asked: Schema.String
}) {
  override get message(): string {
    return `Job ${this.job} is ${this.status} and cannot be ${this.asked}.`
  }
}

export interface JobFilter {
  readonly status?: ReadonlyArray<JobStatus>
  readonly source?: SourceRef
  readonly limit: number
}

/** The queue of index jobs. All times are the database's. */
export class JobQueue extends Context.Tag("holdfast/JobQueue")<JobQueue, {
  /** Make sure that the source has an open job, and that it starts again when it is running now. */
  readonly enqueue: (request: EnqueueRequest) => Effect.Effect<Enqueued, StoreFailure, Tenant>
  /** Take as many ready jobs as there are slots, oldest first, leaving out what stands behind a gate or a cooldown. */
  readonly claim: (request: ClaimRequest) => Effect.Effect<ReadonlyArray<Held>, StoreFailure, Tenant>
  /**
   * Renew the leases of all these jobs in one statement; answers those that are still held. Jobs of the same claims that are left
   * out run no more: they are freed, as a dead worker's are.
   */
  readonly renew: (
    held: ReadonlyArray<Held>,
    duration: Duration.Duration
  ) => Effect.Effect<ReadonlySet<JobId>, StoreFailure, Tenant>
  /** Write how an attempt ended. Refused with LeaseLost when a newer claim exists. */
  readonly settle: (held: Held, outcome: Outcome) => Effect.Effect<Settled, StoreFailure | LeaseLost, Tenant>
  /**
   * Write that attempts of one claim, all under one fence, ended alike, in one statement. Answers those that were still held;
   * what is left out belongs to a newer claim.
   */
  readonly settleAll: (
    held: ReadonlyArray<Held>,
    outcome: Outcome
  ) => Effect.Effect<ReadonlySet<JobId>, StoreFailure, Tenant>
  /** Whether there are jobs to be freed. Every worker asks each second, and mostly there are none. */
  readonly isReclaimDue: Effect.Effect<boolean, StoreFailure, Tenant>
  /** Free the jobs whose worker is gone or whose lease ran out; answers how many were freed and how many failed for good. */
  readonly reclaim: Effect.Effect<{ readonly freed: number; readonly failed: number }, StoreFailure, Tenant>
  /** When the next pending job (of this provider) becomes ready, from now; none when there is none. */
  readonly nextReadyIn: (provider?: string) => Effect.Effect<Option.Option<Duration.Duration>, StoreFailure, Tenant>
  readonly find: (id: JobId) => Effect.Effect<Job, StoreFailure | JobNotFound, Tenant>
  /** Newest first. */
  readonly list: (filter: JobFilter) => Effect.Effect<ReadonlyArray<Job>, StoreFailure, Tenant>
  /** A person asks for another try: attempts start anew, at once, and what was refused is asked for again. */
  readonly retry: (id: JobId) => Effect.Effect<Job, StoreFailure | JobNotFound | JobStateConflict, Tenant>
  readonly cancel: (id: JobId) => Effect.Effect<Job, StoreFailure | JobNotFound | JobStateConflict, Tenant>
}>() {}
