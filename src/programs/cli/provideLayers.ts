import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { join } from "node:path"
import { StoreMissing } from "../../domain/store/StoreFailure.js"
import { Settings } from "../Settings.js"
import type * as Wiring from "../Wiring.js"

const wiring = Effect.promise(() => import("../Wiring.js"))

/** Whether the embedded database has files already. Where the path is no directory at all, opening it says what it is. */
const isMissing = Effect.gen(function*() {
  const { databaseUrl, dataDir } = yield* Settings
  const files = yield* FileSystem.FileSystem
  if (Option.isSome(databaseUrl)) return false
  const isLink = Effect.isSuccess(files.readLink(dataDir))
  return yield* Effect.matchEffect(files.stat(dataDir), {
    onFailure: () => Effect.map(isLink, (dangling) => !dangling),
    onSuccess: ({ type }) =>
      type === "Directory"
        ? Effect.map(Effect.orElseSucceed(files.exists(join(dataDir, "postgres")), () => true), (there) => !there)
        : Effect.succeed(false)
  })
})

/** For what reads: fails where there is no store yet, and makes none. */
const inFoundStore = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    if (yield* isMissing) return yield* new StoreMissing({ directory: (yield* Settings).dataDir })
    return yield* effect
  })

/** Run with the database alone, whatever its schema. */
export const withDatabase = <A, E, R>(effect: Effect.Effect<A, E, R | Layer.Layer.Success<typeof Wiring.Database>>) =>
  Effect.flatMap(wiring, ({ Database }) => Effect.provide(effect, Database))

/** Run with the stores alone, which have to be there. The layers are loaded when they are needed: most of a start is loading. */
export const withStores = <A, E, R>(effect: Effect.Effect<A, E, R | Layer.Layer.Success<typeof Wiring.Stores>>) =>
  inFoundStore(Effect.flatMap(wiring, ({ Stores }) => Effect.provide(effect, Stores)))

/** Run with everything, where the stores are there already. */
export const withFoundApp = <A, E, R>(effect: Effect.Effect<A, E, R | Layer.Layer.Success<typeof Wiring.App>>) =>
  inFoundStore(withApp(effect))

/** Run with everything: stores, embedder, sources. Makes the stores where there are none. */
export const withApp = <A, E, R>(effect: Effect.Effect<A, E, R | Layer.Layer.Success<typeof Wiring.App>>) =>
  Effect.flatMap(wiring, ({ App }) => Effect.provide(effect, App))

/** Run with the embedder alone. */
export const withEmbedding = <A, E, R>(effect: Effect.Effect<A, E, R | Layer.Layer.Success<typeof Wiring.Embedding>>) =>
  Effect.flatMap(wiring, ({ Embedding }) => Effect.provide(effect, Embedding))

/** Run with files and URLs alone. */
export const withSources = <A, E, R>(effect: Effect.Effect<A, E, R | Layer.Layer.Success<typeof Wiring.Sources>>) =>
  Effect.flatMap(wiring, ({ Sources }) => Effect.provide(effect, Sources))
