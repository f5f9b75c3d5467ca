import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import { CatalogStore } from "../../../src/domain/catalog/CatalogStore.js"
import { IndexStore } from "../../../src/domain/index/IndexStore.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Indexing from "../../support/Indexing.js"

const { begin, catalog, embedSome, finish, forced, indexed, inTenant, put, remove, rows, space } = Indexing

const texts = { a: "list all pets", b: "add a pet", c: "feed a pet" }
const pets = catalog("pets", texts)

const find = (name: string) => Effect.flatMap(CatalogStore, (store) => store.find(name))
const list = Effect.flatMap(CatalogStore, (store) => store.list)

/** Which version of each item's row is stored: it changes with every write of the row. */
const versions = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const found = yield* sql<{ readonly id: string; readonly version: string }>`
    select id, xmin::text as version from holdfast.item where tenant = ${yield* Tenant} order by id`
  return Object.fromEntries(found.map((row) => [row.id, row.version]))
})

/** What every store of catalogs does. */
export const catalogStore = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute" })(`CatalogStore on ${backend.name}`, (it) => {
    it.effect("stores a catalog and enqueues its job", () =>
      Effect.gen(function*() {
        const job = yield* put(pets)
        expect(job.status).toBe("pending")
        const found = yield* find("pets")
        const itsJob = Option.getOrThrow(found.job)
        expect(itsJob).toMatchObject({ id: job.id, status: "pending", provider: "fake", maxAttempts: 5 })
        expect(itsJob).toMatchObject({
          kind: "index",
          key: "catalog/pets",
          payload: { source: { kind: "catalog", id: "pets" } },
          version: pets.revision
        })
        expect(found).toMatchObject({
          name: "pets",
          location: "/specs/pets.json",
          title: "The pets API",
          version: "1.0",
          revision: pets.revision,
          items: 3,
          indexed: 0,
          refused: 0,
          model: Option.none(),
          dimension: Option.none()
        })
      }).pipe(inTenant))

    it.effect("counts what is indexed and refused while the first run goes on, and names the model at its end", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* embedSome(held, 2)
        expect(yield* find("pets")).toMatchObject({ items: 3, indexed: 2, refused: 0, model: Option.none() })
        yield* Indexing.refuseAll(held)
        expect(yield* find("pets")).toMatchObject({ items: 3, indexed: 2, refused: 1 })
        yield* finish(held)
        expect(yield* find("pets")).toMatchObject({
          items: 3,
          indexed: 2,
          refused: 1,
          model: Option.some(space.model),
          dimension: Option.some(space.dimension)
        })
      }).pipe(inTenant))

    it.effect("counts refusals where no item has a vector", () =>
      Effect.gen(function*() {
        yield* Indexing.refuseAll(yield* begin(pets))
        expect(yield* find("pets")).toMatchObject({ items: 3, indexed: 0, refused: 3 })
      }).pipe(inTenant))

    it.effect("counts the space that serves until another one is complete", () =>
      Effect.gen(function*() {
        const wide = { ...space, dimension: 6 }
        yield* indexed(pets)
        const held = yield* begin(pets)
        yield* embedSome(held, 1, wide)
        expect(yield* find("pets")).toMatchObject({ indexed: 3, dimension: Option.some(4) })
        yield* embedSome(held, 9, wide)
        yield* finish(held, wide)
        expect(yield* find("pets")).toMatchObject({ indexed: 3, dimension: Option.some(6) })
      }).pipe(inTenant))

    it.effect("counts an edited item as not indexed, and a removed one not at all", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        yield* put(catalog("pets", { a: texts.a, b: "add a dog" }))
        expect(yield* find("pets")).toMatchObject({ items: 2, indexed: 1 })
      }).pipe(inTenant))

    it.effect("lists all catalogs by name, each with its newest job", () =>
      Effect.gen(function*() {
        expect(yield* list).toEqual([])
        yield* indexed(pets)
        const newer = yield* put(pets)
        yield* put(catalog("animals", { x: "sell a pet" }))
        const found = yield* list
        expect(found.map((one) => [one.name, one.items, one.indexed])).toEqual([["animals", 1, 0], ["pets", 3, 3]])
        const last = yield* find("pets")
        expect(last).toEqual(found[1])
        expect(Option.map(last.job, (job) => job.id)).toEqual(Option.some(newer.id))
      }).pipe(inTenant))

    it.effect("writes only the items that differ", () =>
      Effect.gen(function*() {
        yield* put(pets)
        const before = yield* versions
        yield* put(pets)
        expect(yield* versions).toEqual(before)
        yield* put(catalog("pets", { ...texts, b: "add a dog" }))
        const after = yield* versions
        expect({ ...after, b: before["b"] }).toEqual(before)
        expect(after["b"]).not.toBe(before["b"])
      }).pipe(inTenant))

    it.effect("keeps the document's order when items move", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const { a, b, c } = texts
        const held = yield* begin(catalog("pets", { c, fresh: "fresh", a, b }))
        const index = yield* IndexStore
        const items = yield* index.pending(held, { ...Indexing.space, model: "other" }, -1, 10)
        expect(items.map((item) => [item.id, item.position])).toEqual([["c", 0], ["fresh", 1], ["a", 2], ["b", 3]])
        expect(yield* Indexing.pendingIds(held)).toEqual(["fresh"])
      }).pipe(inTenant))

    it.effect("changes what is shown of an item without asking for its vector again", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const items = pets.items.map((item) => ({ ...item, summary: "Anew" }))
        const held = yield* begin({ ...pets, items })
        expect(yield* Indexing.pendingIds(held)).toEqual([])
      }).pipe(inTenant))

    it.effect("keeps one open job for a catalog, and forces the run when asked to", () =>
      Effect.gen(function*() {
        const first = yield* put(pets)
        const second = yield* put(pets, forced)
        expect(second.id).toBe(first.id)
        expect(yield* Indexing.isForced("pets")).toBe(true)
      }).pipe(inTenant))

    it.effect("takes a catalog of several thousand items", () =>
      Effect.gen(function*() {
        const many = Object.fromEntries(Array.from({ length: 2500 }, (_, n) => [`op${n}`, `operation ${n}`]))
        yield* put(catalog("big", many))
        expect(yield* find("big")).toMatchObject({ items: 2500, indexed: 0 })
        const held = yield* Indexing.claim
        const index = yield* IndexStore
        expect((yield* index.pending(held, space, 2497, 10)).map((item) => item.id)).toEqual(["op2498", "op2499"])
      }).pipe(inTenant))

    it.effect("stores nothing at all when a part cannot be stored", () =>
      Effect.gen(function*() {
        const twice = { ...pets, items: [...pets.items, ...pets.items.slice(0, 1)] }
        expect((yield* Effect.flip(put(twice)))._tag).toBe("StoreBroken")
        for (const table of ["source", "item"] as const) expect(yield* rows(table)).toBe(0)
        expect(yield* Effect.flatMap(JobQueue, (queue) => queue.list({ limit: 10 }))).toEqual([])
      }).pipe(inTenant))

    it.effect("removes a catalog with its items, vectors and open job", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const job = yield* put(pets)
        yield* remove("pets")
        expect(yield* list).toEqual([])
        for (const table of ["source", "item", "chunk", "embedding", "refusal", "stray"] as const) {
          expect(yield* rows(table)).toBe(0)
        }
        expect((yield* Effect.flatMap(JobQueue, (queue) => queue.find(job.id))).status).toBe("cancelled")
      }).pipe(inTenant))

    it.effect("keeps the vectors that another catalog shares with a removed one", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        yield* indexed(catalog("animals", { x: texts.b }))
        yield* remove("pets")
        expect(yield* rows("embedding")).toBe(1)
        expect(yield* indexed(catalog("animals", { x: texts.b }))).toEqual([])
      }).pipe(inTenant))

    it.effect("says by name that a catalog does not exist", () =>
      Effect.gen(function*() {
        expect(yield* Effect.flip(find("pets"))).toMatchObject({ _tag: "CatalogNotFound", name: "pets" })
        expect(yield* Effect.flip(remove("pets"))).toMatchObject({ _tag: "CatalogNotFound", name: "pets" })
      }).pipe(inTenant))

    it.effect("names the catalog that was meant, of the same tenant alone", () =>
      Effect.gen(function*() {
        yield* inTenant(put(catalog("petz", { x: "another" })), Indexing.freshTenant())
        expect(yield* Effect.flip(find("petz"))).not.toHaveProperty("nearest")
        yield* put(pets)
        for (const missing of [yield* Effect.flip(find("petz")), yield* Effect.flip(remove("petz"))]) {
          expect(missing).toMatchObject({ _tag: "CatalogNotFound", nearest: "pets" })
          expect(missing.message).toContain("There is no catalog \"petz\". Did you mean \"pets\"?")
        }
        expect((yield* Effect.flip(find("x\u001b[31m\n\u202e"))).message).toContain("no catalog \"x\"")
      }).pipe(inTenant))

    it.effect("keeps the catalogs of tenants apart", () =>
      Effect.gen(function*() {
        const mine = Indexing.freshTenant()
        yield* inTenant(put(pets), mine)
        yield* inTenant(Effect.gen(function*() {
          expect(yield* list).toEqual([])
          expect((yield* Effect.flip(remove("pets")))._tag).toBe("CatalogNotFound")
          yield* put(catalog("pets", { x: "another" }))
        }))
        expect(yield* inTenant(find("pets"), mine)).toMatchObject({ items: 3 })
      }))
  })
