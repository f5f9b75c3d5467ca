import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Wiring from "../Wiring.js"

const wiring = Effect.promise(() => import("../Wiring.js"))

/** Run with the database alone, whatever its schema. */
export const withDatabase = <A, E, R>(effect: Effect.Effect<A, E, R | Layer.Layer.Success<typeof Wiring.Database>>) =>
  Effect.flatMap(wiring, ({ Database }) => Effect.provide(effect, Database))

/** Run with the stores alone. The layers are loaded when they are needed: most of a start is loading. */
export const withStores = <A, E, R>(effect: Effect.Effect<A, E, R | Layer.Layer.Success<typeof Wiring.Stores>>) =>
  Effect.flatMap(wiring, ({ Stores }) => Effect.provide(effect, Stores))

/** Run with everything: stores, embedder, sources. */
export const withApp = <A, E, R>(effect: Effect.Effect<A, E, R | Layer.Layer.Success<typeof Wiring.App>>) =>
  Effect.flatMap(wiring, ({ App }) => Effect.provide(effect, App))

/** Run with the embedder alone. */
export const withEmbedding = <A, E, R>(effect: Effect.Effect<A, E, R | Layer.Layer.Success<typeof Wiring.Embedding>>) =>
  Effect.flatMap(wiring, ({ Embedding }) => Effect.provide(effect, Embedding))

/** Run with files and URLs alone. */
export const withSources = <A, E, R>(effect: Effect.Effect<A, E, R | Layer.Layer.Success<typeof Wiring.Sources>>) =>
  Effect.flatMap(wiring, ({ Sources }) => Effect.provide(effect, Sources))
