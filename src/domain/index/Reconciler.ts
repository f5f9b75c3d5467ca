import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { JobId } from "../job/Job.js"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { Tenant } from "../store/Tenant.js"
import type { Source } from "./IndexJob.js"
import type { Unmatched } from "./Reconciliation.js"

/** A job that the reconciler wants. `after` is the newest job that it saw of the source; null where it saw none. */
export interface Opening {
  readonly source: Source
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

/** Finds sources that lost their vectors on the way, and opens jobs for them. */
export class Reconciler extends Context.Tag("holdfast/Reconciler")<Reconciler, {
  /**
   * The sources without an open job whose stored vectors are not those of their items in this space: an item is neither
   * current nor refused, a removed one still stands, or another space serves.
   */
  readonly unmatched: (space: ServedSpace) => Effect.Effect<ReadonlyArray<Unmatched>, StoreFailure, Tenant>
  /** Open these jobs, but for sources that have an open or a newer job by now. Answers how many were opened. */
  readonly open: (openings: ReadonlyArray<Opening>) => Effect.Effect<number, StoreFailure, Tenant>
}>() {}
