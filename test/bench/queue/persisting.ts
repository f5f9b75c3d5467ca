import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { performance } from "node:perf_hooks"
import * as Pg from "pg"
import { CatalogStore } from "../../../src/domain/catalog/CatalogStore.js"
import * as IndexJob from "../../../src/domain/index/IndexJob.js"
import { IndexStore } from "../../../src/domain/index/IndexStore.js"
import type { NewVector } from "../../../src/domain/index/IndexStore.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { WorkerLock } from "../../../src/domain/lease/WorkerLock.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import * as Settings from "../../../src/programs/Settings.js"
import { Stores } from "../../../src/programs/Wiring.js"
import { catalogOf } from "../house.js"

/**
 * Chunks with their vectors of 1,024 numbers, stored batch by batch: by holdfast, with chunk, progress and fence, and by plain
 * multi-row inserts of the same vectors into a table like its own. One connection each, in turns.
 */
const dimension = 1024
const batchSize = 32
const space = { model: "bench", dimension, chunkWords: 256 }

const vectorOf = (seed: number): ReadonlyArray<number> => {
  const numbers = Array.from({ length: dimension }, (_, n) => Math.sin(seed * 12.9898 + n * 78.233))
  const norm = Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0))
  return numbers.map((x) => x / norm)
}

const inBatches = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / batchSize) }, (_, n) => all.slice(n * batchSize, (n + 1) * batchSize))

/** Rows per second of a client that writes what it is given and nothing else. */
const plain = async (db: Pg.Client, vectors: ReadonlyArray<NewVector>) => {
  await db.query("drop table if exists plain")
  await db.query("create table plain (like embedding including all)")
  const batches = inBatches(vectors)
  const began = performance.now()
  for (const batch of batches) {
    const rows = batch.map((_, n) => `($${n * 5 + 1}, $${n * 5 + 2}, $${n * 5 + 3}, $${n * 5 + 4}, $${n * 5 + 5})`)
    await db.query(
      `insert into plain (tenant, model, dimension, text_hash, vector) values ${rows.join(", ")}`,
      batch.flatMap(({ hash, vector }) => ["default", space.model, dimension, hash, `{${vector.join(",")}}`])
    )
  }
  return vectors.length / ((performance.now() - began) / 1000)
}

/** Rows per second through the store, under a job's fence. */
const fenced = Effect.fnUntraced(function*(round: number, count: number) {
  const queue = yield* JobQueue
  const index = yield* IndexStore
  const job = yield* Effect.flatMap(
    CatalogStore,
    (store) => store.put(catalogOf(`persisting-${round}`, count), { provider: "bench", maxAttempts: 5, force: false })
  )
  const wanted = { tenants: [yield* Tenant], kinds: [{ kind: IndexJob.kind, provider: Option.some("bench") }] }
  const { id: worker } = yield* (yield* WorkerLock).register(wanted)
  const [claimed] = yield* queue.claim({
    worker,
    slots: 1,
    duration: Duration.minutes(10),
    only: job.id,
    ...wanted
  })
  if (claimed === undefined) return yield* Effect.dieMessage("the bench's job was not claimed")
  const held = { ...claimed, source: { kind: "catalog", id: `persisting-${round}` } as const }
  const items = yield* index.pending(held, space, -1, count)
  const batches = inBatches(items.map((item, n) => ({ item, vector: vectorOf(round * count + n) })))
  const began = performance.now()
  let embedded = 0
  for (const batch of batches) {
    embedded += batch.length
    yield* index.persist(held, space, {
      vectors: batch.map(({ item, vector }) => ({ hash: item.hash, vector })),
      items: batch.map(({ item }) => ({ id: item.id, hash: item.hash, chunks: [item.hash] })),
      refusals: [],
      progress: IndexJob.toProgress({ items: count, embedded, reused: 0, refused: 0 })
    })
  }
  const perSecond = count / ((performance.now() - began) / 1000)
  const counts = yield* index.counts(held, space)
  if (counts.current !== count) return yield* Effect.dieMessage(`${counts.current} of ${count} rows are there`)
  yield* queue.cancel(job.id)
  return { perSecond, vectors: batches.flat().map(({ item, vector }): NewVector => ({ hash: item.hash, vector })) }
}, Effect.scoped)

/** The rates of all rounds, each holdfast's beside the plain one's of the same rows. */
export const persisting = (url: string, rounds: number, count: number) =>
  Effect.gen(function*() {
    const db = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const client = new Pg.Client({ connectionString: url })
        await client.connect()
        return client
      }),
      (client) => Effect.promise(() => client.end())
    )
    return yield* Effect.forEach(Array.from({ length: rounds }, (_, n) => n + 1), (round) =>
      Effect.gen(function*() {
        const ours = yield* fenced(round, count)
        const theirs = yield* Effect.promise(() => plain(db, ours.vectors))
        return { ours: ours.perSecond, plain: theirs }
      }))
  }).pipe(
    Effect.scoped,
    Effect.provide(Stores),
    Effect.provide(Settings.layer({ "database.url": url }))
  )
