import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Client from "../../../../src/adapters/postgres/driver/Client.js"
import * as Migrate from "../../../../src/adapters/postgres/driver/Migrate.js"
import * as SqlFailure from "../../../../src/adapters/postgres/driver/SqlFailure.js"
import { transact } from "../../../../src/adapters/postgres/driver/transact.js"
import { freshUrl, tables } from "../../../support/Databases.js"
import type { Backend } from "../../../support/Databases.js"
import { behindPooler } from "../../../support/Pooler.js"
import { catalogStore } from "../../suites/catalogStore.js"
import { enqueuing } from "../../suites/enqueueInTransaction.js"
import { gates } from "../../suites/gates.js"
import { indexStore } from "../../suites/indexStore.js"
import { jobQueue } from "../../suites/jobQueue.js"
import { pacer } from "../../suites/pacer.js"
import { searchIndex } from "../../suites/searchIndex.js"
import { maintenance } from "../../suites/maintenance.js"
import { reconciler } from "../../suites/reconciler.js"

/** What a role, a database or a server may set for all of its sessions, each far from the default. */
const hostile: Readonly<Record<string, string>> = {
  DateStyle: "'German, DMY'",
  IntervalStyle: "'sql_standard'",
  TimeZone: "'Asia/Kathmandu'",
  bytea_output: "'escape'",
  client_encoding: "'LATIN1'",
  standard_conforming_strings: "off",
  array_nulls: "off",
  default_transaction_isolation: "'serializable'",
  search_path: "nowhere, pg_temp"
}

/** Those that only a session of one's own can be rid of. */
const hostileToOwn: Readonly<Record<string, string>> = {
  ...hostile,
  extra_float_digits: "-15",
  lock_timeout: "'1ms'",
  idle_session_timeout: "'200ms'",
  idle_in_transaction_session_timeout: "'50ms'"
}

type Way = (url: string) => Effect.Effect<string, never, Scope.Scope>

const direct: Way = Effect.succeed

const settingAll = (url: Redacted.Redacted, settings: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const database = new URL(Redacted.value(url)).pathname.slice(1)
    for (const [name, value] of Object.entries(settings)) {
      yield* sql.unsafe(`alter database "${database}" set ${name} = ${value}`)
    }
  }).pipe(Effect.provide(Client.layer(Client.settings(url))), Effect.orDie)

const hostileDatabase = (
  way: Way,
  settings: Readonly<Record<string, string>>,
  overrides: Partial<Client.Settings> = {}
) =>
  Layer.unwrapScoped(Effect.gen(function*() {
    const url = yield* freshUrl
    yield* settingAll(url, settings)
    return Layer.merge(Client.layer(Client.settings(Redacted.make(yield* way(Redacted.value(url))), overrides)), tables)
  }))

const hostileBackend = (name: string, way: Way, settings: Readonly<Record<string, string>>): Backend => ({
  name,
  fresh: (migrations) =>
    Layer.tap(hostileDatabase(way, settings), (context) => Effect.provide(Migrate.migrate(migrations), context))
})

const poolerLoses = ["lock_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout"]

const own = hostileBackend("a database with settings of its own", direct, hostileToOwn)
jobQueue(own)
searchIndex(own)

const pooled = hostileBackend("a database with settings of its own, behind a transaction pooler", behindPooler, hostile)
catalogStore(pooled)
jobQueue(pooled)
gates(pooled)
indexStore(pooled)
searchIndex(pooled)
maintenance(pooled)
reconciler(pooled)
pacer(pooled)
enqueuing(pooled)

const current = (name: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) =>
      Effect.map(sql<{ readonly value: string }>`select current_setting(${name}) as value`, ([row]) => row?.value)
  )

describe("a session", () => {
  it.live("has our settings, whatever the database's are", () =>
    Effect.gen(function*() {
      expect(yield* Effect.forEach(Object.keys(hostileToOwn), current)).toEqual([
        "ISO, MDY",
        "postgres",
        "UTC",
        "hex",
        "UTF8",
        "on",
        "on",
        "read committed",
        "nowhere, pg_temp",
        "1",
        "0",
        "0",
        "1min"
      ])
      expect(yield* current("statement_timeout")).toBe("61s")
    }).pipe(Effect.provide(hostileDatabase(direct, { ...hostileToOwn, statement_timeout: "'5s'" }))))

  it.live("behind a pooler changes nothing that the next client of the same session would find", () =>
    Effect.gen(function*() {
      expect(yield* Effect.forEach(poolerLoses, current)).toEqual(["1ms", "200ms", "50ms"])
      expect(yield* current("DateStyle")).toBe("ISO, MDY")
    }).pipe(Effect.provide(hostileDatabase(behindPooler, hostileToOwn))))

  it.live("that somebody sets to another form of dates fails in words, and gives no time that is none", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(SqlFailure.renamed(transact(Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        yield* sql`set local datestyle = 'German'`
        return yield* sql`select now() as at`
      }))))
      expect(failure.message).toContain("set datestyle = 'ISO'")
    }).pipe(Effect.provide(hostileDatabase(direct, {}))))

  for (const [name, way] of [["directly", direct], ["behind a pooler", behindPooler]] as const) {
    it.live(`bounds the statements of a transaction by our own limit, ${name}`, () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const found = yield* transact(Effect.zipRight(
          sql`select pg_sleep(0.3)`,
          Effect.all([current("statement_timeout"), current("transaction_isolation")])
        ))
        expect(found).toEqual(["3s", "read committed"])
        const [row] = yield* sql<{ readonly at: Date }>`select timestamptz '2026-11-27 10:00:00.123+00' as at`
        expect(row?.at && DateTime.unsafeMake(row.at)).toEqual(DateTime.unsafeMake("2026-11-27T10:00:00.123Z"))
      }).pipe(Effect.provide(
        hostileDatabase(way, { ...hostile, statement_timeout: "'200ms'" }, { statementTimeout: Duration.seconds(2) })
      )))
  }
})
