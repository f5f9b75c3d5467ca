import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Batch, IndexedItem, NewVector, VectorSpace } from "../../../domain/embedding/IndexStore.js"
import { Refusal } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { guard } from "../jobQueue/complete.js"
import { forcedAt } from "./forced.js"
import * as Sent from "./sent.js"

interface Hash {
  readonly hash: string
}

/** Answers the hashes that were written; a vector that is there already and counts is left as it is. */
const writeVectors = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, vectors: ReadonlyArray<NewVector>) {
    const sql = yield* SqlClient.SqlClient
    const rows = Sent.inOrder(vectors)
    return yield* sql<Hash>`
      with given as materialized (
        select ${Sent.numbers(rows)}::real[] as numbers
      )
      insert into embedding as e (tenant, model, dimension, text_hash, vector)
      select ${tenant}, ${space.model}, d.dimension, n.hash,
        embedding_of(given.numbers[(n.nth - 1) * d.dimension + 1 : n.nth * d.dimension])
      from given, (select ${space.dimension}::integer as dimension) d,
        unnest(string_to_array(${Sent.hashes(rows)}, E'\n')) with ordinality as n (hash, nth)
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

/** A chunk that an item had before, and that is not there any more or has another text now. */
interface Left {
  readonly item: string
  readonly ordinal: number
  readonly text: string
  readonly surplus: boolean
}

/**
 * Writes the chunks and answers what they leave behind. Each item's old chunks are a look-up by key (see standing.ts for
 * `offset 0`); what the statement reads is as it was before it writes.
 */
const putChunks = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, items: ReadonlyArray<IndexedItem>) {
    const sql = yield* SqlClient.SqlClient
    const { id, kind } = held.job.source
    return yield* sql<Left>`
      with given as materialized (
        select * from jsonb_to_recordset(${Sent.chunks(items)}::jsonb)
          as g (item text, hash text, ordinal integer, chunk text)
      ), old as materialized (
        select c.item_id, c.ordinal, c.text_hash
        from (select distinct item from given) g
        cross join lateral (
          select * from chunk c
          where c.tenant = ${tenant} and c.source_kind = ${kind} and c.source_id = ${id}
            and c.model = ${space.model} and c.dimension = ${space.dimension} and c.item_id = g.item offset 0
        ) c
      ), cured as (
        delete from refusal r
        where r.tenant = ${tenant} and r.source_kind = ${kind} and r.source_id = ${id} and r.model = ${space.model}
          and r.item_id = any(array(select distinct g.item from given g))
      ), put as (
        insert into chunk as c
          (tenant, source_kind, source_id, model, dimension, item_id, ordinal, item_hash, text_hash)
        select ${tenant}, ${kind}, ${id}, ${space.model}, ${space.dimension}, g.item, g.ordinal, g.hash, g.chunk
        from given g
        on conflict (tenant, source_kind, source_id, model, dimension, item_id, ordinal)
          do update set item_hash = excluded.item_hash, text_hash = excluded.text_hash, written_at = excluded.written_at
      )
      select old.item_id as item, old.ordinal, old.text_hash as text, g.item is null as surplus
      from old
      left join given g on g.item = old.item_id and g.ordinal = old.ordinal
      where g.chunk is distinct from old.text_hash`
  }
)

/** Surplus chunks go, and the texts that were left are noted as stray. */
const leave = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, left: ReadonlyArray<Left>) {
    const sql = yield* SqlClient.SqlClient
    const { id, kind } = held.job.source
    yield* sql`
      with gone as materialized (
        select * from jsonb_to_recordset(${JSON.stringify(left)}::jsonb)
          as g (item text, ordinal integer, text text, surplus boolean)
      ), cut as (
        delete from chunk c using gone g
        where g.surplus and c.tenant = ${tenant} and c.source_kind = ${kind} and c.source_id = ${id}
          and c.model = ${space.model} and c.dimension = ${space.dimension}
          and c.item_id = g.item and c.ordinal = g.ordinal
      )
      insert into stray (tenant, model, dimension, text_hash)
      select distinct ${tenant}, ${space.model}, ${space.dimension}::integer, g.text from gone g
      order by g.text
      on conflict do nothing`
  }
)

/** The chunks of these items become exactly the given ones; texts that they no longer have are noted as stray. */
const writeChunks = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, items: ReadonlyArray<IndexedItem>) {
    const left = yield* putChunks(tenant, held, space, items)
    if (left.length > 0) yield* leave(tenant, held, space, left)
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
