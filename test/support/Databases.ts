import type * as PgClient from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import { cpSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inject } from "vitest"
import * as PgliteClient from "../../src/adapters/pglite/Client.js"
import * as Client from "../../src/adapters/postgres/driver/Client.js"
import * as Migrate from "../../src/adapters/postgres/driver/Migrate.js"
import type { DedicatedConnections } from "../../src/adapters/postgres/driver/DedicatedConnection.js"
import { named, Tables } from "../../src/adapters/postgres/driver/Tables.js"
import { all } from "../../src/adapters/postgres/migrations/all.js"
import type { StoreFailure } from "../../src/domain/store/StoreFailure.js"
import { madeOnce } from "./MadeOnce.js"

/** Databases for tests: each layer makes one of its own, migrated, and removes it at the end. */

export type Database = SqlClient.SqlClient | PgClient.PgClient | DedicatedConnections | Tables

/** The schema of the tests, where a test does not name another. */
export const tables = Layer.succeed(Tables, named("holdfast"))

export interface Backend {
  readonly name: string
  readonly fresh: (migrations: ReadonlyArray<Migrate.Migration>) => Layer.Layer<Database, StoreFailure>
}

const migrated = (
  database: Layer.Layer<Exclude<Database, Tables>, StoreFailure>,
  migrations: ReadonlyArray<Migrate.Migration>
): Layer.Layer<Database, StoreFailure> =>
  Layer.tap(Layer.merge(database, tables), (context) => Effect.provide(Migrate.migrate(migrations), context))

/** Runs statements on the test server as its superuser, in the database of this URL or in the maintenance database. */
export const asAdmin = (statements: ReadonlyArray<string>, url = Redacted.make(inject("postgresUrl"))) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.forEach(statements, (statement) => sql.unsafe(statement))).pipe(
    Effect.provide(Client.layer(Client.settings(url, { maxConnections: 1 }))),
    Effect.orDie
  )

/** The same as `freshUrl`, made with these options of `create database`. */
export const freshUrlWith = (options: string): Effect.Effect<Redacted.Redacted, StoreFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const name = `holdfast_${randomUUID().replaceAll("-", "")}`
    yield* Effect.acquireRelease(
      asAdmin([`create database "${name}" ${options}`]),
      () => asAdmin([`drop database "${name}" with (force)`])
    )
    const url = new URL(inject("postgresUrl"))
    url.pathname = `/${name}`
    return Redacted.make(url.href)
  })

/** The URL of a database of its own on the test server, dropped when the scope ends, whoever is still connected. */
export const freshUrl: Effect.Effect<Redacted.Redacted, StoreFailure, Scope.Scope> = freshUrlWith("")

/** The URL for a role of its own, which owns the database of the given URL and is no superuser. */
export const ownedByRole = (url: Redacted.Redacted, options = "") =>
  Effect.gen(function*() {
    const role = `role_${randomUUID().replaceAll("-", "")}`
    const own = new URL(Redacted.value(url))
    const database = own.pathname.slice(1)
    yield* Effect.acquireRelease(
      asAdmin([
        `create role "${role}" login password 'pw' ${options}`,
        `alter database "${database}" owner to "${role}"`
      ]),
      () =>
        asAdmin(
          [`alter database "${database}" owner to postgres`, `drop owned by "${role}" cascade`, `drop role "${role}"`],
          url
        )
    )
    own.username = role
    own.password = "pw"
    return Redacted.make(own.href)
  })

/** A fresh database on the real server, with a pool of its own. */
export const freshPostgres = (
  migrations: ReadonlyArray<Migrate.Migration>,
  overrides: Partial<Client.Settings> = {}
): Layer.Layer<Database, StoreFailure> =>
  migrated(
    Layer.unwrapScoped(Effect.map(freshUrl, (url) => Client.layer(Client.settings(url, overrides)))),
    migrations
  )

const temporary = () => mkdtempSync(join(tmpdir(), "holdfast-pglite-"))

/** A data directory that no process holds, removed when the scope ends. */
export const freshDirectory = Effect.acquireRelease(
  Effect.sync(temporary),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** A data directory with an empty database, or a migrated one: making one takes seconds and copying it none. */
const template = (what: "empty" | "migrated") =>
  Effect.promise(() =>
    madeOnce(
      `pglite-${what}`,
      ["package.json", "src/adapters/postgres/migrations", "src/adapters/postgres/driver/Migrate.ts"],
      (folder) => {
        const database = Layer.merge(PgliteClient.layer(folder), tables)
        const made = what === "empty" ?
          database :
          Layer.tap(database, (context) => Effect.provide(Migrate.migrate(all), context))
        return Effect.runPromise(Effect.scoped(Layer.build(made)))
      }
    )
  )

const preparing = (directory: string, what: "empty" | "migrated") =>
  Effect.map(template(what), (kept) => cpSync(kept, directory, { recursive: true }))

/** Make this a data directory that holds a database already: what is asked of it does not wait until one is made. */
export const prepare = (directory: string) => preparing(directory, "migrated")

/** A fresh data directory that holds an empty database already, removed when the scope ends. */
export const readyDirectory = Effect.tap(freshDirectory, (directory) => preparing(directory, "empty"))

const migratedDirectory = Effect.tap(freshDirectory, prepare)

/** A fresh embedded database in a directory of its own. */
export const freshPglite = (migrations: ReadonlyArray<Migrate.Migration>): Layer.Layer<Database, StoreFailure> =>
  migrated(
    Layer.unwrapScoped(Effect.map(migrations === all ? migratedDirectory : readyDirectory, PgliteClient.layer)),
    migrations
  )

/**
 * One behaviour suite runs on both: write it as a function of a Backend, and call it with `pglite` from a `*.pglite.test.ts` and
 * with `postgres` from a `*.postgres.test.ts`.
 */
export const pglite: Backend = { name: "PGlite", fresh: freshPglite }
export const postgres: Backend = { name: "Postgres", fresh: freshPostgres }
