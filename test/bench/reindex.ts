import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as OpenApi from "../../src/domain/catalog/OpenApi.js"
import { SourceReader } from "../../src/domain/catalog/SourceReader.js"
import { countsOf } from "../../src/domain/index/IndexJob.js"
import { indexCatalog } from "../../src/programs/flows/index/IndexCatalog.js"
import { workOn } from "../../src/programs/flows/index/IndexWorker.js"

const run = (location: string) =>
  Effect.gen(function*() {
    const { job } = yield* indexCatalog({ location, name: "reindexed" })
    return yield* workOn(job.id)
  })

/** How long a second index of an unchanged description takes beside its parse, and how many calls it makes. */
export const reindex = (location: string, receipts: { calls: number }) =>
  Effect.gen(function*() {
    const reader = yield* SourceReader
    const first = yield* run(location)
    const parse = Effect.flatMap(
      reader.read(location),
      (source) => OpenApi.operations(source.document, source.location)
    )
    yield* parse
    const [parsing] = yield* Effect.timed(parse)
    const before = receipts.calls
    const [whole, again] = yield* Effect.timed(run(location))
    return {
      operations: first.progress.total,
      parse: Duration.toMillis(parsing),
      beside: Duration.toMillis(whole) - Duration.toMillis(parsing),
      calls: receipts.calls - before,
      reused: countsOf(again.progress).reused
    }
  })
