import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { VectorSpace } from "../../../domain/index/IndexStore.js"
import * as Vector from "../../../domain/index/Vector.js"
import type { LegHit, SearchFilter } from "../../../domain/search/SearchIndex.js"
import * as Serial from "../index/Serial.js"
import { Tables } from "../driver/Tables.js"

/**
 * An exact scan over the chunks, each with a look-up of its vector by key (see index/workLeft.ts for `offset 0`); an item counts by
 * its best chunk.
 */
export const semantic = Effect.fnUntraced(
  function*(tenant: string, vector: Vector.Vector, space: VectorSpace, filter: SearchFilter, limit: number) {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const admitted = filter.catalog === undefined ? sql`` : sql`and c.source_id = ${filter.catalog}`
    const asked = Serial.reals([Vector.normalised(vector)])
    return yield* sql<LegHit>`
      with best as (
        select c.source_id, c.item_id, max(s.score) as score
        from ${t.chunk} c
        cross join lateral (
          select ${t.cosineSimilarity}(e.vector, (select ${t.embeddingOf}(${asked}::real[]))) as score from ${t.embedding} e
          where e.tenant = c.tenant and e.model = c.model and e.dimension = c.dimension and e.text_hash = c.text_hash
          offset 0
        ) s
        where c.tenant = ${tenant} and c.model = ${space.model} and c.dimension = ${space.dimension}
          and c.chunk_words = ${space.chunkWords} and c.source_kind = 'catalog' ${admitted}
          and c.source_id = any(array(
            select s.id from ${t.source} s
            where s.tenant = ${tenant} and s.kind = 'catalog' and (s.model is null
              or s.model = ${space.model} and s.dimension = ${space.dimension} and s.chunk_words = ${space.chunkWords})))
        group by c.source_id, c.item_id
        order by score desc, c.source_id, c.item_id
        limit ${limit}
      )
      select b.source_id as catalog, i.id, i.method, i.path, i.summary, b.score
      from best b
      join ${t.item} i on i.tenant = ${tenant} and i.source_kind = 'catalog' and i.source_id = b.source_id and i.id = b.item_id
      order by b.score desc, b.source_id, i.id`
  }
)
