import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { enqueueInTransaction } from "../../../src/adapters/postgres/index/enqueueInTransaction.js"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Indexing from "../../support/Indexing.js"
import * as Kit from "./queueKit.js"
import { awake, listening, rung } from "./wakeUps.js"

const request = { source: Indexing.source("pets"), provider: "ollama" }

const jobs = Effect.flatMap(JobQueue, (queue) => queue.list({ limit: 10 }))

/** A table of the user's own, written in the same transaction. */
const order = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`create table if not exists customer_order (tenant text, note text)`
  return {
    write: sql`insert into customer_order values (${yield* Tenant}, 'one')`,
    count: Effect.map(
      sql`select 1 from customer_order where tenant = ${yield* Tenant}`,
      (rows) => rows.length
    )
  }
})

/** What a user's own transaction does with a job. */
export const enqueuing = (backend: Backend) =>
  describe(`enqueueInTransaction on ${backend.name}`, () => {
    layer(backend.fresh(all), { timeout: "60 seconds", excludeTestServices: true })((it) => {
      const test = <E>(
        name: string,
        body: () => Effect.Effect<void, E, JobQueue | Tenant | SqlClient.SqlClient | Tables>
      ) => it.effect(name, () => Kit.alone(body()))

      test("stores the job together with the caller's own rows", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const { count, write } = yield* order
          yield* Indexing.putSource("pets")
          const job = yield* sql.withTransaction(Effect.zipRight(write, enqueueInTransaction(request)))
          const stored = yield* Effect.flatMap(JobQueue, (queue) => queue.find(job.id))
          expect(stored).toMatchObject({
            status: "pending",
            provider: "ollama",
            maxAttempts: 5,
            kind: "index",
            payload: { source: { kind: "catalog", id: "pets" } },
            version: "one"
          })
          expect(yield* Indexing.isForced("pets")).toBe(false)
          expect(job.status).toBe("pending")
          expect(yield* count).toBe(1)
          expect((yield* Indexing.claim).job.id).toBe(job.id)
        }))

      test("leaves no job behind when the caller's transaction is rolled back", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const { count, write } = yield* order
          yield* Indexing.putSource("pets")
          const undone = sql.withTransaction(
            Effect.zipRight(Effect.zipRight(write, enqueueInTransaction(request)), Effect.fail("no money"))
          )
          expect(yield* Effect.flip(undone)).toBe("no money")
          expect([yield* count, yield* jobs]).toEqual([0, []])
        }))

      test("makes the job again that a rolled back savepoint of the caller took away", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* Indexing.putSource("pets")
          yield* sql.withTransaction(Effect.gen(function*() {
            yield* Effect.flip(
              sql.withTransaction(Effect.zipRight(enqueueInTransaction(request), Effect.fail("inner")))
            )
            yield* enqueueInTransaction({ ...request, force: true, maxAttempts: 2 })
          }))
          expect((yield* jobs).map((job) => job.maxAttempts)).toEqual([2])
          expect(yield* Indexing.isForced("pets")).toBe(true)
        }))

      it.effect("wakes a waiting worker at the commit, and not before", () =>
        awake(Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* listening
          yield* Indexing.putSource("pets")
          const waiting = yield* Effect.fork(rung("20 seconds"))
          yield* Effect.yieldNow()
          yield* sql.withTransaction(Effect.gen(function*() {
            yield* enqueueInTransaction(request)
            yield* sql`select pg_sleep(0.2)`
            expect(yield* Fiber.poll(waiting)).toEqual(Option.none())
          }))
          expect(yield* Fiber.join(waiting)).toBe(true)
        })))
    })
  })
