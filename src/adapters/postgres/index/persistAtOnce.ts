import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { Batch, VectorSpace } from "../../../domain/embedding/IndexStore.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { guarding } from "../jobQueue/complete.js"
import { refuse } from "../jobQueue/refused.js"
import { forcedAt } from "./forced.js"
import * as Sent from "./sent.js"

/** Whether each item of the batch has all of its vectors with it, as a batch of new texts does. */
export const isWhole = (batch: Batch): boolean => {
  const brought = new Set(batch.vectors.map(({ hash }) => hash))
  return batch.refusals.length === 0 && batch.vectors.length > 0 &&
    batch.items.every((item) => item.chunks.every((chunk) => brought.has(chunk)))
}

interface Written {
  readonly guarded: boolean
  readonly missed: ReadonlyArray<string>
}

/**
 * Write a whole batch by one statement, which is its own transaction: the guard's row is locked before anything is written.
 * Answers the items that were left out, because one of their vectors stood in the store already and was not locked here.
 * Each item's old chunks are a look-up by key (see standing.ts for `offset 0`), read as they were before the statement.
 */
export const persistAtOnce = Effect.fn("persistAtOnce")(
  function*(tenant: string, held: Held, space: VectorSpace, batch: Batch) {
    const sql = yield* SqlClient.SqlClient
    const { id, kind } = held.job.source
    const vectors = Sent.inOrder(batch.vectors)
    const ofItem = sql`c.tenant = ${tenant} and c.source_kind = ${kind} and c.source_id = ${id}
      and c.model = ${space.model} and c.dimension = ${space.dimension}::integer and c.item_id = g.item`
    const [row] = yield* sql<Written>`
      with guarded as (${guarding(sql, tenant, held, batch.progress)}),
      brought as materialized (select ${Sent.numbers(vectors)}::real[] as numbers),
      stored as (
        insert into embedding as e (tenant, model, dimension, text_hash, vector)
        select ${tenant}, ${space.model}, d.dimension, n.hash,
          embedding_of(b.numbers[(n.nth - 1) * d.dimension + 1 : n.nth * d.dimension])
        from guarded, brought b, (select ${space.dimension}::integer as dimension) d,
          unnest(string_to_array(${Sent.hashes(vectors)}, E'\n')) with ordinality as n (hash, nth)
        on conflict (tenant, model, dimension, text_hash)
          do update set vector = excluded.vector, written_at = excluded.written_at
          where e.written_at < ${forcedAt(sql, tenant, held)}
        returning e.text_hash as hash
      ),
      sent as materialized (
        select * from jsonb_to_recordset(${Sent.chunks(batch.items)}::jsonb)
          as g (item text, hash text, ordinal integer, chunk text)
      ),
      missed as materialized (
        select distinct g.item from sent g where g.chunk not in (select s.hash from stored s)
      ),
      given as materialized (select * from sent g where g.item not in (select m.item from missed m)),
      old as materialized (
        select c.place, c.item_id, c.ordinal, c.text_hash
        from (select distinct item from given) g
        cross join lateral (
          select c.ctid as place, c.item_id, c.ordinal, c.text_hash from chunk c where ${ofItem} offset 0
        ) c
      ),
      gone as materialized (
        select o.place, o.text_hash, g.item is null as surplus
        from old o
        left join given g on g.item = o.item_id and g.ordinal = o.ordinal
        where g.chunk is distinct from o.text_hash
      ),
      cut as (
        delete from chunk c
        where c.tenant = ${tenant} and c.ctid = any(array(select o.place from gone o where o.surplus))
      ),
      noted as (
        insert into stray (tenant, model, dimension, text_hash)
        select distinct ${tenant}, ${space.model}, ${space.dimension}::integer, o.text_hash from gone o
        order by o.text_hash
        on conflict do nothing
      ),
      cured as (
        delete from refusal r
        where r.tenant = ${tenant} and r.source_kind = ${kind} and r.source_id = ${id} and r.model = ${space.model}
          and r.item_id = any(array(select distinct g.item from given g))
      ),
      put as (
        insert into chunk as c
          (tenant, source_kind, source_id, model, dimension, item_id, ordinal, item_hash, text_hash)
        select ${tenant}, ${kind}, ${id}, ${space.model}, ${space.dimension}::integer, g.item, g.ordinal, g.hash, g.chunk
        from given g
        on conflict (tenant, source_kind, source_id, model, dimension, item_id, ordinal)
          do update set item_hash = excluded.item_hash, text_hash = excluded.text_hash, written_at = excluded.written_at
      )
      select exists (select from guarded) as guarded,
        array(select m.item from missed m) as missed`
    if (row?.guarded !== true) return yield* refuse(held)
    const missed = new Set(row.missed)
    return batch.items.filter((item) => missed.has(item.id))
  }
)
