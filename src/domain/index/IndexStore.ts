import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Progress } from "../job/Job.js"
import type { HeldSource, Source } from "./IndexJob.js"
import type { Refusal } from "./SourceRef.js"
import type { LeaseLost } from "../lease/Lease.js"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { Vector } from "./Vector.js"
import type { Tenant } from "../store/Tenant.js"

/** Which vectors are meant: two models' numbers never mix, and chunks of two sizes stand side by side. */
export interface VectorSpace {
  /** The model's qualified name (see EmbedderProfile). */
  readonly model: string
  readonly dimension: number
  readonly chunkWords: number
}

/** An item of the source whose vectors are missing or older than its text. `hash` is the SHA-256 of the text, in hex. */
export interface PendingItem {
  readonly id: string
  readonly position: number
  readonly text: string
  readonly hash: string
}

/** One vector by the hash of the text that it was made from. */
export interface NewVector {
  readonly hash: string
  readonly vector: Vector
}

/** All chunks of one item, in order, by their texts' hashes. */
export interface IndexedItem {
  readonly id: string
  readonly hash: string
  readonly chunks: ReadonlyArray<string>
}

/** What one transaction writes: new vectors, items that are complete by them, items refused, and the progress. */
export interface Batch {
  readonly vectors: ReadonlyArray<NewVector>
  readonly items: ReadonlyArray<IndexedItem>
  readonly refusals: ReadonlyArray<Refusal>
  readonly progress: Progress
}

/** The stored vectors of a source, written under its job's lease. */
export class IndexStore extends Context.Tag("holdfast/IndexStore")<IndexStore, {
  /** The dimension that vectors of this model have in the store; null where there are none. */
  readonly dimensionOf: (model: string) => Effect.Effect<number | null, StoreFailure, Tenant>
  /**
   * How many items the source has, and how many of them need nothing more in this space. An item whose vectors went missing
   * needs them again.
   */
  readonly counts: (
    held: HeldSource,
    space: VectorSpace
  ) => Effect.Effect<
    { readonly items: number; readonly current: number; readonly refused: number },
    StoreFailure,
    Tenant
  >
  /** The next items that need vectors, by position, after the given one. */
  readonly pending: (
    held: HeldSource,
    space: VectorSpace,
    after: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<PendingItem>, StoreFailure, Tenant>
  /** Which of these hashes have a usable vector already, wherever in the store the same text stands. */
  readonly known: (
    held: HeldSource,
    space: VectorSpace,
    hashes: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlySet<string>, StoreFailure, Tenant>
  /** The items of a source that are left out as they stand now, each with its reason. */
  readonly refusals: (source: Source, limit: number) => Effect.Effect<ReadonlyArray<Refusal>, StoreFailure, Tenant>
  /** Write a batch in one transaction, under the fence. */
  readonly persist: (
    held: HeldSource,
    space: VectorSpace,
    batch: Batch
  ) => Effect.Effect<void, StoreFailure | LeaseLost, Tenant>
  /**
   * Make the stored set equal the source's set, in one transaction, under the fence. `incomplete` where items are not current, or the
   * store has moved to another embedder: whatever served goes on serving. `gone` where the source is.
   */
  readonly equalise: (
    held: HeldSource,
    space: VectorSpace,
    progress: Progress
  ) => Effect.Effect<"complete" | "incomplete" | "gone", StoreFailure | LeaseLost, Tenant>
  /** Ask again for what was refused of a source; answers how many items that are. */
  readonly forgetRefusals: (source: Source) => Effect.Effect<number, StoreFailure, Tenant>
}>() {}
