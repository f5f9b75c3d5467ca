import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import * as UpkeepSql from "../../../src/adapters/postgres/upkeep/Upkeep.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import { ModelNotFound } from "../../../src/domain/failure/Failure.js"
import type { Job } from "../../../src/domain/job/Job.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import type { Opening, ServedSpace } from "../../../src/domain/job/Upkeep.js"
import { Upkeep } from "../../../src/domain/job/Upkeep.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Indexing from "../../support/Indexing.js"
import { claim, source } from "./queueKit.js"
import * as Outcomes from "../../support/Outcomes.js"

type Needs = Indexing.Stores | Upkeep | Tenant | SqlClient.SqlClient | Tables

const pets = Indexing.catalog("pets", { one: "first text", two: "second text" })

const unmatched = (space: ServedSpace = Indexing.space) =>
  Effect.map(
    Effect.flatMap(Upkeep, (upkeep) => upkeep.unmatched(space)),
    (found) => found.map(({ last, source }) => [source.id, Option.getOrNull(Option.map(last, (job) => job.failures))])
  )

const fails = (stored: Parameters<typeof Indexing.begin>[0]) =>
  Effect.flatMap(Indexing.begin(stored), (held) =>
    Effect.flatMap(JobQueue, (queue) =>
      queue.settle(
        held,
        Outcomes.halted(new ModelNotFound({ provider: "fake", detail: "404", model: "m" }))
      )))

const opening = (after: Job | null, id = "pets"): Opening => ({
  source: source(id),
  provider: "fake",
  maxAttempts: 5,
  after: after?.id ?? null
})

const newest = Effect.flatMap(JobQueue, (queue) => Effect.map(queue.list({ limit: 1 }), ([job]) => job ?? null))
const open = (...openings: ReadonlyArray<Opening>) => Effect.flatMap(Upkeep, (upkeep) => upkeep.open(openings))
const prune = (limit = 500) => Effect.flatMap(Upkeep, (upkeep) => upkeep.prune(Duration.days(14), limit))
const statuses = Effect.flatMap(
  JobQueue,
  (queue) =>
    Effect.map(queue.list({ limit: 100 }), (jobs) => jobs.map((job) => `${job.source.id} ${job.status}`).toSorted())
)

/** All jobs of the tenant that ended did so longer ago. */
const age = (days: number) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const by = sql`finished_at = finished_at - ${days}::float8 * interval '1 day'`
    yield* sql`update holdfast.index_job set ${by} where tenant = ${yield* Tenant}`
    yield* sql`update holdfast.index_job_history set ${by} where tenant = ${yield* Tenant}`
  })

/** What every back end's upkeep does. */
export const upkeep = (backend: Backend) =>
  describe(`the upkeep of the queue on ${backend.name}`, () => {
    it.layer(backend.fresh(all), { timeout: "60 seconds" })((it) => {
      const test = <E>(name: string, body: () => Effect.Effect<void, E, Needs>) =>
        it.effect(name, () => {
          const tenant = Indexing.freshTenant()
          const own = Layer.provide(UpkeepSql.layer, Layer.succeed(Tenant, tenant))
          return Indexing.inTenant(Effect.provide(body(), own), tenant)
        })

      describe("sources whose vectors do not match", () => {
        test("are none after a job that ended well", () =>
          Effect.gen(function*() {
            yield* Indexing.indexed(pets)
            expect(yield* unmatched()).toEqual([])
          }))

        test("are none while a job is open", () =>
          Effect.gen(function*() {
            yield* Indexing.put(pets)
            expect(yield* unmatched()).toEqual([])
            yield* Indexing.claim
            expect(yield* unmatched()).toEqual([])
          }))

        test("are found by the model, the dimension and the chunks that serve", () =>
          Effect.gen(function*() {
            yield* Indexing.indexed(pets)
            expect(yield* unmatched({ ...Indexing.space, model: "fake/another" })).toEqual([["pets", 0]])
            expect(yield* unmatched({ ...Indexing.space, dimension: 8 })).toEqual([["pets", 0]])
            expect(yield* unmatched({ ...Indexing.space, chunkWords: 50 })).toEqual([["pets", 0]])
          }))

        test("are told by the stored dimension where the embedder names none", () =>
          Effect.gen(function*() {
            const served = { ...Indexing.space, dimension: null }
            yield* fails(pets)
            expect(yield* unmatched(served)).toEqual([["pets", 1]])
            yield* Indexing.indexed(Indexing.catalog("cars", { three: "third text" }))
            expect(yield* unmatched(served)).toEqual([["pets", 1]])
            expect(yield* unmatched({ ...Indexing.space, model: "fake/another", dimension: null })).toEqual([[
              "cars",
              0
            ], ["pets", 1]])
          }))

        test("are found by the hash of an item's text, and by a chunk that is gone", () =>
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            const tenant = yield* Tenant
            yield* Indexing.indexed(pets)
            yield* sql`update holdfast.item set text_hash = 'other' where tenant = ${tenant} and id = 'one'`
            expect(yield* unmatched()).toEqual([["pets", 0]])
            yield* Indexing.indexed(Indexing.catalog("cars", { three: "third text" }))
            yield* sql`delete from holdfast.chunk where tenant = ${tenant} and source_id = 'cars'`
            expect(yield* unmatched()).toEqual([["cars", 0], ["pets", 0]])
          }))

        test("are none where the rest was refused, until the refused text is another", () =>
          Effect.gen(function*() {
            const held = yield* Indexing.begin(pets)
            yield* Indexing.refuseAll(held)
            yield* Indexing.finish(held)
            expect(yield* unmatched()).toEqual([])
            expect(yield* unmatched({ ...Indexing.space, model: "fake/another" })).toEqual([["pets", 0]])
          }))

        test("are found where a removed item still stands", () =>
          Effect.gen(function*() {
            yield* Indexing.indexed(pets)
            yield* fails(Indexing.catalog("pets", { one: "first text" }))
            expect(yield* unmatched()).toEqual([["pets", 1]])
          }))

        test("come with their failures in a row, counted since the last job that did not fail", () =>
          Effect.gen(function*() {
            yield* fails(pets)
            yield* Indexing.indexed(pets)
            yield* fails(Indexing.catalog("pets", { one: "a newer text" }))
            yield* fails(Indexing.catalog("pets", { one: "a newer text" }))
            expect(yield* unmatched()).toEqual([["pets", 2]])
          }))

        test("are a tenant's own", () =>
          Effect.gen(function*() {
            yield* fails(pets)
            expect(yield* Effect.provideService(unmatched(), Tenant, Indexing.freshTenant())).toEqual([])
          }))
      })

      describe("opening", () => {
        test("gives a job to a source that has none, and leaves an open one as it is", () =>
          Effect.gen(function*() {
            yield* fails(pets)
            const failed = yield* newest
            expect(yield* open(opening(failed))).toBe(1)
            const opened = yield* newest
            expect(opened?.id).not.toBe(failed?.id)
            expect(opened).toMatchObject({ status: "pending", provider: "fake", maxAttempts: 5 })
            expect(yield* open(opening(opened))).toBe(0)
          }))

        test("does nothing where another process opened and ended a job meanwhile", () =>
          Effect.gen(function*() {
            yield* fails(pets)
            const seen = yield* newest
            yield* fails(pets)
            expect(yield* open(opening(seen))).toBe(0)
          }))

        test("does nothing for a source that is gone", () =>
          Effect.gen(function*() {
            expect(yield* open(opening(null, "never-stored"))).toBe(0)
            expect(yield* open()).toBe(0)
          }))
      })

      describe("the line of pending jobs", () => {
        const lineUp = Effect.flatMap(Upkeep, (upkeep) => upkeep.lineUp)
        const lined = Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          return (yield* sql`select id from holdfast.pending where tenant = ${yield* Tenant}`).length
        })

        test("gets back the jobs that fell out of it", () =>
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            yield* Indexing.put(pets)
            yield* sql`delete from holdfast.pending where tenant = ${yield* Tenant}`
            expect(yield* claim(1)).toEqual([])
            expect([yield* lineUp, yield* lineUp]).toEqual([1, 0])
            expect((yield* claim(1)).map(({ job }) => job.source.id)).toEqual(["pets"])
          }))

        test("loses what is no pending job, and nothing else", () =>
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            const tenant = yield* Tenant
            const running = yield* Indexing.begin(pets)
            yield* Indexing.put(Indexing.catalog("cars", { x: "x" }))
            yield* sql`insert into holdfast.pending (tenant, provider, run_at, id)
              values (${tenant}, 'fake', now(), ${running.job.id}), (${tenant}, 'fake', now(), 987654321)`
            expect([yield* lined, yield* lineUp, yield* lined]).toEqual([3, 0, 1])
            expect((yield* claim(2)).map(({ job }) => job.source.id)).toEqual(["cars"])
          }))
      })

      describe("pruning", () => {
        test("removes what ended more than 14 days ago, and keeps the newest failure of a source", () =>
          Effect.gen(function*() {
            yield* Indexing.indexed(pets)
            yield* fails(Indexing.catalog("cars", { x: "x" }))
            yield* fails(Indexing.catalog("cars", { x: "x" }))
            yield* age(13)
            expect(yield* prune()).toBe(0)
            yield* age(2)
            expect(yield* prune()).toBe(2)
            expect(yield* statuses).toEqual(["cars failed"])
            expect(yield* prune()).toBe(0)
          }))

        test("keeps open jobs, however old they are", () =>
          Effect.gen(function*() {
            yield* Indexing.put(pets)
            yield* age(100)
            expect(yield* prune()).toBe(0)
            expect(yield* statuses).toEqual(["pets pending"])
          }))

        test("removes a failure that a newer job made good, and one of a source that is gone", () =>
          Effect.gen(function*() {
            yield* fails(pets)
            yield* Indexing.indexed(pets)
            yield* fails(Indexing.catalog("cars", { x: "x" }))
            yield* Indexing.remove("cars")
            yield* age(15)
            expect(yield* prune()).toBe(3)
          }))

        test("removes at most as many as it may, the oldest first", () =>
          Effect.gen(function*() {
            for (const id of ["a", "b", "c"]) yield* Indexing.indexed(Indexing.catalog(id, { x: "x" }))
            yield* age(15)
            expect(yield* prune(2)).toBe(2)
            expect(yield* statuses).toEqual(["c succeeded"])
            expect(yield* prune(2)).toBe(1)
          }))
      })

      test("a shared task is one caller's turn in its time, of many that ask at once", () =>
        Effect.gen(function*() {
          const upkeep = yield* Upkeep
          const askers = Array.from({ length: 20 }, () => upkeep.isTurn("task", Duration.hours(1)))
          expect((yield* Effect.all(askers, { concurrency: "unbounded" })).filter((turn) => turn).length).toBe(1)
          expect(yield* upkeep.isTurn("another", Duration.hours(1))).toBe(true)
          expect(yield* upkeep.isTurn("task", Duration.zero)).toBe(true)
        }))
    })
  })
