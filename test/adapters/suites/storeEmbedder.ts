import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import * as StoreEmbedderInSql from "../../../src/adapters/postgres/embedder/StoreEmbedder.js"
import * as Profile from "../../../src/domain/index/EmbedderProfile.js"
import * as IndexJob from "../../../src/domain/index/IndexJob.js"
import type { VectorSpace } from "../../../src/domain/index/IndexStore.js"
import { StoreEmbedder } from "../../../src/domain/index/StoreEmbedder.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import type { Wanted } from "../../../src/domain/lease/Wanted.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Indexing from "../../support/Indexing.js"

const { catalog, indexed, rows, space } = Indexing

const profile = (more: Partial<Profile.EmbedderProfile> = {}) =>
  Profile.EmbedderProfile.make({
    provider: "fake",
    model: "model",
    dimension: Option.some(4),
    chunkWords: 100,
    ...more
  })

const old = profile()
const newer = profile({ provider: "other", model: "newer", dimension: Option.some(8) })
const newerSpace: VectorSpace = Profile.spaceOf(newer, 8)
const cut = profile({ chunkWords: 50 })
const cutSpace: VectorSpace = { ...space, chunkWords: 50 }

const pets = catalog("pets", { a: "list all pets", b: "add a pet" })
const cars = catalog("cars", { a: "list all cars", b: "add a pet" })

const store = StoreEmbedder

const find = Effect.flatMap(store, (one) => one.find)
const change = (to: Profile.EmbedderProfile) => Effect.flatMap(store, (one) => one.change(to))
const retire = Effect.flatMap(store, (one) => one.retire)
const headway = Effect.flatMap(store, (one) => one.headway)
const estimate = (to: Profile.EmbedderProfile) => Effect.flatMap(store, (one) => one.estimate(to))
const adopt = (one: Profile.EmbedderProfile) => Effect.flatMap(store, (port) => port.adopt(one))

/** What serves each catalog. */
const serving = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const found = yield* sql<{ readonly id: string; readonly model: string; readonly chunk_words: number }>`
    select id, model, chunk_words from holdfast.source where tenant = ${yield* Tenant} order by id`
  return found.map((row) => `${row.id}: ${row.model} ${row.chunk_words}`)
})

/** What every store tells of the embedder that it uses. */
export const storeEmbedder = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute" })(`StoreEmbedder on ${backend.name}`, (it) => {
    const test = (
      name: string,
      body: Effect.Effect<void, unknown, Indexing.Stores | StoreEmbedder | SqlClient.SqlClient | Tables | Tenant>
    ) =>
      it.effect(name, () => {
        const tenant = Indexing.freshTenant()
        return Indexing.inTenant(
          Effect.provide(body, StoreEmbedderInSql.layer),
          tenant
        )
      })

    test(
      "names none before the first index, and keeps the first as long as there is a source",
      Effect.gen(function*() {
        expect(yield* find).toEqual(Option.none())
        expect(yield* adopt(newer)).toEqual({ uses: newer, leaving: [] })
        expect(yield* adopt(old)).toEqual({ uses: old, leaving: [] })
        yield* indexed(pets)
        expect(yield* adopt(newer)).toEqual({ uses: old, leaving: [] })
        expect(yield* find).toEqual(Option.some({ uses: old, leaving: [] }))
        yield* Indexing.remove("pets")
        expect((yield* adopt(newer)).uses).toEqual(newer)
      })
    )

    test(
      "learns the dimension from the first vectors",
      Effect.gen(function*() {
        yield* adopt(profile({ dimension: Option.none() }))
        const held = yield* Indexing.begin(pets)
        expect(Option.map(yield* find, ({ uses }) => uses.dimension)).toEqual(Option.some(Option.none()))
        yield* Indexing.embedSome(held)
        expect(Option.map(yield* find, ({ uses }) => uses)).toEqual(Option.some(old))
        yield* Indexing.finish(held)
        expect(Option.map(yield* find, ({ uses }) => uses)).toEqual(Option.some(old))
      })
    )

    test(
      "lets the old vectors serve each catalog until its own new ones are complete, and all of them until the last has moved",
      Effect.gen(function*() {
        yield* adopt(old)
        yield* indexed(pets)
        yield* indexed(cars)
        expect(yield* change(newer)).toEqual({ uses: newer, leaving: [old] })
        expect(yield* change(newer)).toEqual({ uses: newer, leaving: [old] })
        expect(yield* headway).toMatchObject({ sources: 2, moved: 0, items: 4, done: 0, failed: 0 })
        const held = yield* Indexing.begin(pets)
        yield* Indexing.embedSome(held, 1, newerSpace)
        expect(yield* headway).toMatchObject({ moved: 0, done: 1 })
        yield* Indexing.embedSome(held, 10, newerSpace)
        yield* Indexing.finish(held, newerSpace)
        expect(yield* serving).toEqual(["cars: fake/model 100", "pets: other/newer 100"])
        expect(yield* retire).toBe(false)
        expect([yield* rows("chunk"), yield* rows("embedding")]).toEqual([6, 5])
        yield* indexed(cars, Indexing.plain, newerSpace)
        expect(yield* headway).toMatchObject({ sources: 2, moved: 2, items: 4, done: 4 })
        expect([yield* rows("chunk"), yield* rows("embedding")]).toEqual([8, 6])
        expect(yield* retire).toBe(true)
        expect([yield* rows("chunk"), yield* rows("embedding"), yield* rows("stray")]).toEqual([4, 3, 0])
        expect(yield* find).toEqual(Option.some({ uses: newer, leaving: [] }))
      })
    )

    test(
      "finds every vector again when it goes back in the middle",
      Effect.gen(function*() {
        yield* adopt(old)
        yield* indexed(pets)
        yield* indexed(cars)
        yield* change(newer)
        yield* indexed(pets, Indexing.plain, newerSpace)
        expect(yield* estimate(old)).toEqual({ sources: 2, texts: 3, stored: 3 })
        expect(yield* change(old)).toEqual({ uses: old, leaving: [newer] })
        expect(yield* indexed(pets)).toEqual([])
        expect(yield* retire).toBe(true)
        expect(yield* serving).toEqual(["cars: fake/model 100", "pets: fake/model 100"])
        expect([yield* rows("chunk"), yield* rows("embedding")]).toEqual([4, 3])
      })
    )

    test(
      "takes other chunks for another set of the same vectors",
      Effect.gen(function*() {
        yield* adopt(old)
        yield* indexed(pets)
        yield* change(cut)
        expect(yield* estimate(cut)).toEqual({ sources: 1, texts: 2, stored: 2 })
        expect(yield* indexed(pets, Indexing.plain, cutSpace)).toEqual([])
        expect(yield* serving).toEqual(["pets: fake/model 50"])
        expect(yield* retire).toBe(true)
        expect([yield* rows("chunk"), yield* rows("embedding")]).toEqual([2, 2])
      })
    )

    test(
      "keeps what was refused apart, too: other chunks may pass",
      Effect.gen(function*() {
        yield* adopt(old)
        const held = yield* Indexing.begin(pets)
        yield* Indexing.refuseAll(held)
        yield* Indexing.finish(held)
        yield* change(cut)
        const again = yield* Indexing.begin(pets)
        expect(yield* Indexing.pendingIds(again, cutSpace)).toEqual(["a", "b"])
        yield* Indexing.embedSome(again, 10, cutSpace)
        yield* Indexing.finish(again, cutSpace)
        expect(yield* rows("refusal")).toBe(2)
        expect(yield* retire).toBe(true)
        expect(yield* rows("refusal")).toBe(0)
      })
    )

    test(
      "counts what a change would take, equal texts once",
      Effect.gen(function*() {
        yield* adopt(old)
        yield* indexed(pets)
        yield* indexed(cars)
        expect(yield* estimate(newer)).toEqual({ sources: 2, texts: 3, stored: 0 })
        expect(yield* estimate(profile({ dimension: Option.none() }))).toEqual({ sources: 2, texts: 3, stored: 3 })
      })
    )

    test(
      "sends the job of an embedder that was left back, and has it wait for the one that is used",
      Effect.gen(function*() {
        yield* adopt(old)
        const held = yield* Indexing.begin(pets)
        yield* Indexing.embedSome(held)
        yield* Indexing.put(cars)
        yield* change(newer)
        const queue = yield* JobQueue
        expect((yield* queue.list({ limit: 9 })).map(({ provider, session, status }) => [status, provider, session]))
          .toEqual([["pending", "other", "other"], ["running", "other", "other"]])
        expect((yield* Indexing.finish(held)).status).toBe("pending")
        expect(yield* serving).toEqual(["cars: null null", "pets: null null"])
        const { tenants } = yield* Indexing.wanted
        const wanted = (provider: string): Wanted => ({
          tenants,
          kinds: [{ kind: IndexJob.kind, provider: Option.some(provider) }]
        })
        const claimed = (provider: string) =>
          Effect.map(
            queue.claim({ worker: held.worker, slots: 9, duration: Duration.minutes(1), ...wanted(provider) }),
            (all) => all.map(({ job }) => job.key).toSorted()
          )
        expect(yield* claimed("fake")).toEqual([])
        expect(yield* queue.nextReadyIn(wanted("fake"))).toEqual(Option.none())
        expect(yield* queue.nextReadyIn(wanted("other"))).toEqual(Option.some(Duration.zero))
        expect(yield* claimed("other")).toEqual(["catalog/cars", "catalog/pets"])
      })
    )

    test(
      "redirects a job that somebody asked of another provider, once",
      Effect.gen(function*() {
        yield* adopt(old)
        yield* Indexing.put(pets, { ...Indexing.plain, provider: "nobody" })
        const redirect = Effect.flatMap(store, (one) => one.redirect)
        expect([yield* redirect, yield* redirect]).toEqual([1, 0])
        expect((yield* Indexing.claim).source.id).toBe("pets")
      })
    )

    test(
      "is a tenant's own",
      Effect.gen(function*() {
        yield* adopt(old)
        yield* indexed(pets)
        const elsewhere = Indexing.freshTenant()
        yield* Effect.gen(function*() {
          expect(yield* find).toEqual(Option.none())
          yield* adopt(newer)
          expect(yield* headway).toMatchObject({ sources: 0 })
          expect(yield* estimate(old)).toEqual({ sources: 0, texts: 0, stored: 0 })
        }).pipe(
          Effect.provide(Layer.fresh(StoreEmbedderInSql.layer)),
          Effect.provideService(Tenant, elsewhere)
        )
        expect(Option.map(yield* find, ({ uses }) => uses)).toEqual(Option.some(old))
      })
    )
  })
