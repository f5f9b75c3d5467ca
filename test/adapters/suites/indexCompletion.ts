import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import { IndexStore } from "../../../src/domain/index/IndexStore.js"
import { toProgress } from "../../../src/domain/index/IndexJob.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Indexing from "../../support/Indexing.js"

const { begin, catalog, claim, embedSome, finish, indexed, inTenant, persist, rows, served, sha, space, counts } =
  Indexing

const texts = { a: "list all pets", b: "add a pet", c: "feed a pet" }
const pets = catalog("pets", texts)
const edited = catalog("pets", { ...texts, b: "add a dog" })

/** What every store of vectors does when a job ends, or its source changes beneath it. */
export const indexCompletion = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute" })(`IndexStore.equalise on ${backend.name}`, (it) => {
    it.effect("ends as partial where items were refused", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* embedSome(held, 2)
        yield* Indexing.refuseAll(held)
        const progress = toProgress({ items: 3, embedded: 2, reused: 0, refused: 1 })
        const settled = yield* finish(held, space, progress)
        expect(settled.status).toBe("partial")
        const job = yield* Effect.flatMap(JobQueue, (queue) => queue.find(held.job.id))
        expect(job.progress).toEqual(progress)
      }).pipe(inTenant))

    it.effect("runs again when the source was edited meanwhile, and keeps what is done", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* embedSome(held)
        yield* Indexing.put(edited)
        const settled = yield* finish(held)
        expect(settled.status).toBe("pending")
        expect(Option.isSome(settled.runAt)).toBe(true)
        expect(yield* served("x")).toEqual(["a", "b", "c"])
        const again = yield* claim
        expect(yield* embedSome(again)).toEqual(["add a dog"])
        expect((yield* finish(again)).status).toBe("succeeded")
      }).pipe(inTenant))

    it.effect("is not complete while an item has no vectors, or the store uses another embedder, and gone with its source", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const held = yield* begin(pets)
        expect(yield* Indexing.equalise(held)).toBe("incomplete")
        yield* embedSome(held)
        yield* sql`
          insert into holdfast.embedder (tenant, place, provider, model, qualified, chunk_words)
          values (${yield* Tenant}, 0, 'other', 'other', 'other/other', 100)`
        expect(yield* Indexing.equalise(held)).toBe("incomplete")
        yield* sql`delete from holdfast.embedder where tenant = ${yield* Tenant}`
        expect(yield* Indexing.equalise(held)).toBe("complete")
        yield* sql`delete from holdfast.source where tenant = ${yield* Tenant}`
        expect(yield* Indexing.equalise(held)).toBe("gone")
      }).pipe(inTenant))

    it.effect("runs again, though its source was edited to what is done, once: its job was asked for something else", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* embedSome(held)
        yield* Indexing.put({ ...pets, revision: sha("another document with the same texts") })
        expect((yield* finish(held)).status).toBe("pending")
        const again = yield* claim
        expect(yield* embedSome(again)).toEqual([])
        expect((yield* finish(again)).status).toBe("succeeded")
      }).pipe(inTenant))

    it.effect("does not run again for a document that was only stored twice", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* Indexing.put(pets)
        yield* embedSome(held)
        expect((yield* finish(held)).status).toBe("succeeded")
      }).pipe(inTenant))

    it.effect("runs again, and embeds all anew, what was asked for by force while it ran", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* embedSome(held)
        expect((yield* Indexing.put(pets, Indexing.forced)).status).toBe("running")
        expect(yield* Indexing.isForced("pets")).toBe(true)
        expect((yield* finish(held)).status).toBe("pending")
        const again = yield* claim
        expect(yield* embedSome(again)).toHaveLength(3)
        expect((yield* finish(again)).status).toBe("succeeded")
        expect(yield* Indexing.isForced("pets")).toBe(false)
      }).pipe(inTenant))

    it.effect("does not take the vector of a text that was edited meanwhile for the new text's", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* Indexing.put(edited)
        const hash = sha("add a pet")
        yield* persist(held, { vectors: Indexing.vectorsOf("add a pet"), items: [{ id: "b", hash, chunks: [hash] }] })
        expect(yield* counts(held)).toEqual({ items: 3, current: 0, refused: 0 })
      }).pipe(inTenant))

    it.effect("runs again at once when items are missing at the end", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* embedSome(held, 2)
        expect((yield* finish(held)).status).toBe("pending")
        const again = yield* claim
        expect(yield* embedSome(again)).toEqual(["feed a pet"])
        expect((yield* finish(again)).status).toBe("succeeded")
      }).pipe(inTenant))

    it.effect("embeds in its next job the one text whose vector went missing", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const sql = yield* SqlClient.SqlClient
        yield* sql`delete from holdfast.embedding where tenant = ${yield* Tenant} and text_hash = ${sha("add a pet")}`
        const again = yield* begin(pets)
        expect(yield* counts(again)).toEqual({ items: 3, current: 2, refused: 0 })
        expect(yield* embedSome(again)).toEqual(["add a pet"])
        expect((yield* finish(again)).status).toBe("succeeded")
      }).pipe(inTenant))

    it.effect("refuses the writes of a job whose source was removed", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        yield* embedSome(held, 1)
        yield* Indexing.remove("pets")
        expect((yield* Effect.flip(finish(held)))._tag).toBe("LeaseLost")
        expect((yield* Effect.flip(persist(held, { vectors: Indexing.vectorsOf("x") })))._tag).toBe("LeaseLost")
        const job = yield* Effect.flatMap(JobQueue, (queue) => queue.find(held.job.id))
        expect(job.status).toBe("cancelled")
        for (const table of ["source", "item", "chunk", "embedding"] as const) expect(yield* rows(table)).toBe(0)
      }).pipe(inTenant))

    it.effect("ends the job as cancelled when its source is gone without a word", () =>
      Effect.gen(function*() {
        const held = yield* begin(pets)
        const sql = yield* SqlClient.SqlClient
        yield* sql`delete from holdfast.source where tenant = ${yield* Tenant}`
        expect((yield* finish(held)).status).toBe("cancelled")
      }).pipe(inTenant))

    it.effect("lets removed items serve until the job is complete, then forgets them", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const held = yield* begin(catalog("pets", { a: texts.a, b: "add a dog" }))
        expect(yield* counts(held)).toEqual({ items: 2, current: 1, refused: 0 })
        yield* embedSome(held)
        expect(yield* served("x")).toEqual(["a", "b", "c"])
        yield* finish(held)
        expect(yield* served("x")).toEqual(["a", "b"])
        expect(yield* rows("item")).toBe(2)
        expect(yield* rows("embedding")).toBe(2)
      }).pipe(inTenant))

    it.effect("takes back an item that was removed and returned before the job ran", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        yield* Indexing.put(catalog("pets", { a: texts.a }))
        const held = yield* begin(pets)
        expect(yield* counts(held)).toEqual({ items: 3, current: 3, refused: 0 })
        yield* finish(held)
        expect(yield* rows("embedding")).toBe(3)
      }).pipe(inTenant))

    it.effect("forgets the old vectors of an item whose new text was refused", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const held = yield* begin(edited)
        yield* Indexing.refuseAll(held)
        expect(yield* served("x")).toEqual(["a", "b", "c"])
        yield* finish(held)
        expect(yield* served("x")).toEqual(["a", "c"])
        expect(yield* rows("embedding")).toBe(2)
      }).pipe(inTenant))

    it.effect("serves the old vectors until those of another dimension are complete", () =>
      Effect.gen(function*() {
        const wide = { ...space, dimension: 6 }
        yield* indexed(pets)
        const held = yield* begin(pets)
        yield* embedSome(held, 2, wide)
        expect((yield* finish(held, wide)).status).toBe("pending")
        expect(yield* served("x")).toEqual(["a", "b", "c"])
        const again = yield* claim
        yield* embedSome(again, 10, wide)
        expect((yield* finish(again, wide)).status).toBe("succeeded")
        expect(yield* served("x")).toEqual([])
        expect(yield* served("x", wide)).toEqual(["a", "b", "c"])
        expect(yield* rows("embedding")).toBe(3)
        expect(yield* Effect.flatMap(IndexStore, (index) => index.dimensionOf(space.model))).toBe(6)
      }).pipe(inTenant))

    it.effect("drops the chunks that a shorter text has no more, and their vectors with the end of the job", () =>
      Effect.gen(function*() {
        const held = yield* begin(catalog("pets", { a: "long" }))
        const chunks = ["one", "two", "three"]
        yield* persist(held, {
          vectors: Indexing.vectorsOf(...chunks),
          items: [{ id: "a", hash: sha("long"), chunks: chunks.map(sha) }]
        })
        yield* finish(held)
        const next = yield* begin(catalog("pets", { a: "short" }))
        yield* persist(next, {
          vectors: Indexing.vectorsOf("uno"),
          items: [{ id: "a", hash: sha("short"), chunks: ["uno", "two"].map(sha) }]
        })
        expect(yield* rows("chunk")).toBe(2)
        expect(yield* rows("embedding")).toBe(4)
        expect((yield* finish(next)).status).toBe("succeeded")
        expect(yield* rows("embedding")).toBe(2)
        expect(yield* rows("stray")).toBe(0)
      }).pipe(inTenant))

    it.effect("never deletes a vector that another catalog needs", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        yield* indexed(catalog("animals", { x: "add a pet" }))
        yield* indexed(catalog("pets", { a: texts.a }))
        expect(yield* rows("embedding")).toBe(2)
        expect(yield* indexed(catalog("animals", { x: "add a pet" }))).toEqual([])
      }).pipe(inTenant))

    it.effect("keeps a vector that was stored before its chunk, whatever else is swept", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const held = yield* begin(catalog("animals", { x: "two halves" }))
        yield* persist(held, { vectors: Indexing.vectorsOf("half") })
        yield* Indexing.remove("pets")
        const known = yield* Effect.flatMap(IndexStore, (index) => index.known(held, space, [sha("half")]))
        expect(known).toEqual(new Set([sha("half")]))
        expect(yield* rows("embedding")).toBe(1)
      }).pipe(inTenant))

    it.effect("sends a run back whose reused vector was swept beside it", () =>
      Effect.gen(function*() {
        yield* indexed(catalog("pets", { b: "add a pet" }))
        const held = yield* begin(catalog("animals", { x: "add a pet" }))
        const hash = sha("add a pet")
        const known = yield* Effect.flatMap(IndexStore, (index) => index.known(held, space, [hash]))
        expect(known.size).toBe(1)
        yield* Indexing.remove("pets")
        yield* persist(held, { items: [{ id: "x", hash, chunks: [hash] }] })
        expect((yield* finish(held)).status).toBe("pending")
        const again = yield* claim
        expect(yield* embedSome(again)).toEqual(["add a pet"])
        expect((yield* finish(again)).status).toBe("succeeded")
      }).pipe(inTenant))
  })
