import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Migrate from "../../../../src/adapters/postgres/driver/Migrate.js"
import * as ServerCheck from "../../../../src/adapters/postgres/driver/ServerCheck.js"
import type { Backend } from "../../../support/Databases.js"

const creates = (id: number): Migrate.Migration => ({
  id,
  name: `step ${id}`,
  run: Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.asVoid(sql.unsafe(`create table made_${id} (id int)`)))
})

/** How a schema moves on, and how a program sees that it does not fit. One database goes through these tests in order. */
export const suite = (backend: Backend) =>
  layer(backend.fresh([]), { excludeTestServices: true, timeout: "60 seconds" })(`Migrate on ${backend.name}`, (it) => {
    it.effect("calls an empty database too old, and changes nothing by looking", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        expect(yield* Effect.flip(Migrate.check([creates(1)]))).toMatchObject({
          _tag: "SchemaTooOld",
          found: 0,
          needed: 1
        })
        expect(yield* sql`select to_regclass('holdfast.migration') as found`).toEqual([{ found: null }])
      }))

    it.effect("applies each migration once, and later only what is new", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        expect(yield* Migrate.migrate([creates(1), creates(2)])).toEqual(["step 1", "step 2"])
        expect(yield* Migrate.migrate([creates(1), creates(2), creates(3)])).toEqual(["step 3"])
        expect(yield* Migrate.migrate([creates(1), creates(2), creates(3)])).toEqual([])
        yield* Migrate.check([creates(1), creates(2), creates(3)])
        expect(yield* sql`select id, name from holdfast.migration order by id`).toEqual([
          { id: 1, name: "step 1" },
          { id: 2, name: "step 2" },
          { id: 3, name: "step 3" }
        ])
      }))

    it.effect("takes a failing migration back whole and keeps those before it", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const broken: Migrate.Migration = {
          id: 4,
          name: "broken",
          run: Effect.zipRight(creates(4).run, Effect.asVoid(sql`select nothing_like_it`))
        }
        const failure = yield* Effect.flip(Migrate.migrate([creates(1), creates(2), creates(3), broken]))
        expect(failure).toMatchObject({ _tag: "StoreBroken", sqlState: "42703" })
        expect(yield* sql`select to_regclass('made_4') as found`).toEqual([{ found: null }])
        expect(yield* sql`select max(id) as id from holdfast.migration`).toEqual([{ id: 3 }])
      }))

    it.effect("tells an older program to upgrade, whether it migrates or only looks", () =>
      Effect.gen(function*() {
        const expected = { _tag: "SchemaTooNew", found: 3, known: 2 }
        expect(yield* Effect.flip(Migrate.check([creates(1), creates(2)]))).toMatchObject(expected)
        expect(yield* Effect.flip(Migrate.migrate([creates(1), creates(2)]))).toMatchObject(expected)
      }))

    it.effect("refuses a database that another line of migrations has made", () =>
      Effect.gen(function*() {
        const other = { ...creates(2), name: "something else" }
        const failure = yield* Effect.flip(Migrate.migrate([creates(1), other, creates(3)]))
        expect(failure).toMatchObject({ _tag: "StoreBroken" })
        expect(failure.message).toContain("step 2")
      }))

    it.effect("dies on a list with a gap, which only a programmer can make", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(Migrate.check([creates(1), creates(3)]))
        expect(String(exit)).toContain("ids must run 1..n")
      }))

    it.effect("is recent enough, and says what the server offers", () =>
      Effect.gen(function*() {
        const report = yield* ServerCheck.supported()
        expect(report).toMatchObject({ standby: false, readOnly: false, mayCreate: true })
        expect(report.major).toBeGreaterThanOrEqual(ServerCheck.oldest)
        expect(report.pgvector).toBe(backend.name === "PGlite" ? "available" : "absent")
      }))
  })
