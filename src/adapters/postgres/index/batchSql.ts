import type * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import type { VectorSpace } from "../../../domain/index/IndexStore.js"
import type { HeldSource } from "../../../domain/index/IndexJob.js"
import { forcedAt } from "./forcedAt.js"
import type { Vectors } from "./BatchParameters.js"
import type { Names } from "../driver/Tables.js"

/** The parts of a statement that write vectors and chunks, for the statement that does all at once and for those that do one. */

/**
 * Inserts the vectors for each row of `from`, which has one or none. Answers the hashes that were written: a vector that is
 * there already and counts is left as it is.
 */
export const storing = (
  sql: SqlClient.SqlClient,
  t: Names,
  tenant: string,
  held: HeldSource,
  space: VectorSpace,
  { hashes, numbers }: Vectors,
  from: Fragment
) =>
  sql`
    insert into ${t.embedding} as e (tenant, model, dimension, text_hash, vector)
    select ${tenant}, ${space.model}, d.dimension, n.hash,
      ${t.embeddingOf}(b.numbers[(n.nth - 1) * d.dimension + 1 : n.nth * d.dimension])
    from ${from}, (select ${numbers}::real[] as numbers offset 0) b,
      (select ${space.dimension}::integer as dimension) d,
      unnest(string_to_array(${hashes}, E'\n')) with ordinality as n (hash, nth)
    on conflict (tenant, model, dimension, text_hash)
      do update set vector = excluded.vector, written_at = excluded.written_at
      where e.written_at < ${forcedAt(sql, t, tenant, held)}
    returning e.text_hash as hash`

/** The chunks that were sent as rows: item, hash of its text, ordinal, hash of the chunk's text. */
export const sending = (sql: SqlClient.SqlClient, chunks: string) =>
  sql`select * from jsonb_to_recordset(${chunks}::jsonb)
    as g (item text, hash text, ordinal integer, chunk text)`

/**
 * The chunks of the items in `given`, rows like those of `sending`, become exactly these; texts that the items no longer have
 * are noted as stray, and refusals end. Each item's old chunks are a look-up by key (see workLeft.ts for `offset 0`), read as
 * they were before the statement. To be followed by the statement's last part.
 */
export const replacing = (sql: SqlClient.SqlClient, t: Names, tenant: string, held: HeldSource, space: VectorSpace) => {
  const { id, kind } = held.source
  return sql`
    old as materialized (
      select c.place, c.item_id, c.ordinal, c.text_hash
      from (select distinct item from given) g
      cross join lateral (
        select c.ctid as place, c.item_id, c.ordinal, c.text_hash from ${t.chunk} c
        where c.tenant = ${tenant} and c.source_kind = ${kind} and c.source_id = ${id}
          and c.model = ${space.model} and c.dimension = ${space.dimension}::integer
          and c.chunk_words = ${space.chunkWords}::integer and c.item_id = g.item
        offset 0
      ) c
    ),
    gone as materialized (
      select o.place, o.text_hash, g.item is null as surplus
      from old o
      left join given g on g.item = o.item_id and g.ordinal = o.ordinal
      where g.chunk is distinct from o.text_hash
    ),
    cut as (
      delete from ${t.chunk} c
      where c.tenant = ${tenant} and c.ctid = any(array(select o.place from gone o where o.surplus))
    ),
    noted as (
      insert into ${t.stray} (tenant, model, dimension, text_hash)
      select distinct ${tenant}, ${space.model}, ${space.dimension}::integer, o.text_hash from gone o
      order by o.text_hash
      on conflict do nothing
    ),
    cured as (
      delete from ${t.refusal} r
      where r.tenant = ${tenant} and r.source_kind = ${kind} and r.source_id = ${id} and r.model = ${space.model}
        and r.chunk_words = ${space.chunkWords}::integer and r.item_id = any(array(select distinct g.item from given g))
    ),
    put as (
      insert into ${t.chunk} as c
        (tenant, source_kind, source_id, model, dimension, chunk_words, item_id, ordinal, item_hash, text_hash)
      select ${tenant}, ${kind}, ${id}, ${space.model}, ${space.dimension}::integer, ${space.chunkWords}::integer,
        g.item, g.ordinal, g.hash, g.chunk
      from given g
      on conflict (tenant, source_kind, source_id, model, dimension, chunk_words, item_id, ordinal)
        do update set item_hash = excluded.item_hash, text_hash = excluded.text_hash, written_at = excluded.written_at
    )`
}
