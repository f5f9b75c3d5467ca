import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { VectorSpace } from "../index/IndexStore.js"
import type { Vector } from "../index/Vector.js"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { Tenant } from "../store/Tenant.js"
import type { Served } from "./Served.js"

/** Filters hold for every leg of a search. */
export interface SearchFilter {
  readonly catalog?: string
}

/** One item found by one leg, best first. `score` is the leg's own: a cosine, or a full-text rank. */
export interface LegHit {
  readonly catalog: string
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly score: number
}

/** The two legs of a search. */
export class SearchIndex extends Context.Tag("holdfast/SearchIndex")<SearchIndex, {
  readonly lexical: (
    words: string,
    filter: SearchFilter,
    limit: number
  ) => Effect.Effect<ReadonlyArray<LegHit>, StoreFailure, Tenant>
  /** In the catalogs that this space serves, or that had no complete run yet. Each item counts by its best chunk. */
  readonly semantic: (
    vector: Vector,
    space: VectorSpace,
    filter: SearchFilter,
    limit: number
  ) => Effect.Effect<ReadonlyArray<LegHit>, StoreFailure, Tenant>
  /**
   * The catalogs that the filter admits, by name, each with the space that serves it. One that had no complete run yet is judged
   * by the vectors that this model has made of these chunks.
   */
  readonly served: (
    filling: Pick<VectorSpace, "model" | "chunkWords">,
    filter: SearchFilter
  ) => Effect.Effect<ReadonlyArray<Served>, StoreFailure, Tenant>
}>() {}
