import { App, indexCatalog, search, Settings, work } from "holdfast"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

const program = Effect.gen(function*() {
  const worker = yield* Effect.fork(work)
  yield* indexCatalog({
    location: "node_modules/rclone-openapi/openapi.json",
    name: Option.some("rclone"),
    force: false,
    maxAttempts: 5
  })
  const { degraded, hits } = yield* search({
    question: "remove an empty folder",
    catalog: Option.some("rclone"),
    mode: "lexical",
    limit: 3
  })
  yield* Effect.log(hits.map((hit) => `${hit.method} ${hit.path}`), degraded)
  yield* Fiber.interrupt(worker)
})

const House = App.pipe(Layer.provide(Settings.layer({ data_dir: process.argv[2] ?? ".holdfast", workers: 2 })))

await Effect.runPromise(Effect.provide(program, House))
