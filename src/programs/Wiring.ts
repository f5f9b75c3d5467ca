import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RcMap from "effect/RcMap"
import * as Schema from "effect/Schema"
import * as Fingerprint from "../adapters/crypto/Fingerprint.js"
import * as CatalogStore from "../adapters/postgres/index/CatalogStore.js"
import * as Gates from "../adapters/postgres/gates/Gates.js"
import * as IndexStore from "../adapters/postgres/index/IndexStore.js"
import * as JobQueue from "../adapters/postgres/jobs/JobQueue.js"
import * as ConnectionLimit from "../adapters/postgres/driver/ConnectionLimit.js"
import * as Migrate from "../adapters/postgres/driver/Migrate.js"
import * as migrations from "../adapters/postgres/migrations/all.js"
import * as Pacer from "../adapters/postgres/gates/Pacer.js"
import * as SearchIndex from "../adapters/postgres/search/SearchIndex.js"
import * as StoreEmbedder from "../adapters/postgres/embedder/StoreEmbedder.js"
import * as ServerCheck from "../adapters/postgres/driver/ServerCheck.js"
import { named, Tables } from "../adapters/postgres/driver/Tables.js"
import * as Maintenance from "../adapters/postgres/maintenance/Maintenance.js"
import * as Reconciler from "../adapters/postgres/index/Reconciler.js"
import * as WakeUps from "../adapters/postgres/jobs/WakeUps.js"
import * as WorkerLock from "../adapters/postgres/jobs/WorkerLock.js"
import * as SourceReader from "../adapters/source/SourceReader.js"
import { SourceSettings } from "../adapters/source/SourceSettings.js"
import { Embedder } from "../domain/index/Embedder.js"
import { EmbedderConfig, EmbedderKind } from "../domain/index/EmbedderConfig.js"
import * as EmbedderProfile from "../domain/index/EmbedderProfile.js"
import { OtherEmbedders } from "../domain/index/OtherEmbedders.js"
import { JobKinds } from "../domain/job/JobKinds.js"
import { MaxAttempts } from "../domain/job/MaxAttempts.js"
import { Tenant } from "../domain/store/Tenant.js"
import { IndexSettings } from "./flows/index/IndexSettings.js"
import { WorkerSettings } from "./flows/work/WorkerLoop.js"
import * as Settings from "./Settings.js"

/** The only place where layers are composed. Each is a constant: provided once, built once. */

const Connection = Layer.unwrapEffect(Effect.gen(function*() {
  const { databaseUrl, dataDir, workers } = yield* Settings.Settings
  if (Option.isNone(databaseUrl)) {
    const Pglite = yield* Effect.promise(() => import("../adapters/pglite/Client.js"))
    return Pglite.layer(dataDir)
  }
  const Client = yield* Effect.promise(() => import("../adapters/postgres/driver/Client.js"))
  return Client.layer(Client.settings(databaseUrl.value, { maxConnections: ConnectionLimit.pool(workers) }))
}))

/** The tenant and the schema that the settings name: also for whoever brings an SQL client of their own. */
export const Tenancy = Layer.merge(
  Layer.effect(Tenant, Effect.map(Settings.Settings, ({ tenant }) => tenant)),
  Layer.effect(Tables, Effect.map(Settings.Settings, ({ databaseSchema }) => named(databaseSchema)))
)

/**
 * The database that the settings name: a server where there is a URL, else the embedded one in the data directory. With the
 * names of our tables, and with the tenant, for whoever works beside the stores in SQL of their own.
 */
export const Database = Layer.merge(Connection, Tenancy)

/**
 * A schema that fits this program. The embedded database and an empty one are migrated by whoever opens them; a server's
 * older schema is not touched, because other processes may still run on it: `holdfast migrate` does that.
 */
const FittingSchema = Layer.effectDiscard(Effect.gen(function*() {
  const { databaseUrl } = yield* Settings.Settings
  yield* ServerCheck.supported()
  yield* Migrate.check(migrations.all).pipe(
    Effect.catchTag(
      "SchemaTooOld",
      (old) => old.found === 0 || Option.isNone(databaseUrl) ? Migrate.migrate(migrations.all) : Effect.fail(old)
    )
  )
}))

/** An embedded database in memory, gone when the layer ends: for the tests of an application. Needs no settings. */
export const MemoryDatabase = Layer.unwrapEffect(
  Effect.map(Effect.promise(() => import("../adapters/pglite/Client.js")), ({ memory }) => memory)
)

const AttemptsOfSettings = Layer.effect(MaxAttempts, Effect.map(Settings.Settings, ({ maxAttempts }) => maxAttempts))

const StoresOnDatabase = Layer.mergeAll(
  CatalogStore.layer,
  JobQueue.layer,
  IndexStore.layer,
  SearchIndex.layer,
  StoreEmbedder.layer,
  Gates.layer,
  Pacer.layer,
  Reconciler.layer,
  Maintenance.layer,
  WakeUps.layer,
  WorkerLock.layer
).pipe(
  Layer.provideMerge(FittingSchema),
  // Also for whoever works beside the stores, in SQL of their own.
  Layer.provideMerge(Layer.merge(Tenancy, AttemptsOfSettings))
)

/** Every store, on the database that the settings name. */
export const Stores = Layer.provideMerge(StoresOnDatabase, Database)

/** Every store, on a database in memory. */
export const StoresInMemory = Layer.provideMerge(StoresOnDatabase, MemoryDatabase)

const embedders = {
  local: () => import("../adapters/local/LocalEmbedder.js"),
  ollama: () => import("../adapters/ollama/OllamaEmbedder.js"),
  http: () => import("../adapters/dense/DenseEmbedder.js"),
  openai: () => import("../adapters/openai/OpenAiEmbedder.js")
}

const OwnEmbedder = Layer.unwrapEffect(Effect.gen(function*() {
  const { embedder } = yield* Settings.Settings
  return (yield* Effect.promise(embedders[embedder.kind])).layer
})).pipe(Layer.provide(Settings.embedderConfig))

/**
 * The same server asked for another model, or the model that comes with the package: as far as the settings reach. Each is made
 * when it is asked for first, and kept for a while.
 */
const Others = Layer.scoped(
  OtherEmbedders,
  Effect.gen(function*() {
    const { embedder } = yield* Settings.Settings
    const reached = ({ model, provider }: Pick<Embedder["Type"], "provider" | "model">) =>
      Option.filter(
        Schema.decodeUnknownOption(EmbedderKind)(provider),
        (kind) => kind === "local" || kind === embedder.kind && kind !== "http"
      ).pipe(
        Option.map((kind) => ({
          ...embedder,
          kind,
          model: Option.some(model),
          servedModel: Option.none(),
          dimension: Option.none(),
          chunkWords: Option.none()
        }))
      )
    const made = yield* RcMap.make({
      lookup: (key: string) =>
        Effect.gen(function*() {
          const config = yield* Option.flatMap(EmbedderProfile.unqualified(key), reached)
          const { layer } = yield* Effect.promise(embedders[config.kind])
          return Context.get(
            yield* Layer.build(Layer.provide(layer, Layer.succeed(EmbedderConfig, config))),
            Embedder
          )
        }),
      idleTimeToLive: Duration.minutes(5)
    })
    return { of: (wanted) => Effect.option(RcMap.get(made, EmbedderProfile.qualified(wanted))) }
  })
)

/** The embedder that the settings name, and those beside it that the same settings reach. */
export const Embedding = Layer.merge(OwnEmbedder, Others)

const chats = {
  openai: () => import("../adapters/openai/OpenAiChat.js"),
  anthropic: () => import("../adapters/anthropic/AnthropicChat.js"),
  ollama: () => import("../adapters/ollama/OllamaChat.js")
}

/** The chat provider that the settings name, with connections of its own. No part of App: who does not chat need not configure it. */
export const Chat = Layer.unwrapEffect(Effect.gen(function*() {
  const { chat } = yield* Settings.Settings
  return (yield* Effect.promise(chats[chat.kind])).layer
})).pipe(Layer.provide(Settings.chatConfig))

const SourceBounds = Layer.effect(
  SourceSettings,
  Effect.flatMap(
    Settings.Settings,
    ({ sourceTimeout }) => Effect.map(SourceSettings, (bounds) => ({ ...bounds, timeout: sourceTimeout }))
  )
)

/** Files and URLs. */
export const Sources = SourceReader.layer.pipe(
  Layer.provide(SourceBounds),
  Layer.provide([NodeFileSystem.layer, NodePath.layer])
)

/** The kinds of jobs that this process can run, for the layers of kinds to fill. */
export const Kinds = JobKinds.layer

/** How this process works on jobs, and on index jobs. */
export const Work = Layer.merge(
  Layer.effect(IndexSettings, Effect.map(Settings.Settings, ({ batchSize }) => ({ batchSize }))),
  Layer.effect(
    WorkerSettings,
    Effect.map(Settings.Settings, ({ leaseDuration, pollInterval, workers }) => ({
      workers,
      leaseDuration,
      pollInterval,
      stallAfter: Duration.hours(1),
      timeSlice: Duration.minutes(1),
      // With the writes that follow it, a stop takes ten seconds at most: that is what container runtimes wait.
      grace: Duration.seconds(7)
    }))
  )
)

/** How texts are told apart: by the SHA-256 of what they say. */
export const Sha256 = Fingerprint.layer

/** Everything that indexing, searching and working need; only the settings are left to give. */
export const App = Layer.mergeAll(Stores, Embedding, Sources, Work, Kinds, Sha256)
