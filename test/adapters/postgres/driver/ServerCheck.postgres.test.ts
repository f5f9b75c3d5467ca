import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Client from "../../../../src/adapters/postgres/driver/Client.js"
import * as ConnectionLimit from "../../../../src/adapters/postgres/driver/ConnectionLimit.js"
import * as Migrate from "../../../../src/adapters/postgres/driver/Migrate.js"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import * as ServerCheck from "../../../../src/adapters/postgres/driver/ServerCheck.js"
import { DedicatedConnections } from "../../../../src/adapters/postgres/driver/DedicatedConnection.js"
import { transact } from "../../../../src/adapters/postgres/driver/transact.js"
import { asAdmin, freshUrl, freshUrlWith, ownedByRole, tables } from "../../../support/Databases.js"
import { vectorStandIn } from "../../../support/VectorStandIn.js"

const databaseOf = (url: Redacted.Redacted) => `"${new URL(Redacted.value(url)).pathname.slice(1)}"`

const on = (url: Redacted.Redacted, overrides: Partial<Client.Settings> = {}) =>
  Layer.merge(Client.layer(Client.settings(url, overrides)), tables)

describe("a database in another encoding", () => {
  for (const encoding of ["SQL_ASCII", "LATIN1"]) {
    it.scopedLive(`is refused before anything is made in it (${encoding})`, () =>
      Effect.gen(function*() {
        const url = yield* freshUrlWith(`encoding '${encoding}' locale 'C' template template0`)
        const failure = yield* Effect.flip(Effect.provide(ServerCheck.supported(), on(url)))
        expect(failure).toMatchObject({ _tag: "EncodingUnfit", found: encoding })
      }))
  }
})

/** A database that offers the stand-in, and a role that owns it. */
const offering = Effect.fnUntraced(
  function*(options: { readonly trusted: boolean }, statements: ReadonlyArray<string>) {
    const path = yield* vectorStandIn(options)
    const url = yield* freshUrl
    yield* asAdmin([`alter database ${databaseOf(url)} set extension_control_path = ${path}`], url)
    const own = yield* ownedByRole(url)
    const role = `"${new URL(Redacted.value(own)).username}"`
    yield* asAdmin(statements.map((statement) => statement.replaceAll("ROLE", role)), url)
    return own
  }
)

/** What the migrations make of it: before, after, and whether the vectors do. */
const migrated = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const before = yield* ServerCheck.supported()
  yield* Migrate.migrate(all)
  const after = yield* ServerCheck.supported()
  const [row] = yield* sql<{ readonly cosine: number }>`
    select holdfast.cosine_similarity(holdfast.embedding_of('{0.6,0.8}'), holdfast.embedding_of('{1,0}')) as cosine`
  return [before.pgvector, after.pgvector, after.vectors, row?.cosine.toFixed(3)]
})

const found = (options: { readonly trusted: boolean }, statements: ReadonlyArray<string> = []) =>
  Effect.flatMap(offering(options, statements), (url) => Effect.provide(migrated, on(url)))

const elsewhere = ["create schema extensions", "create extension vector schema extensions"]

describe("pgvector on the server", () => {
  it.scopedLive("that this role may install is installed", () =>
    Effect.map(found({ trusted: true }), (seen) => expect(seen).toEqual(["available", "installed", "vector", "0.600"])))

  it.scopedLive("that this role may not install gives way to arrays", () =>
    Effect.map(found({ trusted: false }), (seen) => expect(seen).toEqual(["denied", "denied", "arrays", "0.600"])))

  it.scopedLive("in a schema off the search_path is used", () =>
    Effect.map(
      found({ trusted: false }, [...elsewhere, "grant usage on schema extensions to ROLE"]),
      (seen) => expect(seen).toEqual(["installed", "installed", "vector", "0.600"])
    ))

  it.scopedLive("in a schema that is closed to this role gives way to arrays", () =>
    Effect.map(
      found({ trusted: false }, elsewhere),
      (seen) => expect(seen).toEqual(["closed", "closed", "arrays", "0.600"])
    ))
})

describe("a role with few connections", () => {
  const workers = 2
  const limited = (limit: number) =>
    Effect.flatMap(freshUrl, (url) => ownedByRole(url, `connection limit ${limit}`)).pipe(
      Effect.map((url) => on(url, { maxConnections: ConnectionLimit.pool(workers) }))
    )

  it.scopedLive("is told how many are needed, where they are too few for any work", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Effect.scoped(Layer.build(yield* limited(2))))
      expect(failure).toMatchObject({ _tag: "ConnectionsTooFew", limit: 2, needed: 3 })
    }))

  for (const limit of [3, 4, 5]) {
    it.scopedLive(`has work done beside what is kept for the lock and for listening (${limit})`, () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const sessions = yield* DedicatedConnections
        const open = Effect.flatMap(sessions.open, (session) => session.query("select 1 as one"))
        const work = (n: number) => transact(Effect.zipRight(sql`select pg_sleep(0.01)`, sql`select ${n}::int as n`))
        // The work comes first, and takes as many connections as it gets.
        yield* Effect.forEach(Array.from({ length: 20 }, (_, n) => n), work, { concurrency: "unbounded" })
        yield* open
        yield* open
        const done = yield* Effect.forEach([1, 2, 3, 4, 5, 6], work, { concurrency: "unbounded" })
        expect(done.length).toBe(6)
      }).pipe(Effect.provide(Layer.unwrapScoped(limited(limit)))))
  }
})
