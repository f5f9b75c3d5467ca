import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { createHash, randomUUID } from "node:crypto"
import * as CatalogStoreLayer from "../../src/adapters/postgres/index/CatalogStore.js"
import * as IndexStoreLayer from "../../src/adapters/postgres/index/IndexStore.js"
import * as JobQueueLayer from "../../src/adapters/postgres/jobs/JobQueue.js"
import * as SearchIndexLayer from "../../src/adapters/postgres/search/SearchIndex.js"
import { CatalogName, CatalogStore, type IndexRequest, type NewCatalog } from "../../src/domain/catalog/CatalogStore.js"
import { type Batch, type IndexedItem, IndexStore, type VectorSpace } from "../../src/domain/index/IndexStore.js"
import * as IndexJob from "../../src/domain/index/IndexJob.js"
import type { HeldSource } from "../../src/domain/index/IndexJob.js"
import { Refusal, SourceRef } from "../../src/domain/index/SourceRef.js"
import type { Vector } from "../../src/domain/index/Vector.js"
import { noProgress } from "../../src/domain/job/Job.js"
import type { Wanted } from "../../src/domain/lease/Wanted.js"
import { JobQueue } from "../../src/domain/job/JobQueue.js"
import { Outcome } from "../../src/domain/job/Outcome.js"
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
    Effect.provide(stores),
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

/** A source as its job names it. */
export const source = (id: string): SourceRef => SourceRef.make({ kind: "catalog", id })

/** Stores a source, or edits it, without items: where they are not needed. */
export const putSource = Effect.fnUntraced(function*(id: string, revision = "one") {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into holdfast.source (tenant, kind, id, location, title, version, revision)
    values (${yield* Tenant}, 'catalog', ${id}, 'here', 'title', '1', ${revision})
    on conflict (tenant, kind, id) do update set revision = excluded.revision`
})

/** Whether all of a source is to be embedded anew. */
export const isForced = Effect.fnUntraced(function*(id: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly forced: boolean }>`
    select forced_at is not null as forced from holdfast.source where tenant = ${yield* Tenant} and id = ${id}`
  return row?.forced === true
})

export const plain: IndexRequest = { provider: "fake", maxAttempts: 5, force: false }
export const forced = { ...plain, force: true }

const worker = WorkerId.make("worker")

/** Index jobs of this tenant, whatever they stand behind. */
export const wanted = Effect.map(Tenant, (tenant): Wanted => ({
  tenants: [tenant],
  kinds: [{ kind: IndexJob.kind, provider: Option.none() }]
}))

/** Take the one index job that is ready. */
export const claim = Effect.gen(function*() {
  const queue = yield* JobQueue
  const [held] = yield* queue.claim({ worker, slots: 1, duration: Duration.minutes(10), ...yield* wanted })
  if (held === undefined) return yield* Effect.dieMessage("no job is ready")
  const source = yield* IndexJob.sourceOf(held.job)
  return { ...held, source } satisfies HeldSource
})

export const put = (stored: NewCatalog, request = plain) =>
  Effect.flatMap(CatalogStore, (store) => store.put(stored, request))

/** Store a catalog and take its job. */
export const begin = (stored: NewCatalog, request = plain) => Effect.zipRight(put(stored, request), claim)

const progressOf = (items: number, embedded: number, reused: number, refused: number) =>
  IndexJob.toProgress({ items, embedded, reused, refused })

/** Embed at most `limit` pending items, one chunk each, and answer the texts that needed a call. */
export const embedSome = (held: HeldSource, limit = 1000, within = space) =>
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
export const refuseAll = (held: HeldSource, within = space) =>
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

export const equalise = (held: HeldSource, within = space, progress = noProgress) =>
  Effect.flatMap(IndexStore, (index) => index.equalise(held, within, progress))

/** The end of a run, as its handler ends it: the stored set equals the source's, and the job is settled by what was found. */
export const finish = Effect.fnUntraced(function*(held: HeldSource, within = space, progress = noProgress) {
  const found = yield* equalise(held, within, progress)
  const outcome = found === "gone"
    ? Outcome.Cancelled()
    : found === "incomplete"
    ? Outcome.Released()
    : Outcome.Completed({ output: null, partial: IndexJob.countsOf(progress).refused > 0 })
  return yield* Effect.flatMap(JobQueue, (queue) => queue.settle(held, outcome))
})

/** A whole run: store, claim, embed, complete. Answers the texts that needed a call. */
export const indexed = (stored: NewCatalog, request = plain, within = space) =>
  Effect.gen(function*() {
    const held = yield* begin(stored, request)
    const calls = yield* embedSome(held, 1000, within)
    yield* finish(held, within)
    return calls
  })

export const counts = (held: HeldSource, within = space) =>
  Effect.flatMap(IndexStore, (index) => index.counts(held, within))

export const pendingIds = (held: HeldSource, within = space) =>
  Effect.map(
    Effect.flatMap(IndexStore, (index) => index.pending(held, within, -1, 100)),
    (items) => items.map((item) => item.id)
  )

export const persist = (held: HeldSource, part: Partial<Batch>, within = space) =>
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
export const interrupted = (held: HeldSource) =>
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
