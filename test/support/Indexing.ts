import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash, randomUUID } from "node:crypto"
import * as CatalogStoreLayer from "../../src/adapters/postgres/index/CatalogStore.js"
import * as IndexStoreLayer from "../../src/adapters/postgres/index/IndexStore.js"
import * as JobQueueLayer from "../../src/adapters/postgres/jobs/JobQueue.js"
import * as SearchIndexLayer from "../../src/adapters/postgres/search/SearchIndex.js"
import { CatalogName, CatalogStore, type IndexRequest, type NewCatalog } from "../../src/domain/catalog/CatalogStore.js"
import { type Batch, type IndexedItem, IndexStore, type VectorSpace } from "../../src/domain/index/IndexStore.js"
import type { Vector } from "../../src/domain/index/Vector.js"
import { noProgress, Progress, Refusal } from "../../src/domain/job/Job.js"
import { type Held, JobQueue } from "../../src/domain/job/JobQueue.js"
import { ContentFiltered } from "../../src/domain/failure/Failure.js"
import { WorkerId } from "../../src/domain/lease/Lease.js"
import { SearchIndex } from "../../src/domain/search/SearchIndex.js"
import { Tenant } from "../../src/domain/store/Tenant.js"

/** The stores of one tenant, and the steps of an index run, for the suites of the stores. */

export const stores = Layer.mergeAll(
  CatalogStoreLayer.layer,
  IndexStoreLayer.layer,
  SearchIndexLayer.layer,
  JobQueueLayer.layer
)

export type Stores = Layer.Layer.Success<typeof stores>

export const freshTenant = (): string => randomUUID()

/** Runs the effect with the stores of this tenant; without a name, of one that nobody else uses. */
export const inTenant = <A, E, R>(effect: Effect.Effect<A, E, R>, tenant: string = freshTenant()) =>
  effect.pipe(
    Effect.provide(Layer.provide(stores, Layer.succeed(Tenant, tenant))),
    Effect.provideService(Tenant, tenant)
  )

export const space: VectorSpace = { model: "fake/model", dimension: 4, chunkWords: 100 }

export const sha = (text: string): string => createHash("sha256").update(text).digest("hex")

/** The same text gives the same direction. */
export const vectorOf = (text: string, dimension = space.dimension): Vector =>
  Array.from(
    { length: dimension },
    (_, index) => 1 + createHash("sha256").update(`${index}:${text}`).digest().readUInt8()
  )

/** A catalog whose items are these texts by their ids. */
export const catalog = (name: string, texts: Readonly<Record<string, string>>): NewCatalog => ({
  name: CatalogName.make(name),
  location: `/specs/${name}.json`,
  title: `The ${name} API`,
  version: "1.0",
  revision: sha(JSON.stringify([name, texts])),
  items: Object.entries(texts).map(([id, text]) => ({
    id,
    method: "GET",
    path: `/${id}`,
    summary: `About ${id}`,
    text,
    lexical: { a: text, b: id, c: "" }
  }))
})

export const plain: IndexRequest = { provider: "fake", maxAttempts: 5, force: false }
export const forced = { ...plain, force: true }

const worker = WorkerId.make("worker")

/** Take the one job that is ready. */
export const claim = Effect.gen(function*() {
  const queue = yield* JobQueue
  const [held] = yield* queue.claim({ worker, slots: 1, duration: Duration.minutes(10) })
  return held ?? (yield* Effect.dieMessage("no job is ready"))
})

export const put = (stored: NewCatalog, request = plain) =>
  Effect.flatMap(CatalogStore, (store) => store.put(stored, request))

/** Store a catalog and take its job. */
export const begin = (stored: NewCatalog, request = plain) => Effect.zipRight(put(stored, request), claim)

const progressOf = (items: number, embedded: number, reused: number, refused: number) =>
  Progress.make({ items, embedded, reused, refused })

/** Embed at most `limit` pending items, one chunk each, and answer the texts that needed a call. */
export const embedSome = (held: Held, limit = 1000, within = space) =>
  Effect.gen(function*() {
    const index = yield* IndexStore
    const pending = yield* index.pending(held, within, -1, limit)
    const known = yield* index.known(held, within, pending.map((item) => item.hash))
    const missing = pending.filter((item) => !known.has(item.hash))
    yield* index.persist(held, within, {
      vectors: missing.map((item) => ({ hash: item.hash, vector: vectorOf(item.text, within.dimension) })),
      items: pending.map((item): IndexedItem => ({ id: item.id, hash: item.hash, chunks: [item.hash] })),
      refusals: [],
      progress: progressOf(pending.length, missing.length, pending.length - missing.length, 0)
    })
    return [...new Set(missing.map((item) => item.text))]
  })

/** Refuse all that is pending. */
export const refuseAll = (held: Held, within = space) =>
  Effect.gen(function*() {
    const index = yield* IndexStore
    const pending = yield* index.pending(held, within, -1, 1000)
    yield* index.persist(held, within, {
      vectors: [],
      items: [],
      refusals: pending.map((item) =>
        Refusal.make({
          item: item.id,
          itemHash: item.hash,
          failure: new ContentFiltered({ provider: "fake", detail: "refused by policy" })
        })
      ),
      progress: progressOf(pending.length, 0, 0, pending.length)
    })
  })

export const finish = (held: Held, within = space, progress = noProgress) =>
  Effect.flatMap(IndexStore, (index) => index.complete(held, within, progress))

/** A whole run: store, claim, embed, complete. Answers the texts that needed a call. */
export const indexed = (stored: NewCatalog, request = plain, within = space) =>
  Effect.gen(function*() {
    const held = yield* begin(stored, request)
    const calls = yield* embedSome(held, 1000, within)
    yield* finish(held, within)
    return calls
  })

export const standing = (held: Held, within = space) =>
  Effect.flatMap(IndexStore, (index) => index.standing(held, within))

export const pendingIds = (held: Held, within = space) =>
  Effect.map(
    Effect.flatMap(IndexStore, (index) => index.pending(held, within, -1, 100)),
    (items) => items.map((item) => item.id)
  )

export const persist = (held: Held, part: Partial<Batch>, within = space) =>
  Effect.flatMap(
    IndexStore,
    (index) => index.persist(held, within, { vectors: [], items: [], refusals: [], progress: noProgress, ...part })
  )

/** The vectors of these texts, as a batch brings them. */
export const vectorsOf = (...texts: ReadonlyArray<string>) =>
  texts.map((text) => ({ hash: sha(text), vector: vectorOf(text) }))

/** The ids of all items that search by meaning finds, in order of the alphabet. */
export const served = (text: string, within = space) =>
  Effect.map(
    Effect.flatMap(SearchIndex, (index) => index.semantic(vectorOf(text, within.dimension), within, {}, 100)),
    (hits) => hits.map((hit) => hit.id).toSorted()
  )

/** Give the job back and take it again. */
export const interrupted = (held: Held) =>
  Effect.zipRight(Effect.flatMap(JobQueue, (queue) => queue.settle(held, { _tag: "Released" })), claim)

export const remove = (name: string) => Effect.flatMap(CatalogStore, (store) => store.remove(name))

/** How many rows of a table the tenant has. */
export const rows = (table: "source" | "item" | "chunk" | "embedding" | "refusal" | "stray") =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const tenant = yield* Tenant
    const [row] = yield* sql<{ readonly count: number }>`select count(*) as count from holdfast.${
      sql(table)
    } where tenant = ${tenant}`
    return row?.count
  })
