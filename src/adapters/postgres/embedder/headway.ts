import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { Headway } from "../../../domain/index/StoreEmbedder.js"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import { Tables } from "../driver/Tables.js"

/** How far all sources are in the space that the store uses. Items that were refused are done, too. */
export const headway = Effect.fnUntraced(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [row] = yield* sql<Headway>`
    with used as materialized (
      select e.qualified, e.dimension, e.chunk_words from ${t.embedder} e where e.tenant = ${tenant} and e.place = 0
    ), stands as materialized (
      select s.kind, s.id,
        coalesce(s.model = u.qualified and s.dimension = coalesce(u.dimension, s.dimension)
          and s.chunk_words = u.chunk_words, false) as moved,
        (select count(*) from ${t.item} i
          where i.tenant = ${tenant} and i.source_kind = s.kind and i.source_id = s.id and not i.removed) as items,
        (select count(*) from ${t.chunk} c
          where c.tenant = ${tenant} and c.source_kind = s.kind and c.source_id = s.id and c.model = u.qualified
            and c.dimension = coalesce(u.dimension, c.dimension) and c.chunk_words = u.chunk_words and c.ordinal = 0) as made,
        (select count(*) from ${t.refusal} r
          where r.tenant = ${tenant} and r.source_kind = s.kind and r.source_id = s.id and r.model = u.qualified
            and r.chunk_words = u.chunk_words) as refused,
        (select job.status from ${t.job} job
          where job.tenant = ${tenant} and job.kind = ${IndexJob.kind} and job.key = s.kind || '/' || s.id) as status
      from ${t.source} s cross join used u
      where s.tenant = ${tenant}
    )
    select count(*) as sources, count(*) filter (where stands.moved) as moved,
      coalesce(sum(stands.items), 0)::float8 as items,
      coalesce(sum(case when stands.moved then stands.items else least(stands.items, stands.made + stands.refused) end), 0)
        ::float8 as done,
      coalesce(sum(stands.refused), 0)::float8 as refused,
      count(*) filter (where not stands.moved and stands.status = 'failed') as failed
    from stands`
  return row ?? { sources: 0, moved: 0, items: 0, done: 0, refused: 0, failed: 0 }
})
