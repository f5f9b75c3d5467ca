import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ConnectionLimit from "../../../adapters/postgres/driver/ConnectionLimit.js"
import * as Migrate from "../../../adapters/postgres/driver/Migrate.js"
import * as migrations from "../../../adapters/postgres/migrations/all.js"
import * as ServerCheck from "../../../adapters/postgres/driver/ServerCheck.js"
import { CatalogStore } from "../../../domain/catalog/CatalogStore.js"
import { Embedder } from "../../../domain/index/Embedder.js"
import * as EmbedderProfile from "../../../domain/index/EmbedderProfile.js"
import { StoreEmbedder } from "../../../domain/index/StoreEmbedder.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import { Settings } from "../../Settings.js"
import { around } from "../surroundings.js"
import * as Finding from "../Finding.js"
import { commandResult } from "../CommandResult.js"
import { withDatabase, withEmbedding, withStores } from "../provideLayers.js"

type Findings = ReadonlyArray<Finding.Finding>

const settings = Effect.map(Settings, ({ warnings }): Findings => [
  Finding.ok("settings", "All values are allowed."),
  ...warnings.map((warning) => Finding.warn("settings", warning, Option.some("holdfast config show")))
])

/** The server behind the stores, and its schema. The embedded database is not opened where there is none yet. */
const database = Effect.gen(function*() {
  const { databaseSchema, databaseUrl, dataDir, workers } = yield* Settings
  const files = yield* FileSystem.FileSystem
  const isEmbedded = Option.isNone(databaseUrl)
  if (isEmbedded && !(yield* Effect.orElseSucceed(files.exists(dataDir), () => true))) {
    return [
      Finding.warn("database", `There is no data directory ${dataDir} yet.`, Option.some("holdfast index <file|url>"))
    ]
  }
  return yield* withDatabase(Effect.gen(function*() {
    const server = yield* ServerCheck.supported()
    const schema = yield* Effect.either(Migrate.check(migrations.all))
    return [
      ...Finding.ofServer(server, isEmbedded ? Option.some(dataDir) : Option.none(), ConnectionLimit.wanted(workers)),
      Finding.ofSchema(databaseSchema, schema)
    ]
  }))
}).pipe(Effect.catchAll((failure) => Effect.succeed([Finding.ofFailure("database", failure)])))

const mostFailed = 1000

/** What is parked, failed or left behind. */
const work = withStores(Effect.gen(function*() {
  const queue = yield* JobQueue
  const now = yield* around
  const catalogs = yield* (yield* CatalogStore).list
  // What a later job of the key made good is no trouble any more.
  const failed = yield* queue.list({ status: ["failed"], newestOnly: true, limit: mostFailed })
  const open = yield* queue.list({ status: ["pending", "running"], limit: 1000 })
  const lacking = catalogs.filter(({ refused }) => refused > 0)
  return Finding.ofWork(now, { failed, open, lacking })
})).pipe(Effect.catchAll((failure) => Effect.succeed([Finding.ofFailure("jobs", failure)])))

/** Whether the embedder of today is the one that the store uses. */
const vectors = Effect.gen(function*() {
  const settings = EmbedderProfile.of(yield* Embedder)
  return yield* withStores(Effect.gen(function*() {
    const store = yield* StoreEmbedder
    const use = yield* store.find
    if (Option.isNone(use)) return []
    return [Finding.ofUse(use.value, yield* store.headway, settings)]
  }))
})

const embedder = (hasStores: boolean) =>
  withEmbedding(Effect.gen(function*() {
    const one = yield* Embedder
    const probed = yield* Effect.either(one.probe)
    return [...Finding.ofProbe(one, probed), ...(hasStores ? yield* vectors : [])]
  })).pipe(Effect.catchAll((failure) => Effect.succeed([Finding.ofFailure("embedder", failure)])))

export const run = () =>
  Effect.gen(function*() {
    const aboutStore = yield* database
    const hasStores = aboutStore.every(({ check, level }) => level === "ok" || check === "pgvector")
    const found = [
      ...yield* settings,
      ...aboutStore,
      ...(hasStores ? yield* work : []),
      ...yield* embedder(hasStores)
    ]
    return commandResult(
      { checks: found.map(Finding.json) },
      (style) => Finding.lines(style, found),
      Finding.exitCode(found)
    )
  })
