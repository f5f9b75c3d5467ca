import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Fence, LeaseLost, WorkerId } from "../lease/Lease.js"
import type { Wanted } from "../lease/Wanted.js"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { Tenant } from "../store/Tenant.js"
import type { Behind, Job, JobId, JobStatus, Progress } from "./Job.js"
import type { Outcome } from "./Outcome.js"
import type { NewStep, Step } from "./Step.js"

/** What whoever runs a job knows of it. Plain and small, because a claim reads hundreds of them. */
export interface Claimed extends Behind {
  readonly id: JobId
  readonly kind: string
  readonly key: string
  /** JSON, as its kind encodes it. */
  readonly payload: unknown
  readonly run: number
  readonly attempts: number
  readonly maxAttempts: number
  /** Waits named by the provider since the last progress, added up. */
  readonly cooled: Duration.Duration
  /** When it was first asked for, in microseconds: no job of another store has its number and this time. */
  readonly createdMicros: number
  /** The W3C trace context of whoever enqueued it. */
  readonly trace: string | null
}

/** A claimed job: proof that its holder may work on it, carried by every write. */
export interface Held {
  readonly tenant: string
  readonly job: Claimed
  readonly worker: WorkerId
  readonly fence: Fence
}

/** What a worker asks for. `duration` is the lease's. */
export interface ClaimRequest extends Wanted {
  readonly worker: WorkerId
  readonly slots: number
  readonly duration: Duration.Duration
  /** Only this job; a program that waits for one job uses it. */
  readonly only?: JobId
}

/** A worker, with all that it knows to hold. `duration` is its leases'. */
export interface Disowning {
  readonly worker: WorkerId
  readonly tenants: ReadonlyArray<string>
  readonly held: ReadonlyArray<Held>
  readonly duration: Duration.Duration
}

/** What an enqueue does where a job of the key runs already. */
export const IfRunning = Schema.Literal("again-if-changed", "again", "leave")
export type IfRunning = typeof IfRunning.Type

/** What an enqueue does where the newest job of the key is over. */
export const IfOver = Schema.Literal("open-another", "leave")
export type IfOver = typeof IfOver.Type

/** A job that is asked for. */
export interface NewJob extends Behind {
  /** At most one job of the kind and the key is open; null for a job of its own. */
  readonly key: string | null
  readonly payload: unknown
  readonly version: string | null
  readonly priority: number
  readonly maxAttempts: number
  /** Not before this time; null for at once. */
  readonly runAt: DateTime.Utc | null
  readonly trace: string | null
}

export interface EnqueueRequest {
  readonly kind: string
  /** Of several with one key the last one counts. */
  readonly jobs: ReadonlyArray<NewJob>
  readonly ifRunning: IfRunning
  readonly ifOver: IfOver
}

/** The job of a key, and no more: whoever enqueues waits for the answer, and `find` tells the rest. */
export interface Enqueued {
  readonly id: JobId
  readonly key: string
  /** `running`: it runs again where what was asked for differs. Over: it was left so. */
  readonly status: JobStatus
}

/** How a settled job stands now. `pending` after Completed means: asked for anew while it ran, so it runs again. */
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

/** Which jobs are meant: those that answer to all that is given. */
export interface JobFilter {
  readonly kind?: string
  readonly key?: string
  readonly status?: ReadonlyArray<JobStatus>
}

/** Which jobs are listed, and how many at most. */
export interface JobListing extends JobFilter {
  readonly limit: number
  /** The newest job of each key alone, and not those that it followed. */
  readonly newestOnly?: boolean
}

/** A person asks for another try, or for the end. */
export type Ask = "retry" | "cancel"

/** The queue of jobs. All times are the database's. */
export class JobQueue extends Context.Tag("holdfast/JobQueue")<JobQueue, {
  /**
   * Make sure that each key has an open job, in one statement, and in the caller's transaction where there is one. A pending job
   * takes on what is asked for now and becomes ready; `ifRunning` and `ifOver` say what becomes of the others.
   */
  readonly enqueue: (request: EnqueueRequest) => Effect.Effect<ReadonlyArray<Enqueued>, StoreFailure, Tenant>
  /** Take as many ready jobs as there are slots: by priority, then oldest first, leaving out what stands behind a gate or a cooldown. */
  readonly claim: (request: ClaimRequest) => Effect.Effect<ReadonlyArray<Held>, StoreFailure>
  /**
   * Renew the leases of all these jobs in one statement; answers those that are still held. Jobs of the same claims that are left
   * out run no more: they are freed, as a dead worker's are.
   */
  readonly renew: (
    held: ReadonlyArray<Held>,
    duration: Duration.Duration
  ) => Effect.Effect<ReadonlySet<JobId>, StoreFailure>
  /** Which of these jobs are held no more: a person cancelled them, or a newer claim has them. */
  readonly lost: (held: ReadonlyArray<Held>) => Effect.Effect<ReadonlySet<JobId>, StoreFailure>
  /**
   * End the leases of a worker that it does not know: of a claim whose answer was lost on its way. Their jobs are freed like a dead
   * worker's. Answers how many leases that were.
   */
  readonly disown: (request: Disowning) => Effect.Effect<number, StoreFailure>
  /**
   * Run a write in one transaction that is refused when a newer claim exists, and that no newer claim can come between. It counts as
   * progress: crashes before it are forgiven.
   */
  readonly fenced: <A, E, R>(
    held: Held,
    progress: Option.Option<Progress>,
    write: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | StoreFailure | LeaseLost, R>
  /** Write how an attempt ended. Refused with LeaseLost when a newer claim exists. */
  readonly settle: (held: Held, outcome: Outcome) => Effect.Effect<Settled, StoreFailure | LeaseLost>
  /**
   * Write that attempts of one claim and tenant ended alike, but for their outputs, in one statement: Completed, Released or
   * Cancelled. Answers those that were still held; what is left out belongs to a newer claim.
   */
  readonly settleAll: (
    ends: ReadonlyArray<{ readonly held: Held; readonly outcome: Outcome }>
  ) => Effect.Effect<ReadonlySet<JobId>, StoreFailure>
  /** Whether there are jobs to be freed. Every worker asks each second, and mostly there are none. */
  readonly isReclaimDue: (tenants: ReadonlyArray<string>) => Effect.Effect<boolean, StoreFailure>
  /** Free the jobs whose worker is gone or whose lease ran out; answers how many were freed and how many failed for good. */
  readonly reclaim: (
    tenants: ReadonlyArray<string>
  ) => Effect.Effect<{ readonly freed: number; readonly failed: number }, StoreFailure>
  /** When the next job that is wanted becomes ready, from now; none when there is none. */
  readonly nextReadyIn: (wanted: Wanted) => Effect.Effect<Option.Option<Duration.Duration>, StoreFailure>
  /** The names of the steps that this run of a job has finished. */
  readonly stepNames: (held: Held) => Effect.Effect<ReadonlySet<string>, StoreFailure>
  /** The stored result of a finished step of this run, as JSON. */
  readonly stepResult: (held: Held, name: string) => Effect.Effect<unknown, StoreFailure>
  /** Store a finished step, under the fence; it counts as progress. */
  readonly storeStep: (held: Held, step: NewStep) => Effect.Effect<void, StoreFailure | LeaseLost>
  /** The finished steps of a job's present run, in the order in which they ended, at most so many. */
  readonly steps: (id: JobId, limit: number) => Effect.Effect<ReadonlyArray<Step>, StoreFailure, Tenant>
  readonly find: (id: JobId) => Effect.Effect<Job, StoreFailure | JobNotFound, Tenant>
  /** Newest first. */
  readonly list: (
    listing: JobListing
  ) => Effect.Effect<ReadonlyArray<Job>, StoreFailure, Tenant>
  /** A person asks for another try: attempts start anew, at once. */
  readonly retry: (id: JobId) => Effect.Effect<Job, StoreFailure | JobNotFound | JobStateConflict, Tenant>
  readonly cancel: (id: JobId) => Effect.Effect<Job, StoreFailure | JobNotFound | JobStateConflict, Tenant>
  /** How many jobs `askAll` would concern now. */
  readonly countFor: (ask: Ask, filter: JobFilter) => Effect.Effect<number, StoreFailure, Tenant>
  /** Retry, or cancel, all jobs that are meant and can be; only the newest of a key is retried. Answers how many. */
  readonly askAll: (ask: Ask, filter: JobFilter) => Effect.Effect<number, StoreFailure, Tenant>
}>() {}
