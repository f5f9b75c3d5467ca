import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Batch, IndexedItem, VectorSpace } from "../../../domain/index/IndexStore.js"
import { Refusal } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { guard } from "../jobs/complete.js"
import { forcedAt } from "./forced.js"
import * as Sent from "./sent.js"
import { replacing, sending, storing } from "./written.js"
import { Tables } from "../driver/Tables.js"

interface Hash {
  readonly hash: string
}

/** Which of these vectors are stored and count. They cannot be swept until the transaction ends (see stray.ts). */
const lockVectors = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, hashes: ReadonlyArray<string>) {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    return yield* sql<Hash>`
      select e.text_hash as hash
      from ${t.embedding} e
      where e.tenant = ${tenant} and e.model = ${space.model} and e.dimension = ${space.dimension}
        and e.text_hash = any(string_to_array(${hashes.join(" ")}, ' '))
        and e.written_at >= ${forcedAt(sql, t, tenant, held)}
      for key share`
  }
)

/** The items all of whose vectors are there, new or old. */
const whole = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, batch: Batch) {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const written = batch.vectors.length > 0
      ? yield* sql<Hash>`${storing(sql, t, tenant, held, space, Sent.vectors(batch.vectors), sql`(select true) once`)}`
      : []
    const there = new Set(written.map((row) => row.hash))
    const others = new Set(batch.items.flatMap((item) => item.chunks).filter((chunk) => !there.has(chunk)))
    if (others.size > 0) {
      for (const row of yield* lockVectors(tenant, held, space, [...others])) there.add(row.hash)
    }
    return batch.items.filter((item) => item.chunks.every((chunk) => there.has(chunk)))
  }
)

const writeChunks = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, items: ReadonlyArray<IndexedItem>) {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    yield* sql`
      with given as materialized (${sending(sql, Sent.chunks(items))}),
      ${replacing(sql, t, tenant, held, space)}
      select count(*) from given`
  }
)

const writeRefusals = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, refusals: ReadonlyArray<Refusal>) {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const { id, kind } = held.job.source
    const encoded = refusals.map((refusal) => Schema.encodeSync(Refusal)(refusal))
    yield* sql`
      insert into ${t.refusal} (tenant, source_kind, source_id, item_id, model, chunk_words, item_hash, failure)
      select ${tenant}, ${kind}, ${id}, n.item, ${space.model}, ${space.chunkWords}::integer, n."itemHash", n.failure
      from jsonb_to_recordset(${JSON.stringify(encoded)}::jsonb) as n (item text, "itemHash" text, failure jsonb)
      on conflict (tenant, source_kind, source_id, item_id, model, chunk_words)
        do update set item_hash = excluded.item_hash, failure = excluded.failure, refused_at = excluded.refused_at`
  }
)

/**
 * Write a batch under the fence; belongs inside a transaction. An item one of whose vectors is not there is left as it was,
 * and so stays pending.
 */
export const persist = Effect.fn("persist")(function*(tenant: string, held: Held, space: VectorSpace, batch: Batch) {
  yield* guard(tenant, held, batch.progress)
  const items = yield* whole(tenant, held, space, batch)
  if (items.length > 0) yield* writeChunks(tenant, held, space, items)
  if (batch.refusals.length > 0) yield* writeRefusals(tenant, held, space, batch.refusals)
})
