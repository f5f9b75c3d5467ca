import * as SqlClient from "@effect/sql/SqlClient"
import { App, Embedder, enqueueInTransaction, indexCatalog, search, Settings, work } from "holdfast"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"

/** A row of your own and the job that follows from it: both are stored, or neither is. */
const release = Effect.fn("release")(function*(version: string) {
  const sql = yield* SqlClient.SqlClient
  const { provider } = yield* Embedder
  yield* sql`create table if not exists release (version text)`
  return yield* sql.withTransaction(Effect.gen(function*() {
    yield* sql`insert into release values (${version})`
    return yield* enqueueInTransaction({ source: { kind: "catalog", id: "rclone" }, provider })
  }))
})

const program = Effect.gen(function*() {
  const worker = yield* Effect.fork(work)
  yield* indexCatalog({
    location: "node_modules/rclone-openapi/openapi.json",
    name: "rclone"
  })
  const { degraded, hits } = yield* search({
    question: "remove an empty folder",
    catalog: "rclone",
    mode: "lexical",
    limit: 3
  })
  yield* Effect.log(hits.map((hit) => `${hit.method} ${hit.path}`), degraded)
  const job = yield* release("1.75")
  yield* Effect.log(`job ${job.id} is ${job.status}`)
  yield* Fiber.interrupt(worker)
})

const House = App.pipe(Layer.provide(Settings.layer({ data_dir: process.argv[2] ?? ".holdfast", workers: 2 })))

await Effect.runPromise(Effect.provide(program, House))
