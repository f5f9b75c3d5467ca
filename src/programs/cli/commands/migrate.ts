import * as Effect from "effect/Effect"
import * as Migrate from "../../../adapters/postgres/driver/Migrate.js"
import * as migrations from "../../../adapters/postgres/migrations/all.js"
import * as ServerCheck from "../../../adapters/postgres/driver/ServerCheck.js"
import { commandResult } from "../CommandResult.js"
import { withDatabase } from "../provideLayers.js"

export const run = () =>
  withDatabase(Effect.gen(function*() {
    yield* ServerCheck.supported()
    const applied = yield* Migrate.migrate(migrations.all)
    const version = migrations.all.length
    return commandResult({ applied, version }, () => [
      applied.length === 0
        ? `The schema is up to date (version ${version}).`
        : `Applied ${applied.join(", ")}; the schema is at version ${version}.`
    ])
  }))
