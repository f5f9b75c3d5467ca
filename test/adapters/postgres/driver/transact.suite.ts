import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Migration } from "../../../../src/adapters/postgres/driver/Migrate.js"
import { transact } from "../../../../src/adapters/postgres/driver/transact.js"
import type { Backend } from "../../../support/Databases.js"

const migrations: ReadonlyArray<Migration> = [{
  id: 1,
  name: "pairs",
  run: Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql`create table parent (id int primary key)`
    yield* sql`create table child (parent int references parent (id) deferrable initially deferred)`
  })
}]

const insert = (id: number) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql`insert into parent values (${id})`)
const exists = (id: number) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => Effect.map(sql`select from parent where id = ${id}`, (rows) => rows.length === 1)
  )

/** What every transaction of a store relies on. */
export const suite = (backend: Backend) =>
  layer(backend.fresh(migrations), { excludeTestServices: true, timeout: "60 seconds" })(
    `transact on ${backend.name}`,
    (it) => {
      it.effect("keeps all statements when the effect succeeds, and none when it fails", () =>
        Effect.gen(function*() {
          yield* transact(Effect.zipRight(insert(1), insert(2)))
          expect(yield* transact(Effect.zipRight(insert(3), Effect.fail("no" as const))).pipe(Effect.flip)).toBe("no")
          expect(yield* Effect.all([exists(1), exists(2), exists(3)])).toEqual([true, true, false])
        }))

      it.effect("joins an outer transaction: an inner failure takes back the inner part alone", () =>
        Effect.gen(function*() {
          yield* transact(Effect.gen(function*() {
            yield* insert(10)
            yield* Effect.ignore(transact(Effect.zipRight(insert(11), Effect.fail("inner"))))
            yield* transact(insert(12))
          }))
          expect(yield* Effect.all([exists(10), exists(11), exists(12)])).toEqual([true, false, true])
        }))

      it.effect("makes a refused COMMIT a failure that names the constraint, not a defect", () =>
        Effect.gen(function*() {
          const failure = yield* Effect.flip(
            transact(Effect.flatMap(SqlClient.SqlClient, (sql) => sql`insert into child values (404)`))
          )
          expect(failure).toMatchObject({ _tag: "StoreBroken", sqlState: "23503", constraint: "child_parent_fkey" })
          yield* transact(insert(20))
          expect(yield* exists(20)).toBe(true)
        }))

      it.effect("refuses to call a transaction committed in which a statement had failed unnoticed", () =>
        Effect.gen(function*() {
          const failure = yield* Effect.flip(transact(Effect.zipRight(insert(30), Effect.ignore(insert(30)))))
          expect(failure).toMatchObject({ _tag: "StoreBroken", sqlState: "25P02" })
          expect(yield* exists(30)).toBe(false)
        }))

      it.effect("rolls back when it is interrupted, and leaves the connection usable", () =>
        Effect.gen(function*() {
          const inside = yield* Deferred.make<void>()
          const fiber = yield* Effect.fork(
            transact(
              insert(40).pipe(Effect.zipRight(Deferred.succeed(inside, undefined)), Effect.zipRight(Effect.never))
            )
          )
          yield* Deferred.await(inside)
          yield* Fiber.interrupt(fiber)
          expect(yield* exists(40)).toBe(false)
          yield* transact(insert(41))
          expect(yield* exists(41)).toBe(true)
        }))

      it.effect("serves many transactions at once, each whole", () =>
        Effect.gen(function*() {
          const ids = Array.from({ length: 40 }, (_, index) => 100 + index)
          yield* Effect.forEach(ids, (id) => transact(insert(id)), { concurrency: "unbounded" })
          expect(yield* Effect.forEach(ids, exists)).toEqual(ids.map(() => true))
        }))
    }
  )
