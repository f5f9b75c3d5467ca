import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Embedder, indexCatalog, search, Settings, Sha256, Sources, StoresInMemory, Work, workOn } from "holdfast"
import type { SearchError } from "holdfast"

/** An embedder of one's own. This one counts letters, which is enough for a test. */
const letters = (text: string) =>
  Array.from("abcdefghijklmnopqrstuvwxyz", (letter) => text.toLowerCase().split(letter).length)

const Letters = Layer.succeed(Embedder, {
  provider: "letters",
  model: "letters",
  dimension: Option.some(26),
  concurrency: 1,
  chunkWords: 100,
  embed: (texts) => Effect.succeed(texts.map(letters)),
  probe: Effect.succeed({ took: Duration.zero, modelKnown: Option.some(true), detail: "it counts" })
})

/** What a person reads where a question has no answer. */
const inWords = (error: SearchError) => error._tag === "GateShut" ? "Indexing is paused." : error.message

const program = Effect.gen(function*() {
  const { catalog, job } = yield* indexCatalog({ location: "node_modules/rclone-openapi/openapi.json" })
  const { status } = yield* workOn(job.id)
  const best = yield* search({ question: "copy a file", catalog, limit: 1 }).pipe(
    Effect.map(({ hits }) => hits[0]?.path ?? "nothing"),
    Effect.catchAll((error) => Effect.succeed(inWords(error)))
  )
  const refused = yield* Effect.flip(search({ question: "copy a file", limit: -1 }))
  yield* Effect.log(`${catalog} is ${status}; ${best}; ${inWords(refused)}`)
})

/** The parts of App, but with the stores in memory, an own embedder, and the settings that the command would have here. */
const House = Layer.mergeAll(StoresInMemory, Letters, Sources, Work, Sha256).pipe(
  Layer.provide(Settings.fromEnvironment())
)

await Effect.runPromise(Effect.provide(program, House))
