import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import * as ReconcilerInSql from "../../../src/adapters/postgres/index/Reconciler.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import { ModelNotFound } from "../../../src/domain/failure/Failure.js"
import type { Opening, ServedSpace } from "../../../src/domain/index/Reconciler.js"
import { Reconciler } from "../../../src/domain/index/Reconciler.js"
import type { Job } from "../../../src/domain/job/Job.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Indexing from "../../support/Indexing.js"
import * as Outcomes from "../../support/Outcomes.js"

type Needs = Indexing.Stores | Reconciler | Tenant | SqlClient.SqlClient | Tables

const pets = Indexing.catalog("pets", { one: "first text", two: "second text" })

const unmatched = (space: ServedSpace = Indexing.space) =>
  Effect.map(
    Effect.flatMap(Reconciler, (reconciler) => reconciler.unmatched(space)),
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
  source: Indexing.source(id),
  provider: "fake",
  maxAttempts: 5,
  after: after?.id ?? null
})

const newest = Effect.flatMap(JobQueue, (queue) => Effect.map(queue.list({ limit: 1 }), ([job]) => job ?? null))
const open = (...openings: ReadonlyArray<Opening>) =>
  Effect.flatMap(Reconciler, (reconciler) => reconciler.open(openings))

/** What every back end knows of sources that lost their vectors. */
export const reconciler = (backend: Backend) =>
  describe(`the reconciler of the index on ${backend.name}`, () => {
    it.layer(backend.fresh(all), { timeout: "60 seconds" })((it) => {
      const test = <E>(name: string, body: () => Effect.Effect<void, E, Needs>) =>
        it.effect(name, () => Indexing.inTenant(Effect.provide(body(), ReconcilerInSql.layer)))

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
            expect(opened).toMatchObject({
              kind: "index",
              key: "catalog/pets",
              payload: { source: { kind: "catalog", id: "pets" } },
              version: pets.revision,
              status: "pending",
              provider: "fake",
              session: "fake",
              maxAttempts: 5
            })
            expect(yield* open(opening(opened))).toBe(0)
            expect((yield* Indexing.claim).source).toEqual({ kind: "catalog", id: "pets" })
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
    })
  })
