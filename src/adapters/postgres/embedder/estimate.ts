import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Profile from "../../../domain/index/EmbedderProfile.js"
import type { EmbedderProfile } from "../../../domain/index/EmbedderProfile.js"
import type { Estimate } from "../../../domain/index/StoreEmbedder.js"
import { Tables } from "../driver/Tables.js"

/**
 * What a change would take, by the hashes of the items' texts. A text has its vectors where an item of it has chunks of that size
 * already, or where it was embedded as a whole; one that would have to be cut counts as new, though some of its chunks may be
 * there.
 */
export const estimate = Effect.fnUntraced(function*(tenant: string, to: EmbedderProfile) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const model = Profile.qualified(to)
  const dimension = Option.getOrNull(to.dimension)
  const [row] = yield* sql<Estimate>`
    with wanted as materialized (
      select distinct i.text_hash from ${t.item} i where i.tenant = ${tenant} and not i.removed
    ), cut as materialized (
      select distinct c.item_hash from ${t.chunk} c
      where c.tenant = ${tenant} and c.model = ${model} and c.dimension = coalesce(${dimension}::integer, c.dimension)
        and c.chunk_words = ${to.chunkWords} and c.ordinal = 0
    ), whole as materialized (
      select distinct e.text_hash from ${t.embedding} e
      where e.tenant = ${tenant} and e.model = ${model} and e.dimension = coalesce(${dimension}::integer, e.dimension)
    )
    select (select count(*) from ${t.source} s where s.tenant = ${tenant}) as sources,
      (select count(*) from wanted) as texts,
      (select count(*) from (
        select w.text_hash from wanted w
        intersect (select cut.item_hash from cut union all select whole.text_hash from whole)
      ) there) as stored`
  return row ?? { sources: 0, texts: 0, stored: 0 }
})
