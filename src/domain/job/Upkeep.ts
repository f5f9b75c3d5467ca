import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { JobId, SourceRef } from "./Job.js"
import type { Unmatched } from "../index/Reconciliation.js"
import type { Tenant } from "../store/Tenant.js"

/** A job that the reconciler wants. `after` is the newest job that it saw of the source; null where it saw none. */
export interface Opening {
  readonly source: SourceRef
  readonly provider: string
  readonly maxAttempts: number
  readonly after: JobId | null
}

/** The space of the embedder that serves. Where it names no dimension, that of its model's stored vectors counts. */
export interface ServedSpace {
  readonly model: string
  readonly dimension: number | null
  readonly chunkWords: number
}

/** What keeps the queue right and small, beside the work itself. All times are the database's. */
export class Upkeep extends Context.Tag("holdfast/Upkeep")<Upkeep, {
  /** Whether a task that all processes share is this process's to do now: true once in `every`, over all of them. */
  readonly isTurn: (task: string, every: Duration.Duration) => Effect.Effect<boolean, StoreFailure, Tenant>
  /**
   * The sources without an open job whose stored vectors are not those of their items in this space: an item is neither
   * current nor refused, a removed one still stands, or another space serves.
   */
  readonly unmatched: (space: ServedSpace) => Effect.Effect<ReadonlyArray<Unmatched>, StoreFailure, Tenant>
  /** Mend what says when pending jobs are to be claimed, so that none is overlooked. Answers how many were. */
  readonly lineUp: Effect.Effect<number, StoreFailure, Tenant>
  /** Open these jobs, but for sources that have an open or a newer job by now. Answers how many were opened. */
  readonly open: (openings: ReadonlyArray<Opening>) => Effect.Effect<number, StoreFailure, Tenant>
  /**
   * Remove at most `limit` closed jobs that ended longer ago than this, the oldest first. A failed job that is the newest of
   * a source which still exists is never removed. Answers how many went.
   */
  readonly prune: (olderThan: Duration.Duration, limit: number) => Effect.Effect<number, StoreFailure, Tenant>
}>() {}
