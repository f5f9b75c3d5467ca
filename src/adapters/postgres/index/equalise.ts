import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { VectorSpace } from "../../../domain/index/IndexStore.js"
import type { HeldSource, Source } from "../../../domain/index/IndexJob.js"
import type { Progress } from "../../../domain/job/Job.js"
import * as Embedder from "./embedderLock.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import * as SourceLock from "./source.js"
import { noting } from "./strayVectors.js"
import { guardAndLook } from "./workLeft.js"
import { Tables } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"

/**
 * Chunks of another space wait until the whole store has moved (see EmbedderUse), while the record names their embedder; so do
 * refusals, which know no dimension.
 */
const isKept = (sql: SqlClient.SqlClient, t: Names, tenant: string, space: VectorSpace) => ({
  chunk: sql`(c.model, c.dimension, c.chunk_words)
      is distinct from (${space.model}, ${space.dimension}::integer, ${space.chunkWords}::integer) and exists (
    select from ${t.embedder} e
    where e.tenant = ${tenant} and e.qualified = c.model and e.chunk_words = c.chunk_words
      and e.dimension = c.dimension)`,
  refusal: sql`(r.model, r.chunk_words) is distinct from (${space.model}, ${space.chunkWords}::integer) and exists (
    select from ${t.embedder} e
    where e.tenant = ${tenant} and e.qualified = r.model and e.chunk_words = r.chunk_words)`
})

/**
 * What is left in this space is the source's present items with their present texts; the texts given up are noted as stray. Of
 * other spaces, nothing that the record does not name. One statement: the parts touch different tables, and none needs to see what
 * another one did.
 */
const equaliseAll = SqlFailure.statement((sql, t, { source, space, tenant }: {
  readonly tenant: string
  readonly source: Source
  readonly space: VectorSpace
}) =>
  // Every present item is current or refused: what is too many is found as a set, and deleted by key.
  sql<{ readonly stray: boolean }>`
    with surplus as materialized (
      select c.model, c.dimension, c.chunk_words, c.item_id, c.item_hash from ${t.chunk} c
      where c.tenant = ${tenant} and c.source_kind = ${source.kind} and c.source_id = ${source.id}
        and not (${isKept(sql, t, tenant, space).chunk})
      except
      select ${space.model}, ${space.dimension}::integer, ${space.chunkWords}::integer, i.id, i.text_hash from ${t.item} i
      where i.tenant = ${tenant} and i.source_kind = ${source.kind} and i.source_id = ${source.id} and not i.removed
    ), dropped as (
      delete from ${t.chunk} c
      where c.tenant = ${tenant} and c.ctid = any(array(
        select o.place from surplus s
        cross join lateral (
          select o.ctid as place from ${t.chunk} o
          where o.tenant = ${tenant} and o.source_kind = ${source.kind} and o.source_id = ${source.id}
            and o.model = s.model and o.dimension = s.dimension and o.chunk_words = s.chunk_words
            and o.item_id = s.item_id and o.item_hash = s.item_hash
          offset 0
        ) o))
      returning c.model, c.dimension, c.text_hash
    ), noted as (${noting(sql, t, tenant)}
    ), cured as (
      delete from ${t.refusal} r
      where r.tenant = ${tenant} and r.source_kind = ${source.kind} and r.source_id = ${source.id}
        and not (${isKept(sql, t, tenant, space).refusal})
        and ((r.model, r.chunk_words) is distinct from (${space.model}, ${space.chunkWords}::integer) or not exists (
          select from ${t.item} i
          where i.tenant = ${tenant} and i.source_kind = ${source.kind} and i.source_id = ${source.id}
            and i.id = r.item_id and i.text_hash = r.item_hash and not i.removed offset 0))
    ), gone as (
      delete from ${t.item} i
      where i.tenant = ${tenant} and i.source_kind = ${source.kind} and i.source_id = ${source.id} and i.removed
    ), served as (
      update ${t.source} s set model = ${space.model}, dimension = ${space.dimension}, chunk_words = ${space.chunkWords},
        complete = true, forced_at = null, updated_at = now()
      where s.tenant = ${tenant} and s.kind = ${source.kind} and s.id = ${source.id}
        and (s.model, s.dimension, s.chunk_words, s.complete, s.forced_at)
          is distinct from (${space.model}, ${space.dimension}::integer, ${space.chunkWords}::integer, true, null)
    ), learnt as (
      update ${t.embedder} e set dimension = ${space.dimension}
      where e.tenant = ${tenant} and e.place = 0 and e.dimension is null
    )
    select exists (select from dropped) or exists (select from ${t.stray} where stray.tenant = ${tenant}) as stray`
)

/**
 * See IndexStore.equalise; belongs inside a transaction. `stray` says whether texts stand noted as stray.
 */
export const equalise = Effect.fn("equalise")(
  function*(tenant: string, held: HeldSource, space: VectorSpace, progress: Progress) {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const { source } = held
    yield* Embedder.lockShared(tenant)
    yield* SourceLock.lock(tenant, source)
    const found = yield* guardAndLook(sql, t, { tenant, held, space, progress })
    if (found !== "complete") return { found, stray: false }
    const [equal] = yield* equaliseAll(sql, t, { tenant, source, space })
    return { found, stray: equal?.stray === true }
  }
)

/** Remove the source with all that belongs to it, and end its open job; belongs inside a transaction. */
export const remove = Effect.fnUntraced(function*(tenant: string, source: Source) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`
    with dropped as (
      delete from ${t.chunk} c
      where c.tenant = ${tenant} and c.source_kind = ${source.kind} and c.source_id = ${source.id}
      returning c.model, c.dimension, c.text_hash
    )
    ${noting(sql, t, tenant)}`
  yield* sql`
    delete from ${t.refusal} r
    where r.tenant = ${tenant} and r.source_kind = ${source.kind} and r.source_id = ${source.id}`
  const rows = yield* sql`
    delete from ${t.source} s
    where s.tenant = ${tenant} and s.kind = ${source.kind} and s.id = ${source.id}
    returning s.id`
  return rows.length > 0
})
