import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { postgres } from "../../../support/Databases.js"
import * as Indexing from "../../../support/Indexing.js"
import { indexCompletion } from "../../suites/indexCompletion.js"
import { indexStore } from "../../suites/indexStore.js"

indexStore(postgres)
indexCompletion(postgres)

const { begin, catalog, finish, indexed, inTenant, persist, rows, sha } = Indexing

const text = "add a pet"
const items = [{ id: "x", hash: sha(text), chunks: [sha(text)] }]

layer(postgres.fresh(all), { timeout: "1 minute" })("IndexStore beside itself on Postgres", (it) => {
  it.effect("keeps a vector that another transaction is about to use, without waiting for it", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* indexed(catalog("pets", { b: text }))
      const held = yield* begin(catalog("animals", { x: text }))
      const written = yield* Deferred.make<void>()
      const swept = yield* Deferred.make<void>()
      const writer = yield* persist(held, { items }).pipe(
        Effect.zipRight(Deferred.succeed(written, undefined)),
        Effect.zipRight(Deferred.await(swept)),
        sql.withTransaction,
        Effect.fork
      )
      yield* Deferred.await(written)
      yield* Indexing.remove("pets")
      yield* Deferred.succeed(swept, undefined)
      yield* Fiber.join(writer)
      expect(yield* rows("embedding")).toBe(1)
      expect((yield* finish(held)).status).toBe("succeeded")
    }).pipe(inTenant))

  it.effect("makes a writer that reuses a vector wait for the sweep that is deleting it, and find it gone", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* indexed(catalog("pets", { b: text }))
      const held = yield* begin(catalog("animals", { x: text }))
      const deleted = yield* Deferred.make<void>()
      const sweeping = yield* Indexing.remove("pets").pipe(
        Effect.zipRight(Deferred.succeed(deleted, undefined)),
        Effect.zipRight(Effect.repeat(waiters(sql), { until: (waiting) => waiting > 0, times: 3000 })),
        sql.withTransaction,
        Effect.fork
      )
      yield* Deferred.await(deleted)
      yield* persist(held, { items })
      yield* Fiber.join(sweeping)
      expect(yield* Indexing.pendingIds(held)).toEqual(["x"])
      expect((yield* finish(held)).status).toBe("pending")
    }).pipe(inTenant))

  it.effect("stores one catalog from many programs at once", () =>
    Effect.gen(function*() {
      const versions = Array.from({ length: 6 }, (_, n) =>
        catalog("pets", Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`op${(i * 7) % 50}`, `${n} ${i}`]))))
      yield* Effect.all(
        versions.map((version) =>
          Indexing.put(version)
        ),
        { concurrency: "unbounded" }
      )
      expect(yield* rows("item")).toBe(50)
      yield* Indexing.embedSome(yield* Indexing.claim)
      expect(yield* rows("embedding")).toBe(50)
    }).pipe(inTenant))
})

/** How many transactions wait for another one. pg_stat_activity would answer the same all through a transaction. */
const waiters = (sql: SqlClient.SqlClient) =>
  Effect.map(
    sql<{ readonly waiting: number }>`
      select count(*) as waiting from pg_locks where not granted and locktype = 'transactionid'`,
    ([row]) => row?.waiting ?? 0
  )
