import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { Tenant } from "../store/Tenant.js"

/** What keeps the queue right and small, beside the work itself. All times are the database's. */
export class Maintenance extends Context.Tag("holdfast/Maintenance")<Maintenance, {
  /** Whether a task that all processes share is this process's to do now: true once in `every`, over all of them. */
  readonly claimTask: (task: string, every: Duration.Duration) => Effect.Effect<boolean, StoreFailure, Tenant>
  /** Mend what says when pending jobs are to be claimed, so that none is overlooked. Answers how many were. */
  readonly repairPending: Effect.Effect<number, StoreFailure, Tenant>
  /**
   * Remove at most `limit` jobs that ended longer ago than this, the oldest first, with their steps. A failed job that is the newest
   * of its key is never removed, unless what it was for is gone. Answers how many went.
   */
  readonly prune: (olderThan: Duration.Duration, limit: number) => Effect.Effect<number, StoreFailure, Tenant>
}>() {}
