import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { DedicatedConnections } from "../../../../src/adapters/postgres/driver/DedicatedConnection.js"
import * as SqlFailure from "../../../../src/adapters/postgres/driver/SqlFailure.js"
import type { Backend } from "../../../support/Databases.js"

const date = (text: string) => DateTime.toDateUtc(DateTime.unsafeMake(text))

/** What every store relies on: the same values in and out, on both drivers. */
export const suite = (backend: Backend) =>
  layer(backend.fresh([]), { excludeTestServices: true, timeout: "60 seconds" })(
    `the SQL client on ${backend.name}`,
    (it) => {
      it.effect("reads every type that we store in one and the same form", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const [row] = yield* sql`
          select 1::int2 as small, 2::int4 as int, 3::int8 as big, 9007199254740993::int8 as huge, 1.5::float8 as float,
            1.25::numeric as numeric, true as bool, 'ä€😀' as text, null::text as nothing, '\\x00ff'::bytea as bytes,
            '2026-01-02T03:04:05.678Z'::timestamptz as instant, '{"a":[1,null]}'::jsonb as json, '{1,2}'::int4[] as ints,
            '{1,9007199254740993,NULL}'::int8[] as bigs, '{0.5,-2}'::real[] as reals, '{"a,b","c\\"d",NULL}'::text[] as texts,
            '7f2c0f9e-8d1b-4c55-9d53-0c3b3f3d2a11'::uuid as id, count(*) as counted`
          expect(row).toEqual({
            small: 1,
            int: 2,
            big: 3,
            huge: 9007199254740993n,
            float: 1.5,
            numeric: "1.25",
            bool: true,
            text: "ä€😀",
            nothing: null,
            bytes: Buffer.from([0, 255]),
            instant: date("2026-01-02T03:04:05.678Z"),
            json: { a: [1, null] },
            ints: [1, 2],
            bigs: [1, 9007199254740993n, null],
            reals: [0.5, -2],
            texts: ["a,b", "c\"d", null],
            id: "7f2c0f9e-8d1b-4c55-9d53-0c3b3f3d2a11",
            counted: 1
          })
        }))

      it.effect("gives back every parameter as it was handed over", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const instant = date("1999-12-31T23:59:59.999Z")
          const [row] = yield* sql`
          select ${7}::int4 as int, ${12345678901234567890n}::numeric as big, ${0.1}::float8 as float, ${true}::boolean as bool,
            ${"it's \\ \"x\""}::text as text, ${null}::text as nothing, ${new Uint8Array([
            0,
            1,
            254,
            255
          ])}::bytea as bytes,
            ${instant}::timestamptz as instant, ${instant}::timestamp as local, ${"{\"deep\":{\"list\":[1]}}"}::jsonb as json,
            ${{ key: ["v"] }}::jsonb as record, ${[1, 2]}::int4[] as ints,
            ${["a,b", "c\"d\\", null]}::text[] as texts, ${[[1, 2], [3, 4]]}::int4[] as grid, ${[
            instant
          ]}::timestamptz[] as dates`
          expect(row).toEqual({
            int: 7,
            big: "12345678901234567890",
            float: 0.1,
            bool: true,
            text: "it's \\ \"x\"",
            nothing: null,
            bytes: Buffer.from([0, 1, 254, 255]),
            instant,
            local: instant,
            json: { deep: { list: [1] } },
            record: { key: ["v"] },
            ints: [1, 2],
            texts: ["a,b", "c\"d\\", null],
            grid: [[1, 2], [3, 4]],
            dates: [instant]
          })
        }))

      it.effect("keeps the SQLSTATE of a refused statement, and the constraint's name", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* sql`create table refused (id int primary key, n int constraint n_is_small check (n < 10))`
          const failure = yield* Effect.flip(SqlFailure.renamed(sql`insert into refused values (1, ${11})`))
          expect(failure).toMatchObject({ _tag: "StoreBroken", sqlState: "23514", constraint: "n_is_small" })
          const missing = yield* Effect.flip(SqlFailure.renamed(sql`select nothing_like_it`))
          expect(missing).toMatchObject({ _tag: "StoreBroken", sqlState: "42703" })
        }))

      it.effect("builds inserts, updates and in-lists the same", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* sql`create table built (id int8 primary key, name text)`
          const rows = yield* sql`
            insert into built ${sql.insert([{ id: 1, name: "a" }, { id: 2, name: "b" }]).returning("*")}`
          expect(rows).toEqual([{ id: 1, name: "a" }, { id: 2, name: "b" }])
          yield* sql`update built set ${sql.update({ name: "c" })} where id in ${sql.in([2])}`
          expect(yield* sql`select name from built order by id`.values).toEqual([["a"], ["c"]])
        }))

      it.effect("runs several statements in one text and gives the rows of each", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          expect(yield* sql.unsafe("select 1 as a; select 2 as b")).toEqual([[{ a: 1 }], [{ b: 2 }]])
        }))

      it.effect("streams rows", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const rows = yield* Stream.runCollect(sql<{ n: number }>`select n from generate_series(1, 300) as n`.stream)
          expect(Chunk.toReadonlyArray(rows).map((row) => row.n)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1))
        }))

      it.scoped("hears what other connections notify, by the client and by a session", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const pg = yield* PgClient.PgClient
          const session = yield* Effect.flatMap(DedicatedConnections, (sessions) => sessions.open)
          const say = sql`select pg_notify(${"wake"}, ${"jobs"})`
          const [byClient, bySession] = [yield* Deferred.make<string>(), yield* Deferred.make<string>()]
          yield* session.listen("wake", (payload) => Deferred.unsafeDone(bySession, Effect.succeed(payload)))
          yield* say
          expect(yield* Deferred.await(bySession)).toBe("jobs")
          yield* Effect.forkScoped(
            Stream.runForEach(pg.listen("wake"), (payload) => Deferred.succeed(byClient, payload))
          )
          // The client does not say when it listens, so the hint is repeated until it is heard.
          const again = say.pipe(Effect.delay("20 millis"), Effect.forever)
          expect(yield* Effect.raceFirst(Deferred.await(byClient), again)).toBe("jobs")
        }))

      it.scoped("keeps an advisory lock that a session took until it is given back", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const held = sql<{ n: number }>`
            select count(*) as n from pg_locks where locktype = 'advisory' and objid = 4711`
          const session = yield* Effect.flatMap(DedicatedConnections, (sessions) => sessions.open)
          yield* session.query("select pg_advisory_lock($1)", [4711])
          expect(yield* held).toEqual([{ n: 1 }])
          yield* session.query("select pg_advisory_unlock($1)", [4711])
          expect(yield* held).toEqual([{ n: 0 }])
        }))
    }
  )
