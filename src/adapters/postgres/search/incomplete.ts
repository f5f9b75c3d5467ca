import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { VectorSpace } from "../../../domain/embedding/IndexStore.js"
import type { SearchFilter } from "../../../domain/search/SearchIndex.js"
import { Tables } from "../Tables.js"

/**
 * Catalogs with an item that has no vectors of its present text in this space, and that this model did not refuse. The items
 * are looked at only where the last job is not complete or filled another space, so that a search pays nothing else.
 */
export const incomplete = Effect.fnUntraced(function*(tenant: string, space: VectorSpace, filter: SearchFilter) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const admitted = filter.catalog === undefined ? sql`` : sql`and s.id = ${filter.catalog}`
  const rows = yield* sql<{ readonly id: string }>`
    select s.id
    from ${t.source} s
    where s.tenant = ${tenant} and s.kind = 'catalog' ${admitted}
      and (s.model, s.dimension, s.complete) is distinct from (${space.model}, ${space.dimension}::integer, true)
      and exists (
      select from ${t.item} i
      where i.tenant = ${tenant} and i.source_kind = 'catalog' and i.source_id = s.id and not i.removed
        and not exists (
          select from ${t.chunk} c
          where c.tenant = ${tenant} and c.source_kind = 'catalog' and c.source_id = i.source_id
            and c.model = ${space.model} and c.dimension = ${space.dimension}
            and c.item_id = i.id and c.ordinal = 0 and c.item_hash = i.text_hash offset 0)
        and not exists (
          select from ${t.refusal} r
          where r.tenant = ${tenant} and r.source_kind = 'catalog' and r.source_id = i.source_id
            and r.item_id = i.id and r.model = ${space.model} and r.item_hash = i.text_hash offset 0))
    order by s.id`
  return rows.map((row) => row.id)
})
