import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { Tenant } from "../store/Tenant.js"
import type { EmbedderProfile } from "./EmbedderProfile.js"
import type { EmbedderUse } from "./EmbedderUse.js"

/** What a change to an embedder would take: equal texts are one. */
export interface Estimate {
  readonly sources: number
  readonly texts: number
  /** Of these texts, those whose vectors are stored already. */
  readonly stored: number
}

/** How far a change is. A source has moved when it is served by vectors of the embedder that the store uses. */
export interface Headway {
  readonly sources: number
  readonly moved: number
  /** Items of all sources, those of them that are done, and those of the done ones that were refused. */
  readonly items: number
  readonly done: number
  readonly refused: number
  /** Sources that have not moved and whose newest job gave up. */
  readonly failed: number
}

/** Which embedder the store uses (see EmbedderUse). */
export class StoreEmbedder extends Context.Tag("holdfast/StoreEmbedder")<StoreEmbedder, {
  /** None before the first index. A dimension that vectors of its model have already is known. */
  readonly find: Effect.Effect<Option.Option<EmbedderUse>, StoreFailure, Tenant>
  /** Use this one where the store has no source or names none yet. Answers what is used from now on. */
  readonly adopt: (profile: EmbedderProfile) => Effect.Effect<EmbedderUse, StoreFailure, Tenant>
  /** Use this one from now on, whatever is used now: open jobs wait for its provider. Answers the same when asked again. */
  readonly change: (to: EmbedderProfile) => Effect.Effect<EmbedderUse, StoreFailure, Tenant>
  /**
   * Keep how the answers of an embedder, by its qualified model, name their model, where nobody has; answers the name that is
   * kept. Of an embedder that the store neither uses nor leaves nothing is kept.
   */
  readonly named: (qualified: string, answersAs: string) => Effect.Effect<string, StoreFailure, Tenant>
  readonly estimate: (to: EmbedderProfile) => Effect.Effect<Estimate, StoreFailure, Tenant>
  readonly headway: Effect.Effect<Headway, StoreFailure, Tenant>
  /** Give the open jobs to the provider that is used, whoever asked for them. Answers how many waited for another. */
  readonly redirect: Effect.Effect<number, StoreFailure, Tenant>
  /**
   * Where all sources have moved: remove, in small transactions, what the embedders that were left have made, and then forget
   * them. Answers whether nothing of a change is left.
   */
  readonly retire: Effect.Effect<boolean, StoreFailure, Tenant>
}>() {}
