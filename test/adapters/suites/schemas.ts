import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as GatesInSql from "../../../src/adapters/postgres/gates/Gates.js"
import * as Migrate from "../../../src/adapters/postgres/driver/Migrate.js"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import * as ReconcilerInSql from "../../../src/adapters/postgres/index/Reconciler.js"
import * as PacerInSql from "../../../src/adapters/postgres/gates/Pacer.js"
import { named, Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import * as MaintenanceInSql from "../../../src/adapters/postgres/maintenance/Maintenance.js"
import * as WorkerLockInSql from "../../../src/adapters/postgres/jobs/WorkerLock.js"
import { CatalogStore } from "../../../src/domain/catalog/CatalogStore.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { Maintenance } from "../../../src/domain/job/Maintenance.js"
import { Reconciler } from "../../../src/domain/index/Reconciler.js"
import { WorkerLock } from "../../../src/domain/lease/WorkerLock.js"
import { SearchIndex } from "../../../src/domain/search/SearchIndex.js"
import { GateRef } from "../../../src/domain/session/Gate.js"
import { Gates } from "../../../src/domain/session/Gates.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Indexing from "../../support/Indexing.js"
import * as Kit from "./queueKit.js"
import { awake, listening, rung } from "./wakeUps.js"

const pets = Indexing.catalog("pets", { a: "add a pet", b: "find a pet", c: "feed the pets" })

const sides = Layer.mergeAll(GatesInSql.layer, PacerInSql.layer, MaintenanceInSql.layer, ReconcilerInSql.layer)

/** The effect with all names in this schema. */
const inSchema = (schema: string) => Effect.provideService(Tables, named(schema))
const inOther = inSchema("other")

/** Whatever a program does with its tables, once. Answers what is found by words and by meaning. */
export const everything = Effect.suspend(() =>
  Indexing.inTenant(Effect.gen(function*() {
    const queue = yield* JobQueue
    const search = yield* SearchIndex
    expect((yield* Indexing.indexed(pets)).length).toBe(3)
    yield* Indexing.indexed(pets, Indexing.forced)
    const held = yield* Indexing.begin(pets, Indexing.forced)
    yield* queue.renew([held], Kit.minute)
    yield* queue.settle(held, { _tag: "Released" })
    yield* Kit.reclaim
    expect((yield* queue.list({ limit: 10 })).length).toBe(3)
    yield* Effect.gen(function*() {
      const gates = yield* Gates
      const maintenance = yield* Maintenance
      const reconciler = yield* Reconciler
      yield* gates.open(GateRef.make({ kind: "provider", name: "fake" }))
      yield* Kit.cool("other", "1 minute")
      expect((yield* gates.cooling).map(({ provider }) => provider)).toEqual(["other"])
      yield* maintenance.claimTask("reconcile", Kit.minute)
      yield* maintenance.repairPending
      yield* maintenance.prune(Kit.minute, 10)
      yield* reconciler.unmatched(Indexing.space)
      yield* reconciler.open([{ source: Indexing.source("pets"), provider: "fake", maxAttempts: 3, after: null }])
    }).pipe(Effect.provide(sides))
    const byWords = yield* search.lexical("feed", {}, 5)
    const byMeaning = yield* search.semantic(Indexing.vectorOf("find a pet"), Indexing.space, {}, 1)
    const catalogs = yield* Effect.flatMap(CatalogStore, (store) => store.list)
    expect(catalogs.map(({ items }) => items)).toEqual([3])
    yield* Indexing.remove("pets")
    return [...byWords, ...byMeaning].map(({ id }) => id)
  }))
)

/** Milliseconds: on a busy machine the embedded database takes most of a minute for its tables. */
const patience = 120_000

const taken = [
  "item",
  "source",
  "job",
  "job_history",
  "job_step",
  "worker",
  "lease",
  "gate",
  "chunk",
  "pending",
  "migration"
]

/** Tables of an application that share no more than their names with ours, and how to look at them. */
const foreign = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  for (const table of taken) {
    yield* sql.unsafe(`create table ${table} (name text primary key)`)
    yield* sql.unsafe(`insert into ${table} values ('theirs')`)
  }
  return Effect.forEach(taken, (table) => sql.unsafe<{ readonly name: string }>(`select name from ${table}`))
})

/** Names are found in full, or not at all. */
export const withoutPath = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql.withTransaction(Effect.zipRight(sql`set local search_path to ''`, effect))
  )

/** How our tables share a database: with an application, and with others of our kind. One database goes through these in order. */
export const schemas = (backend: Backend) =>
  describe(`our schema on ${backend.name}`, () => {
    layer(backend.fresh([]), { timeout: "2 minutes", excludeTestServices: true })((it) => {
      it.effect("stands beside an application whose tables have the same names", () =>
        Effect.gen(function*() {
          const theirs = yield* foreign
          yield* Migrate.migrate(all)
          expect(yield* everything).toEqual(["c", "b"])
          expect((yield* theirs).flat().map(({ name }) => name)).toEqual(taken.map(() => "theirs"))
        }), patience)

      it.effect("is made, and worked with, from an empty search_path, also where its name is a word of SQL", () =>
        Effect.gen(function*() {
          yield* Migrate.migrate(all)
          expect(yield* everything).toEqual(["c", "b"])
        }).pipe(withoutPath, inSchema("order")), patience)

      it.scoped("keeps to itself beside another of ours in the same database", () =>
        Effect.gen(function*() {
          const queue = Kit.queueOf(Kit.newTenant())
          const locks = Layer.provideMerge(WorkerLockInSql.layer, queue)
          const register = Effect.provide(
            Effect.flatMap(Kit.wanted, (wanted) =>
              Effect.flatMap(WorkerLock, (lock) =>
                lock.register(wanted))),
            locks
          )
          const living = Effect.provide(
            Effect.flatMap(WorkerLock, (lock) =>
              lock.living),
            locks
          )
          yield* inOther(Migrate.migrate(all))
          expect(yield* Migrate.migrate(all)).toEqual([])

          yield* Effect.provide(Kit.enqueue("pets"), queue)
          expect(yield* inOther(Effect.provide(Kit.claim(5), queue))).toEqual([])
          expect((yield* Effect.provide(Kit.claim(5), queue)).length).toBe(1)

          // Each is the first worker of its schema, so that both have the same number.
          const here = yield* register
          const there = yield* inOther(register)
          expect((yield* living).map(({ id }) => id)).toEqual([here.id])
          expect((yield* inOther(living)).map(({ id }) => id)).toEqual([there.id])
        }), patience)

      it.effect("wakes nobody who listens to another of ours", () =>
        awake(Effect.gen(function*() {
          const tenant = yield* Tenant
          yield* listening
          const waiting = yield* Effect.fork(rung("500 millis"))
          yield* Effect.yieldNow()
          yield* inOther(Effect.provide(Kit.enqueue("pets"), Kit.queueOf(tenant)))
          expect(yield* Fiber.join(waiting)).toBe(false)
        })), patience)
    })
  })
