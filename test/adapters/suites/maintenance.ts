import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MaintenanceInSql from "../../../src/adapters/postgres/maintenance/Maintenance.js"
import { archiveKey } from "../../../src/adapters/postgres/jobs/control.js"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { Maintenance } from "../../../src/domain/job/Maintenance.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Outcomes from "../../support/Outcomes.js"
import * as Kit from "./queueKit.js"

type Needs = JobQueue | Maintenance | Tenant | SqlClient.SqlClient | Tables

const succeeds = (key: string) => Effect.flatMap(Kit.begun(key), (held) => Kit.settle(held, Outcomes.completed))
const fails = (key: string) =>
  Effect.flatMap(Kit.begun(key), (held) => Kit.settle(held, Outcomes.halted(Kit.unavailable)))

const prune = (limit = 500) => Effect.flatMap(Maintenance, (keep) => keep.prune(Duration.days(14), limit))
const statuses = Effect.flatMap(
  JobQueue,
  (queue) => Effect.map(queue.list({ limit: 100 }), (jobs) => jobs.map((job) => `${job.key} ${job.status}`).toSorted())
)

/** All jobs of the tenant that ended did so longer ago. */
const age = (days: number) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const by = sql`finished_at = finished_at - ${days}::float8 * interval '1 day'`
    yield* sql`update holdfast.job set ${by} where tenant = ${yield* Tenant}`
    yield* sql`update holdfast.job_history set ${by} where tenant = ${yield* Tenant}`
  })

/** What keeps every back end's queue right and small. */
export const maintenance = (backend: Backend) =>
  describe(`the maintenance of the queue on ${backend.name}`, () => {
    it.layer(backend.fresh(all), { timeout: "60 seconds" })((it) => {
      const test = <E>(name: string, body: () => Effect.Effect<void, E, Needs>) =>
        it.effect(name, () =>
          Effect.provide(
            Effect.suspend(body),
            Layer.merge(Kit.queueOf(Kit.newTenant()), MaintenanceInSql.layer)
          ))

      describe("the line of pending jobs", () => {
        const repair = Effect.flatMap(Maintenance, (keep) => keep.repairPending)
        const lined = Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          return (yield* sql`select id from holdfast.pending where tenant = ${yield* Tenant}`).length
        })

        test("gets back the jobs that fell out of it", () =>
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            yield* Kit.enqueue("pets")
            yield* sql`delete from holdfast.pending where tenant = ${yield* Tenant}`
            expect(yield* Kit.claim(1)).toEqual([])
            expect([yield* repair, yield* repair]).toEqual([1, 0])
            expect((yield* Kit.claim(1)).map(({ job }) => job.key)).toEqual(["pets"])
          }))

        test("loses what is no pending job, and nothing else", () =>
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            const tenant = yield* Tenant
            const running = yield* Kit.begun("pets")
            yield* Kit.enqueue("cars")
            yield* sql`insert into holdfast.pending (tenant, kind, provider, session, priority, run_at, id)
              values (${tenant}, ${Kit.kind}, 'fake', '', 0, now(), ${running.job.id}),
                (${tenant}, ${Kit.kind}, 'fake', '', 0, now(), 987654321)`
            expect([yield* lined, yield* repair, yield* lined]).toEqual([3, 0, 1])
            expect((yield* Kit.claim(2)).map(({ job }) => job.key)).toEqual(["cars"])
          }))
      })

      describe("pruning", () => {
        test("removes what ended more than 14 days ago, and keeps the newest failure of a key", () =>
          Effect.gen(function*() {
            yield* succeeds("pets")
            yield* fails("cars")
            yield* fails("cars")
            yield* age(13)
            expect(yield* prune()).toBe(0)
            yield* age(2)
            expect(yield* prune()).toBe(2)
            expect(yield* statuses).toEqual(["cars failed"])
            expect(yield* prune()).toBe(0)
          }))

        test("keeps open jobs, however old they are", () =>
          Effect.gen(function*() {
            yield* Kit.enqueue("pets")
            yield* age(100)
            expect(yield* prune()).toBe(0)
            expect(yield* statuses).toEqual(["pets pending"])
          }))

        test("removes a failure that a newer job made good, and one whose key is gone with what it was for", () =>
          Effect.gen(function*() {
            yield* fails("pets")
            yield* succeeds("pets")
            yield* fails("cars")
            yield* archiveKey(yield* Tenant, Kit.kind, "cars")
            yield* age(15)
            expect(yield* prune()).toBe(3)
          }))

        test("removes the steps of a job with it, of all its runs, and no others", () =>
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            const queue = yield* JobQueue
            const steps = Effect.map(
              sql<{ readonly name: string }>`select name from holdfast.job_step where tenant = ${yield* Tenant}`,
              (rows) => rows.map(({ name }) => name).toSorted()
            )
            const step = (name: string) => ({ name, result: 1, millis: 1 })
            const held = yield* Kit.begun("pets")
            yield* queue.storeStep(held, step("first run"))
            yield* Kit.enqueue("pets", { ifRunning: "again" })
            yield* Kit.settle(held, Outcomes.completed)
            const again = yield* Kit.claimOne()
            yield* queue.storeStep(again, step("second run"))
            yield* Kit.settle(again, Outcomes.completed)
            const open = yield* Kit.begun("cars")
            yield* queue.storeStep(open, step("open"))
            expect(yield* steps).toEqual(["first run", "open", "second run"])
            yield* age(15)
            expect(yield* prune()).toBe(1)
            expect(yield* steps).toEqual(["open"])
          }))

        test("removes at most as many as it may, the oldest first", () =>
          Effect.gen(function*() {
            for (const id of ["a", "b", "c"]) yield* succeeds(id)
            yield* age(15)
            expect(yield* prune(2)).toBe(2)
            expect(yield* statuses).toEqual(["c succeeded"])
            expect(yield* prune(2)).toBe(1)
          }))
      })

      test("a shared task is one caller's turn in its time, of many that ask at once", () =>
        Effect.gen(function*() {
          const keep = yield* Maintenance
          const askers = Array.from({ length: 20 }, () => keep.claimTask("task", Duration.hours(1)))
          expect((yield* Effect.all(askers, { concurrency: "unbounded" })).filter((turn) => turn).length).toBe(1)
          expect(yield* keep.claimTask("another", Duration.hours(1))).toBe(true)
          expect(yield* keep.claimTask("task", Duration.zero)).toBe(true)
        }))
    })
  })
