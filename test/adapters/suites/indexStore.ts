import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import { IndexStore } from "../../../src/domain/index/IndexStore.js"
import { countsOf, toProgress } from "../../../src/domain/index/IndexJob.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { SearchIndex } from "../../../src/domain/search/SearchIndex.js"
import type { Backend } from "../../support/Databases.js"
import * as Indexing from "../../support/Indexing.js"

const {
  begin,
  catalog,
  embedSome,
  finish,
  forced,
  indexed,
  inTenant,
  pendingIds,
  persist,
  rows,
  sha,
  space,
  counts
} = Indexing

const pets = catalog("pets", { a: "list all pets", b: "add a pet", c: "feed a pet" })
const other = { ...space, model: "fake/other" }

const nearest = (vector: ReadonlyArray<number>) =>
  Effect.map(Effect.flatMap(SearchIndex, (index) => index.semantic(vector, space, {}, 1)), ([hit]) => hit?.score)

/** What every store of vectors does while a job runs. */
export const indexStore = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute" })(`IndexStore on ${backend.name}`, (it) => {
    it.effect("lists what is pending by position, in pages", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        const index = yield* IndexStore
        expect(yield* index.pending(held, space, -1, 2)).toEqual([
          { id: "a", position: 0, text: "list all pets", hash: sha("list all pets") },
          { id: "b", position: 1, text: "add a pet", hash: sha("add a pet") }
        ])
        expect((yield* index.pending(held, space, 1, 2)).map((item) => item.id)).toEqual(["c"])
      }).pipe(inTenant))

    it.effect("goes on where an earlier attempt stopped", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        expect(yield* embedSome(held, 2)).toEqual(["list all pets", "add a pet"])
        expect(yield* counts(held)).toEqual({ items: 3, current: 2, refused: 0 })
        const again = yield* Indexing.interrupted(held)
        expect(yield* embedSome(again)).toEqual(["feed a pet"])
        expect((yield* finish(again)).status).toBe("succeeded")
      }).pipe(inTenant))

    it.effect("knows a text wherever it stands, so that no text is embedded twice", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        expect(yield* indexed(catalog("animals", { x: "add a pet", y: "sell a pet" }))).toEqual(["sell a pet"])
        expect(yield* rows("embedding")).toBe(4)
      }).pipe(inTenant))

    it.effect("embeds nothing when nothing changed", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const held = yield* begin(pets)
        expect(yield* counts(held)).toEqual({ items: 3, current: 3, refused: 0 })
        expect(yield* pendingIds(held)).toEqual([])
        expect((yield* finish(held)).status).toBe("succeeded")
      }).pipe(inTenant))

    it.effect("keeps the vectors of different models and dimensions apart", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const held = yield* begin(pets)
        const index = yield* IndexStore
        const hashes = [sha("add a pet"), sha("nothing")]
        expect(yield* index.known(held, other, hashes)).toEqual(new Set())
        expect(yield* index.known(held, { ...space, dimension: 8 }, hashes)).toEqual(new Set())
        expect(yield* index.known(held, space, hashes)).toEqual(new Set([sha("add a pet")]))
        expect(yield* counts(held, other)).toEqual({ items: 3, current: 0, refused: 0 })
      }).pipe(inTenant))

    it.effect("tells the dimension of a model's vectors, and null where there are none", () =>
      Effect.gen(function*() {
        const index = yield* IndexStore
        expect(yield* index.dimensionOf(space.model)).toBeNull()
        yield* embedSome(yield* begin(pets), 1)
        expect(yield* index.dimensionOf(space.model)).toBe(4)
        expect(yield* index.dimensionOf("other")).toBeNull()
      }).pipe(inTenant))

    it.effect("stores vectors with norm 1, whatever the length of the given ones", () =>
      Effect.gen(function*() {
        const held = yield* begin(catalog("pets", { a: "long" }))
        const long = [3e30, 0, 4e30, 1e-30]
        yield* persist(held, {
          vectors: [{ hash: sha("long"), vector: long }],
          items: [{ id: "a", hash: sha("long"), chunks: [sha("long")] }]
        })
        expect(yield* nearest(long)).toBeCloseTo(1, 6)
        expect(yield* nearest([-3, 0, -4, 0])).toBeCloseTo(-1, 6)
      }).pipe(inTenant))

    it.effect("writes progress with the batch", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        const progress = toProgress({ items: 3, embedded: 2, reused: 1, refused: 0 })
        yield* persist(held, { progress })
        const job = yield* Effect.flatMap(JobQueue, (queue) => queue.find(held.job.id))
        expect(job.progress).toEqual(progress)
        expect(countsOf(job.progress)).toEqual({ items: 3, embedded: 2, reused: 1, refused: 0 })
      }).pipe(inTenant))

    it.effect("refuses a batch under an old fence, and writes nothing of it", () =>
      Effect.gen(function*() {
        const old = yield* begin(pets)
        const newer = yield* Indexing.interrupted(old)
        expect((yield* Effect.flip(embedSome(old)))._tag).toBe("LeaseLost")
        expect(yield* rows("embedding")).toBe(0)
        expect(yield* rows("chunk")).toBe(0)
        expect((yield* Effect.flip(finish(old)))._tag).toBe("LeaseLost")
        expect(yield* embedSome(newer)).toHaveLength(3)
      }).pipe(inTenant))

    it.effect("does not take an item for current before the last of its vectors is there", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        const items = [{ id: "b", hash: sha("add a pet"), chunks: [sha("first half"), sha("second half")] }]
        yield* persist(held, { vectors: Indexing.vectorsOf("first half"), items })
        expect(yield* pendingIds(held)).toEqual(["a", "b", "c"])
        expect(yield* rows("embedding")).toBe(1)
        yield* persist(held, { vectors: Indexing.vectorsOf("second half"), items })
        expect(yield* pendingIds(held)).toEqual(["a", "c"])
      }).pipe(inTenant))

    it.effect("takes one text that stands in several items of a batch", () =>
      Effect.gen(function*() {
        const held = yield* begin(catalog("pets", { a: "same", b: "same" }))
        yield* persist(held, {
          vectors: Indexing.vectorsOf("same", "same"),
          items: ["a", "b"].map((id) => ({ id, hash: sha("same"), chunks: [sha("same")] }))
        })
        expect(yield* counts(held)).toEqual({ items: 2, current: 2, refused: 0 })
        expect(yield* Indexing.served("same")).toEqual(["a", "b"])
        expect(yield* rows("embedding")).toBe(1)
      }).pipe(inTenant))

    it.effect("remembers a refusal as long as text and model stay the same", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* Indexing.refuseAll(held)
        expect(yield* counts(held)).toEqual({ items: 3, current: 0, refused: 3 })
        expect(yield* pendingIds(held)).toEqual([])
        expect(yield* pendingIds(held, other)).toEqual(["a", "b", "c"])
        yield* finish(held)
        const edited = yield* begin(catalog("pets", { a: "list all pets", b: "add a dog", c: "feed a pet" }))
        expect(yield* pendingIds(edited)).toEqual(["b"])
        yield* embedSome(edited)
        expect(yield* counts(edited)).toEqual({ items: 3, current: 1, refused: 2 })
      }).pipe(inTenant))

    it.effect("forgets a refusal when the item's vectors arrive after all", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* Indexing.refuseAll(held)
        const hash = sha("add a pet")
        yield* persist(held, { vectors: Indexing.vectorsOf("add a pet"), items: [{ id: "b", hash, chunks: [hash] }] })
        expect(yield* counts(held)).toEqual({ items: 3, current: 1, refused: 2 })
        expect(yield* rows("refusal")).toBe(2)
      }).pipe(inTenant))

    it.effect("asks a refused item again when all is asked for anew, once", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* Indexing.refuseAll(held)
        yield* finish(held)
        const anew = yield* begin(pets, forced)
        expect(yield* pendingIds(anew)).toEqual(["a", "b", "c"])
        yield* Indexing.refuseAll(anew)
        expect(yield* pendingIds(anew)).toEqual([])
      }).pipe(inTenant))

    it.effect("asks a refused item again when a person does, and tells how many that are", () =>
      Effect.gen(function*() {
        const index = yield* IndexStore
        const held = yield* begin(pets)
        yield* Indexing.refuseAll(held)
        yield* finish(held)
        expect(yield* index.forgetRefusals(held.source)).toBe(3)
        expect(yield* index.forgetRefusals(held.source)).toBe(0)
        expect(yield* pendingIds(yield* begin(pets))).toEqual(["a", "b", "c"])
      }).pipe(inTenant))

    it.effect("forces no longer once a later job is asked for without it, where the forced one is over", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const held = yield* begin(pets, forced)
        yield* Effect.flatMap(JobQueue, (queue) => queue.cancel(held.job.id))
        expect(yield* Indexing.isForced("pets")).toBe(true)
        expect(yield* indexed(pets)).toEqual([])
        expect(yield* Indexing.isForced("pets")).toBe(false)
      }).pipe(inTenant))

    it.effect("embeds all anew when forced, and resumes where the forced run stopped", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const held = yield* begin(pets, forced)
        expect(yield* counts(held)).toEqual({ items: 3, current: 0, refused: 0 })
        expect(yield* embedSome(held, 2)).toEqual(["list all pets", "add a pet"])
        const again = yield* Indexing.interrupted(held)
        expect(yield* embedSome(again)).toEqual(["feed a pet"])
        expect((yield* finish(again)).status).toBe("succeeded")
        expect(yield* indexed(pets)).toEqual([])
      }).pipe(inTenant))

    it.effect("replaces a stored vector in a forced run alone", () =>
      Effect.gen(function*() {
        const one = catalog("pets", { a: "list all pets" })
        const hash = sha("list all pets")
        const turned = { vectors: [{ hash, vector: [0, 0, 0, 7] }], items: [{ id: "a", hash, chunks: [hash] }] }
        yield* indexed(one)
        const unforced = yield* begin(one)
        yield* persist(unforced, turned)
        expect(yield* nearest(Indexing.vectorOf("list all pets"))).toBeCloseTo(1, 6)
        yield* finish(unforced)
        yield* persist(yield* begin(one, forced), turned)
        expect(yield* nearest([0, 0, 0, 1])).toBeCloseTo(1, 6)
      }).pipe(inTenant))

    it.effect("keeps tenants apart", () =>
      Effect.gen(function*() {
        const [mine, theirs] = [Indexing.freshTenant(), Indexing.freshTenant()]
        yield* inTenant(indexed(pets), mine)
        yield* Effect.gen(function*() {
          expect(yield* Indexing.served("x")).toEqual([])
          expect(yield* Effect.flatMap(IndexStore, (index) => index.dimensionOf(space.model))).toBeNull()
          expect(yield* indexed(pets)).toHaveLength(3)
          yield* Indexing.remove("pets")
        }).pipe((run) => inTenant(run, theirs))
        expect(yield* inTenant(Indexing.served("x"), mine)).toEqual(["a", "b", "c"])
        expect(yield* inTenant(indexed(pets), mine)).toEqual([])
      }))
  })
