import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Failure } from "../failure/Failure.js"
import type { LeaseLost } from "../lease/Lease.js"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { Progress } from "./Job.js"
import type { Claimed, Held } from "./JobQueue.js"
import type { Outcome } from "./Outcome.js"
import type { StepProblem } from "./Step.js"

/** The work failed, and no provider is to blame: the job's own retry policy decides, unless trying again is useless. */
export class JobFailed extends Schema.TaggedError<JobFailed>()("JobFailed", {
  message: Schema.String,
  detail: Schema.optionalWith(Schema.String, { default: () => "" }),
  /** Another attempt would fail alike. */
  permanent: Schema.optionalWith(Schema.Boolean, { default: () => false })
}) {}

/** A handler ends its attempt by an outcome of its own choosing. */
export class Ended extends Data.TaggedError("Ended")<{ readonly outcome: Outcome }> {}

/** How a handler may fail; everything else is a defect, which ends the attempt as a bug. */
export type HandlerFailure = Failure | JobFailed | Ended | StepProblem | LeaseLost | StoreFailure

/** What a handler is given beside its payload. */
export interface Run {
  readonly job: Claimed
  /** The claim itself, for stores that check the fence in statements of their own. */
  readonly held: Held
  /** Says that such a statement went through: the job got on. */
  readonly gotOn: Effect.Effect<void>
  /**
   * Ends when the job is to give way: its worker stops, or it has had its time and others wait. Whoever hears it stores what is under
   * way and ends as Released; who does not is interrupted a little later, or goes on.
   */
  readonly stop: Effect.Effect<void>
  /** Says how far the job is. A job without progress for an hour is ended as stalled. */
  readonly progress: (progress: Progress) => Effect.Effect<void, LeaseLost | StoreFailure>
  /** Runs a write in one transaction that is refused when a newer claim exists, and moves the progress with it. */
  readonly fenced: <A, E, R>(
    write: Effect.Effect<A, E, R>,
    progress?: Progress
  ) => Effect.Effect<A, E | LeaseLost | StoreFailure, R>
  /**
   * Runs the effect once in this run of the job: its result is stored, at most 1 MiB as JSON, and a later attempt answers from there.
   * Names are unique within a job. The effect may be given the idempotency key, for whom it calls.
   */
  readonly step: <A, I, E, R>(
    name: string,
    result: Schema.Schema<A, I>,
    effect: Effect.Effect<A, E, R> | ((idempotencyKey: string) => Effect.Effect<A, E, R>)
  ) => Effect.Effect<A, E | StepProblem | LeaseLost | StoreFailure, R>
  /** The same key each time that this step of this job is run again. */
  readonly idempotencyKey: (step: string) => string
}
