import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Embedder } from "../../src/domain/index/Embedder.js"
import { fakeEmbedder } from "./FakeEmbedder.js"
import { catalogOf, house, index } from "./house.js"

const batchSize = 32
/** What the embedder alone needs for all, in milliseconds: long enough for a rate, whatever a job's beginning and end cost. */
const lasting = 12_000

/** The embedder asked as fast as it allows, with nothing stored: the baseline of the same run. */
const bare = (batches: number, concurrency: number) =>
  Effect.gen(function*() {
    const embedder = yield* Embedder
    const texts = Array.from({ length: batchSize }, (_, n) => `text ${n}`)
    const calls = Effect.forEach(Array.from({ length: batches }), () => embedder.embed(texts), {
      concurrency,
      discard: true
    })
    return Duration.toMillis((yield* Effect.timed(calls))[0])
  })

/** A job's rate through an embedder of fixed latency, as a share of the embedder's own rate. */
export const throughput = (latency: number, concurrency: number, settings: Parameters<typeof house>[1]) => {
  const receipts = { calls: 0, texts: 0 }
  const batches = Math.round(lasting / latency) * concurrency
  return Effect.gen(function*() {
    // The embedded database compiles each kind of statement when it first comes.
    yield* index(catalogOf(`warm-${latency}-${concurrency}`, 4 * batchSize))
    const baseline = yield* bare(batches, concurrency)
    const { job, took } = yield* index(catalogOf(`throughput-${latency}-${concurrency}`, batches * batchSize))
    if (job.status !== "succeeded") return yield* Effect.dieMessage(`the job is ${job.status}`)
    const ideal = batches / concurrency * latency
    return {
      latency,
      textsPerSecond: Math.round(batches * batchSize / (Duration.toMillis(took) / 1000)),
      ofEmbedder: baseline / Duration.toMillis(took),
      ofArithmetic: ideal / Duration.toMillis(took)
    }
  }).pipe(
    Effect.provide(
      house(fakeEmbedder({ dimension: 384, concurrency, latency }, receipts), { ...settings, batch_size: batchSize })
    )
  )
}
