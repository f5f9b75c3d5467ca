import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Batch, IndexedItem, NewVector, VectorSpace } from "../../../domain/embedding/IndexStore.js"
import * as Vector from "../../../domain/embedding/Vector.js"
import { Refusal } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { guard } from "../jobQueue/complete.js"
import { forcedAt } from "./forced.js"
import * as Serial from "./Serial.js"

interface Hash {
  readonly hash: string
}

/** In the order of their hashes, so that two writers never wait for each other in a circle. */
const inOrder = (vectors: ReadonlyArray<NewVector>): ReadonlyArray<NewVector> =>
  [...new Map(vectors.map((one) => [one.hash, one])).values()].toSorted((a, b) => (a.hash < b.hash ? -1 : 1))

/** Answers the hashes that were written; a vector that is there already and counts is left as it is. */
const writeVectors = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, vectors: ReadonlyArray<NewVector>) {
    const sql = yield* SqlClient.SqlClient
    const rows = inOrder(vectors)
    return yield* sql<Hash>`
      insert into embedding as e (tenant, model, dimension, text_hash, vector)
      select ${tenant}, ${space.model}, ${space.dimension}, n.hash, embedding_of(n.written)
      from unnest(
        string_to_array(${Serial.lines(rows.map((row) => row.hash))}, E'\n'),
        string_to_array(${Serial.lines(rows.map((row) => Serial.vectorText(Vector.normalised(row.vector))))}, E'\n')
      ) as n (hash, written)
      on conflict (tenant, model, dimension, text_hash)
        do update set vector = excluded.vector, written_at = excluded.written_at
        where e.written_at < ${forcedAt(sql, tenant, held)}
      returning e.text_hash as hash`
  }
)

/** Which of these vectors are stored and count. They cannot be swept until the transaction ends (see stray.ts). */
const lockVectors = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, hashes: ReadonlyArray<string>) {
    const sql = yield* SqlClient.SqlClient
    return yield* sql<Hash>`
      select e.text_hash as hash
      from embedding e
      where e.tenant = ${tenant} and e.model = ${space.model} and e.dimension = ${space.dimension}
        and e.text_hash = any(string_to_array(${hashes.join(" ")}, ' '))
        and e.written_at >= ${forcedAt(sql, tenant, held)}
      for key share`
  }
)

/** The items all of whose vectors are there, new or old. */
const whole = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, batch: Batch) {
    const written = batch.vectors.length > 0 ? yield* writeVectors(tenant, held, space, batch.vectors) : []
    const there = new Set(written.map((row) => row.hash))
    const others = new Set(batch.items.flatMap((item) => item.chunks).filter((chunk) => !there.has(chunk)))
    if (others.size > 0) {
      for (const row of yield* lockVectors(tenant, held, space, [...others])) there.add(row.hash)
    }
    return batch.items.filter((item) => item.chunks.every((chunk) => there.has(chunk)))
  }
)

/** The chunks of these items become exactly the given ones; texts that they no longer have are noted as stray. */
const writeChunks = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, items: ReadonlyArray<IndexedItem>) {
    const sql = yield* SqlClient.SqlClient
    const { id, kind } = held.job.source
    const rows = JSON.stringify(
      items.flatMap((item) => item.chunks.map((chunk, ordinal) => ({ item: item.id, hash: item.hash, ordinal, chunk })))
    )
    const present = sql`
      c.tenant = ${tenant} and c.source_kind = ${kind} and c.source_id = ${id}
        and c.model = ${space.model} and c.dimension = ${space.dimension}
        and c.item_id = any(array(select distinct g.item from given g))`
    yield* sql`
      with given as materialized (
        select * from jsonb_to_recordset(${rows}::jsonb) as g (item text, hash text, ordinal integer, chunk text)
      ), cut as (
        delete from chunk c
        where ${present} and not exists (select from given g where g.item = c.item_id and g.ordinal = c.ordinal)
        returning c.text_hash
      ), changed as (
        select c.text_hash from chunk c
        where ${present}
          and exists (select from given g where g.item = c.item_id and g.ordinal = c.ordinal and g.chunk <> c.text_hash)
      ), noted as (
        insert into stray (tenant, model, dimension, text_hash)
        select ${tenant}, ${space.model}, ${space.dimension}::integer, gone.text_hash
        from (select text_hash from cut union select text_hash from changed) gone
        order by gone.text_hash
        on conflict do nothing
      ), cured as (
        delete from refusal r
        where r.tenant = ${tenant} and r.source_kind = ${kind} and r.source_id = ${id} and r.model = ${space.model}
          and r.item_id = any(array(select distinct g.item from given g))
      )
      insert into chunk as c
        (tenant, source_kind, source_id, model, dimension, item_id, ordinal, item_hash, text_hash)
      select ${tenant}, ${kind}, ${id}, ${space.model}, ${space.dimension}, g.item, g.ordinal, g.hash, g.chunk
      from given g
      on conflict (tenant, source_kind, source_id, model, dimension, item_id, ordinal)
        do update set item_hash = excluded.item_hash, text_hash = excluded.text_hash, written_at = excluded.written_at`
  }
)

const writeRefusals = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, refusals: ReadonlyArray<Refusal>) {
    const sql = yield* SqlClient.SqlClient
    const { id, kind } = held.job.source
    const encoded = refusals.map((refusal) => Schema.encodeSync(Refusal)(refusal))
    yield* sql`
      insert into refusal (tenant, source_kind, source_id, item_id, model, item_hash, failure)
      select ${tenant}, ${kind}, ${id}, n.item, ${space.model}, n."itemHash", n.failure
      from jsonb_to_recordset(${JSON.stringify(encoded)}::jsonb) as n (item text, "itemHash" text, failure jsonb)
      on conflict (tenant, source_kind, source_id, item_id, model)
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
