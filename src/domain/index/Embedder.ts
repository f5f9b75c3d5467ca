import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Failure } from "../failure/Failure.js"
import type { Vector } from "./Vector.js"

/** What a probe found. It never loads a model: `modelKnown` is none where the server does not tell. */
export interface Probe {
  readonly took: Duration.Duration
  readonly modelKnown: Option.Option<boolean>
  readonly detail: string
}

/**
 * Turns texts into vectors. One call of `embed` is one request on the wire, or a second one where the server refused how the first
 * was put. All vectors are of one model: an answer of another is a failure.
 */
export class Embedder extends Context.Tag("holdfast/Embedder")<Embedder, {
  /** The name that gates and cooldowns are kept by: the kind, unless settings name another. */
  readonly provider: string
  readonly model: string
  /** How the answers of this process call their model: none before the first. Left out where they never say. */
  readonly answersAs?: Effect.Effect<Option.Option<string>>
  /** As configured, or known beforehand; none until a first vector shows it. */
  readonly dimension: Option.Option<number>
  /** Calls that may be under way at once in this process. */
  readonly concurrency: number
  /** The longest chunk that the model reads well, in words. */
  readonly chunkWords: number
  /** One vector for each text, in order, checked by `Vector.check` (count, one dimension, finite, norm > 0). */
  readonly embed: (texts: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Vector>, Failure>
  /** Is it there, and does it know the model? Has its own time limit. */
  readonly probe: Effect.Effect<Probe, Failure>
}>() {}
