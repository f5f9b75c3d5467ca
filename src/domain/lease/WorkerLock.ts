import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Claimable, Wanted } from "./Wanted.js"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { WorkerId } from "./Lease.js"
import type { Tenant } from "../store/Tenant.js"

/** A worker whose lock others look at. */
export interface Registered {
  readonly id: WorkerId
  /**
   * Ends at once while others see the lock, and else when they do again. A job that is claimed without it counts as a dead
   * worker's.
   */
  readonly seen: Effect.Effect<void>
}

/** A worker that lives now, and the kinds of jobs that it runs. */
export interface LivingWorker {
  readonly id: WorkerId
  readonly kinds: ReadonlyArray<Claimable>
}

/** Shows every other process that this worker lives: when it dies its jobs are free at once, long before their leases end. */
export class WorkerLock extends Context.Tag("holdfast/WorkerLock")<WorkerLock, {
  /** Make this process a worker for these tenants and kinds until the scope closes. The id is new each time. */
  readonly register: (wanted: Wanted) => Effect.Effect<Registered, StoreFailure, Scope.Scope>
  /** The tenant's workers that live now, in all processes. One whose connection keeps no locks counts for a day after its start. */
  readonly living: Effect.Effect<ReadonlyArray<LivingWorker>, StoreFailure, Tenant>
}>() {}
