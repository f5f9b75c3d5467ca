import * as Effect from "effect/Effect"
import { argv, memoryUsage, stdout } from "node:process"
import { fakeEmbedder } from "./FakeEmbedder.js"
import { catalogOf, house, index } from "./house.js"

/**
 * Run by itself: indexes a catalog of the size in its first argument, in the data directory of its second, and prints how far
 * the process's memory rose above what it was with everything loaded and a small catalog indexed.
 */
const mebibytes = (bytes: number) => Math.round(bytes / 1024 / 1024)

const program = Effect.gen(function*() {
  const size = Number(argv[2])
  yield* index(catalogOf("small", 200))
  const before = memoryUsage().rss
  let peak = before
  const watch = Effect.forever(Effect.delay(
    Effect.sync(() => {
      peak = Math.max(peak, memoryUsage().rss)
    }),
    "50 millis"
  ))
  const { job } = yield* Effect.raceFirst(index(catalogOf("large", size)), watch)
  stdout.write(
    JSON.stringify({ size, status: job.status, before: mebibytes(before), rise: mebibytes(peak - before) }) + "\n"
  )
})

const receipts = { calls: 0, texts: 0 }
await Effect.runPromise(
  Effect.provide(
    program,
    house(fakeEmbedder({ dimension: 512, concurrency: 4, latency: 5 }, receipts), { data_dir: argv[3] ?? "" })
  )
)
