import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import type { DedicatedConnections } from "../../../src/adapters/postgres/driver/DedicatedConnection.js"
import * as WorkerLockInSql from "../../../src/adapters/postgres/jobs/WorkerLock.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import type { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { WorkerLock } from "../../../src/domain/lease/WorkerLock.js"
import type { Gates } from "../../../src/domain/session/Gates.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Kit from "./queueKit.js"

export type Service = JobQueue | Gates | WorkerLock | Tenant | SqlClient.SqlClient | Tables

/** Runs with the queue and the worker's lock of a tenant of its own. */
export const withLock = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provide(effect, Layer.merge(Kit.queueOf(Kit.newTenant()), WorkerLockInSql.layer)))

/** A worker for the jobs of this tenant, until its scope ends. */
export const register = Effect.flatMap(Kit.wanted, (own) => Effect.flatMap(WorkerLock, (lock) => lock.register(own)))

export const registered = Effect.map(register, ({ id }) => id)

export interface WorkerRow {
  readonly id: string
  readonly lock_number: number | null
  readonly pid: number
}

export const workers = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<
    WorkerRow
  >`select id, lock_number, pid from holdfast.worker where tenant = ${yield* Tenant} order by id`
})

/** What every back end's worker lock does. */
export const workerLock = (backend: Backend) =>
  describe(`the worker's lock on ${backend.name}`, () => {
    layer(backend.fresh(all), { timeout: "60 seconds", excludeTestServices: true })((it) => {
      const test = <E>(name: string, body: () => Effect.Effect<void, E, Service>): void =>
        it.effect(name, (): Effect.Effect<void, E, SqlClient.SqlClient | Tables | DedicatedConnections> =>
          withLock(body()))

      test("is seen by others while the worker lives, and its jobs are left alone", () =>
        Effect.scoped(Effect.gen(function*() {
          const worker = yield* registered
          const [row, ...others] = yield* workers
          expect(others).toEqual([])
          expect(row?.id).toBe(worker)
          expect(row?.lock_number).toBeGreaterThan(0)
          expect(row?.pid).toBe(process.pid)
          yield* Kit.enqueue("pets")
          yield* Kit.claimOne(worker)
          expect(yield* Kit.reclaim).toEqual({ freed: 0, failed: 0 })
        })))

      test("ends with the worker, who is then forgotten", () =>
        Effect.gen(function*() {
          yield* Effect.scoped(registered)
          expect(yield* workers).toEqual([])
        }))

      test("frees what an ended worker left running, at once", () =>
        Effect.gen(function*() {
          yield* Kit.enqueue("pets")
          yield* Effect.scoped(Effect.flatMap(registered, (worker) =>
            Kit.claimOne(worker)))
          expect(yield* Kit.reclaim).toEqual({ freed: 1, failed: 0 })
          yield* Kit.reclaim
          expect(yield* workers).toEqual([])
        }))

      test("tells which workers live, and not those that left their jobs behind", () =>
        Effect.gen(function*() {
          const { living } = yield* WorkerLock
          expect(yield* living).toEqual([])
          yield* Kit.enqueue("pets")
          yield* Effect.scoped(Effect.gen(function*() {
            const [one, two] = [yield* registered, yield* registered]
            yield* Kit.claimOne(one)
            expect((yield* living).map(({ id }) => id).toSorted()).toEqual([one, two].toSorted())
          }))
          expect((yield* workers).length).toBe(1)
          expect(yield* living).toEqual([])
        }))

      test("tells which kinds of jobs each worker runs, and for which provider alone", () =>
        Effect.scoped(Effect.gen(function*() {
          const lock = yield* WorkerLock
          const kinds = [{ kind: "digest", provider: Option.none() }, {
            kind: "index",
            provider: Option.some("ollama")
          }]
          const { id } = yield* lock.register({ tenants: [yield* Tenant], kinds })
          expect(yield* lock.living).toEqual([{ id, kinds }])
        })))

      test("is one for all the tenants that a worker works for", () =>
        Effect.scoped(Effect.gen(function*() {
          const lock = yield* WorkerLock
          const [mine, other] = [yield* Tenant, Kit.newTenant()]
          const { id } = yield* lock.register({ ...Kit.wantedOf(mine), tenants: [mine, other] })
          const ofOther = Effect.provideService(lock.living, Tenant, other)
          expect((yield* lock.living).map((one) => one.id)).toEqual([id])
          expect((yield* ofOther).map((one) => one.id)).toEqual([id])
          expect(yield* Effect.provideService(lock.living, Tenant, Kit.newTenant())).toEqual([])
        })))

      test("is each worker's own: two of one process never have one name", () =>
        Effect.scoped(Effect.gen(function*() {
          const [one, two] = [yield* registered, yield* registered]
          expect(one).not.toBe(two)
          expect((yield* workers).length).toBe(2)
        })))
    })
  })
