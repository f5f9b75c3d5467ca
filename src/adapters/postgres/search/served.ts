import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { VectorSpace } from "../../../domain/index/IndexStore.js"
import type { SearchFilter } from "../../../domain/search/SearchIndex.js"
import type { Served } from "../../../domain/search/Served.js"
import { Tables } from "../driver/Tables.js"

interface Row {
  readonly id: string
  readonly model: string | null
  readonly dimension: number | null
  readonly chunk_words: number | null
  readonly whole: boolean
}

const toServed = ({ chunk_words: chunkWords, dimension, id, model, whole }: Row): Served => ({
  catalog: id,
  space: model === null || dimension === null || chunkWords === null
    ? Option.none()
    : Option.some({ model, dimension, chunkWords }),
  isWhole: whole
})

/**
 * Each catalog with the space that serves it. The items are looked at only where the last job is not complete, so that a search
 * pays nothing else.
 */
export const served = Effect.fnUntraced(function*(
  tenant: string,
  filling: Pick<VectorSpace, "model" | "chunkWords">,
  filter: SearchFilter
) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const admitted = filter.catalog === undefined ? sql`` : sql`and s.id = ${filter.catalog}`
  const rows = yield* sql<Row>`
    select s.id, s.model, s.dimension, s.chunk_words, s.complete or not exists (
      select from ${t.item} i
      where i.tenant = ${tenant} and i.source_kind = 'catalog' and i.source_id = s.id and not i.removed
        and not exists (
          select from ${t.chunk} c
          where c.tenant = ${tenant} and c.source_kind = 'catalog' and c.source_id = i.source_id
            and c.model = coalesce(s.model, ${filling.model}) and c.dimension = coalesce(s.dimension, c.dimension)
            and c.chunk_words = coalesce(s.chunk_words, ${filling.chunkWords}::integer)
            and c.item_id = i.id and c.ordinal = 0 and c.item_hash = i.text_hash offset 0)
        and not exists (
          select from ${t.refusal} r
          where r.tenant = ${tenant} and r.source_kind = 'catalog' and r.source_id = i.source_id
            and r.item_id = i.id and r.model = coalesce(s.model, ${filling.model})
            and r.chunk_words = coalesce(s.chunk_words, ${filling.chunkWords}::integer)
            and r.item_hash = i.text_hash offset 0)) as whole
    from ${t.source} s
    where s.tenant = ${tenant} and s.kind = 'catalog' ${admitted}
    order by s.id`
  return rows.map(toServed)
})
