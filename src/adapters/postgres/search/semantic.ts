import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { VectorSpace } from "../../../domain/embedding/IndexStore.js"
import * as Vector from "../../../domain/embedding/Vector.js"
import type { LegHit, SearchFilter } from "../../../domain/search/SearchIndex.js"
import * as Serial from "../index/Serial.js"

/** An exact scan: each vector is compared once, however many items share its text; an item counts by its best chunk. */
export const semantic = Effect.fnUntraced(
  function*(tenant: string, vector: Vector.Vector, space: VectorSpace, filter: SearchFilter, limit: number) {
    const sql = yield* SqlClient.SqlClient
    const admitted = filter.catalog === undefined ? sql`` : sql`and c.source_id = ${filter.catalog}`
    const asked = Serial.vectorText(Vector.normalised(vector))
    return yield* sql<LegHit>`
      with chunks as materialized (
        select c.source_id, c.item_id, c.text_hash from chunk c
        where c.tenant = ${tenant} and c.model = ${space.model} and c.dimension = ${space.dimension}
          and c.source_kind = 'catalog' ${admitted}
      ), scored as materialized (
        select e.text_hash, cosine_similarity(e.vector, (select embedding_of(${asked}))) as score
        from embedding e
        where e.tenant = ${tenant} and e.model = ${space.model} and e.dimension = ${space.dimension}
          and e.text_hash in (select c.text_hash from chunks c)
      ), best as (
        select c.source_id, c.item_id, max(s.score) as score
        from chunks c join scored s using (text_hash)
        group by c.source_id, c.item_id
        order by score desc, c.source_id, c.item_id
        limit ${limit}
      )
      select b.source_id as catalog, i.id, i.method, i.path, i.summary, b.score
      from best b
      join item i on i.tenant = ${tenant} and i.source_kind = 'catalog' and i.source_id = b.source_id and i.id = b.item_id
      order by b.score desc, b.source_id, i.id`
  }
)
