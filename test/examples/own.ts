import * as SqlClient from "@effect/sql/SqlClient"
import { App, JobFailed, JobKind, Jobs, Settings, Worker } from "holdfast"
import { ProviderUnavailable } from "holdfast/failure"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const Draft = Schema.Struct({ subject: Schema.String, text: Schema.String })

/** A kind of job is a value: its payload, its answer, and what it stands behind. One open job for each ticket. */
const Summarise = JobKind.make("summarise-ticket", {
  payload: Schema.Struct({ ticket: Schema.String }),
  success: Schema.Struct({ words: Schema.Int }),
  key: ({ ticket }) => ticket,
  provider: () => "openai",
  timeLimit: "10 minutes"
})

/** Stands for a call that costs money. It fails as a provider does, and what follows from that is decided for you. */
const askModel = Effect.fnUntraced(function*(ticket: string, attempt: number) {
  if (attempt === 1) {
    return yield* new ProviderUnavailable({ provider: "openai", detail: "overloaded", status: 503 })
  }
  return { subject: `About ${ticket}`, text: "It works as designed." }
})

/** What it does is a layer. A finished step is stored, and never run again; a write under the fence never comes too late. */
const SummariseLive = Summarise.toLayer(Effect.fnUntraced(function*({ ticket }, { fenced, job, step }) {
  if (!/^T-\d+$/.test(ticket)) {
    return yield* new JobFailed({ message: `${ticket} is no ticket.`, permanent: true })
  }
  const draft = yield* step("draft", Draft, askModel(ticket, job.attempts))
  const sql = yield* SqlClient.SqlClient
  yield* fenced(
    sql`insert into summary values (${ticket}, ${draft.text})`.pipe(Effect.orDie),
    { done: 1, total: 2, detail: {} }
  )
  yield* step("notify", Schema.Void, (idempotencyKey) => Effect.log(`told the author, once: ${idempotencyKey}`))
  return { words: draft.text.split(" ").length }
}))

const program = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`create table if not exists summary (ticket text, text text)`
  // In one transaction with rows of your own: both are there, or neither is.
  const good = yield* sql.withTransaction(Summarise.enqueue({ ticket: "T-1" }))
  const bad = yield* Summarise.enqueue({ ticket: "none" }, { priority: 10 })
  const words = yield* Worker.workUntil(Jobs.result(Summarise, good.id))
  const failed = yield* Worker.workUntil(Effect.flip(Jobs.result(Summarise, bad.id)))
  yield* Effect.log(`job ${good.id}: ${words.words} words; job ${bad.id}: ${failed.message}`)
})

const House = SummariseLive.pipe(
  Layer.provideMerge(App),
  Layer.provide(Settings.layer({ data_dir: process.argv[2] ?? ".holdfast" }))
)

await Effect.runPromise(Effect.provide(program, House))
