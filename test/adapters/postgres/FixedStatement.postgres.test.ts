import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Tracer from "effect/Tracer"
import * as FixedStatement from "../../../src/adapters/postgres/FixedStatement.js"
import { named } from "../../../src/adapters/postgres/Tables.js"
import { StoreBroken } from "../../../src/domain/store/StoreFailure.js"
import type { StoreFailure } from "../../../src/domain/store/StoreFailure.js"
import { freshPostgres } from "../../support/Databases.js"

const t = named("holdfast")

interface Given {
  readonly word: string
  readonly times: number
}

const repeated = FixedStatement.make((sql, _, { times, word }: Given) =>
  sql<{ readonly said: string; readonly pid: number }>`
    select ${"so "}::text || repeat(${word}::text, ${times}::integer) || ${word}::text as said, pg_backend_pid() as pid`
)

const halves = FixedStatement.make((sql, _, { by }: { readonly by: number }) =>
  sql<{ readonly half: number }>`select 10 / ${by}::integer as half`
)

const ended = FixedStatement.make((sql) => sql`select pg_terminate_backend(pg_backend_pid())`)

const count = FixedStatement.make((sql) => sql<{ readonly rows: number }>`select count(*)::integer as rows from thing`)

/** The statement by its call; answers as the callback was told. */
const called = <Given, Row>(statement: FixedStatement.FixedStatement<Given, Row>, given: Given) =>
  Effect.gen(function*() {
    const ask = yield* statement.plain(yield* SqlClient.SqlClient, t)
    return yield* Effect.async<ReadonlyArray<Row>, StoreFailure>((resume) => ask(given, resume))
  })

/** Notes the spans that are made. */
const noting = (names: Array<string>) =>
  Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      names.push(name)
      return {
        _tag: "Span",
        name,
        spanId: "span",
        traceId: "trace",
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links,
        sampled: true,
        kind,
        end: () => {},
        attribute: (key, value) => attributes.set(key, value),
        event: () => {},
        addLinks: () => {}
      }
    },
    context: (run) => run()
  })

describe("a fixed statement", () => {
  layer(freshPostgres([]), { timeout: "60 seconds", excludeTestServices: true })((it) => {
    it.effect("takes its values by name, as often as they are used, and whatever they were before", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const said = (given: Given) => Effect.map(repeated(sql, t, given), ([row]) => row?.said)
        expect(yield* said({ word: "no", times: 2 })).toBe("so nonono")
        expect(yield* said({ times: 1, word: "go" })).toBe("so gogo")
      }))

    it.effect("is another one for each schema", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        yield* sql`create schema one`
        yield* sql`create schema two`
        yield* sql`create table one.item (n integer)`
        yield* sql`create table two.item (n integer)`
        yield* sql`insert into two.item values (2)`
        const items = FixedStatement.make((sql, t) => sql<{ readonly n: number }>`select n from ${t.item}`)
        expect(yield* items(sql, named("one"), {})).toEqual([])
        expect(yield* items(sql, named("two"), {})).toEqual([{ n: 2 }])
        expect(yield* items(sql, named("one"), {})).toEqual([])
      }))

    it.effect("is part of the caller's transaction", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        yield* sql`create table thing (name text)`
        const counted = Effect.map(count(sql, t, {}), ([row]) => row?.rows)
        const undone = sql.withTransaction(Effect.gen(function*() {
          yield* sql`insert into thing values ('one')`
          expect(yield* counted).toBe(1)
          return yield* Effect.fail("undone")
        }))
        yield* Effect.flip(undone)
        expect(yield* counted).toBe(0)
      }))

    it.effect("fails as a StoreFailure, and leaves its connection in order", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const [before] = yield* repeated(sql, t, { word: "", times: 0 })
        expect(yield* Effect.flip(halves(sql, t, { by: 0 }))).toMatchObject({ _tag: "StoreBroken", sqlState: "22012" })
        const [after] = yield* repeated(sql, t, { word: "", times: 0 })
        expect(after?.pid).toBe(before?.pid)
      }))

    it.effect("gives up a connection that broke under it, and no other", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const [before] = yield* repeated(sql, t, { word: "", times: 0 })
        expect(yield* Effect.flip(ended(sql, t, {}))).toMatchObject({ _tag: "StoreUnavailable" })
        const [after] = yield* repeated(sql, t, { word: "", times: 0 })
        expect(after?.pid).not.toBe(before?.pid)
      }))

    it.effect("keeps its connection, whatever is sent beside it", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const own = Effect.map(repeated(sql, t, { word: "", times: 0 }), ([row]) => row?.pid)
        const others = yield* sql.withTransaction(sql<{ readonly pid: number }>`select pg_backend_pid() as pid`)
        const pids = yield* Effect.replicateEffect(Effect.zipLeft(own, sql`select 1`), 3)
        expect(new Set(pids).size).toBe(1)
        expect(pids).not.toContain(others[0]?.pid)
      }))

    it.effect("is sent by a call as well, and fails the same", () =>
      Effect.gen(function*() {
        const [before] = yield* called(repeated, { word: "", times: 0 })
        const failed = yield* Effect.exit(called(halves, { by: 0 }))
        expect(failed).toEqual(Exit.fail(new StoreBroken({ sqlState: "22012", detail: "division by zero" })))
        const [after] = yield* called(repeated, { word: "no", times: 1 })
        expect(after).toEqual({ said: "so nono", pid: before?.pid })
      }))

    it.effect("is part of the transaction in which its call was made ready", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        yield* sql`create table if not exists thing (name text)`
        const undone = sql.withTransaction(Effect.gen(function*() {
          yield* sql`insert into thing values ('two')`
          expect(yield* called(count, {})).toEqual([{ rows: 1 }])
          return yield* Effect.fail("undone")
        }))
        expect(yield* Effect.flip(undone)).toBe("undone")
        expect(yield* called(count, {})).toEqual([{ rows: 0 }])
      }))

    it.effect("has a span for whoever traces", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const names: Array<string> = []
        const asked = repeated(sql, t, { word: "a", times: 0 })
        const traced = yield* Effect.withTracer(asked, noting(names))
        expect([traced[0]?.said, names]).toEqual(["so a", ["sql.execute"]])
        yield* Effect.withTracer(called(repeated, { word: "a", times: 0 }), noting(names))
        expect(names).toEqual(["sql.execute", "sql.execute"])
        yield* asked.pipe(Effect.withTracerEnabled(false), Effect.withTracer(noting(names)))
        expect(names.length).toBe(2)
      }))
  })
})
