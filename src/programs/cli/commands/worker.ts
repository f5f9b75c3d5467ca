import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Admission from "../../flows/index/Admission.js"
import { work } from "../../flows/index/IndexWorker.js"
import { Settings } from "../../Settings.js"
import { commandResult } from "../CommandResult.js"
import { withApp } from "../provideLayers.js"

export const run = () =>
  withApp(Effect.gen(function*() {
    const { databaseUrl, dataDir, embedder, workers } = yield* Settings
    // A worker that may not work for this store never was ready.
    yield* Admission.admitted
    yield* Effect.logInfo("Worker is ready").pipe(
      Effect.annotateLogs({
        jobs: workers,
        embedder: embedder.kind,
        database: Option.isSome(databaseUrl) ? "postgres" : dataDir
      })
    )
    yield* work
    return commandResult({ stopped: true }, () => [])
  }))
