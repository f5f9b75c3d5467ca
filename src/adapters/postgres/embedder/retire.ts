import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Profile from "../../../domain/index/EmbedderProfile.js"
import * as EmbedderUse from "../../../domain/index/EmbedderUse.js"
import { noting } from "../index/strayVectors.js"
import { Tables } from "../driver/Tables.js"
import { lock } from "../index/embedderLock.js"
import * as Record from "../index/embedderRecord.js"

/** Chunks removed in one transaction: the lock that completions wait for is held for as long. */
const slice = 2000

/** What one transaction did: nothing is to be removed, not yet; some was, and there may be more; all is. */
export type Retired = "kept" | "some" | "all"

/**
 * Take a slice of the chunks that embedders which were left have made, once every source is served by the one that is used; their
 * vectors are noted as stray. With the last of them go their refusals and their rows of the record. Belongs inside a transaction:
 * should the store change again between two of these, the next one sees it.
 */
export const retireSlice = Effect.fnUntraced(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* lock(tenant)
  const use = yield* Record.find(tenant)
  if (Option.isNone(use) || !EmbedderUse.isChanging(use.value)) return "all" as Retired
  const { uses } = use.value
  const model = Profile.qualified(uses)
  const dimension = Option.getOrNull(uses.dimension)
  const elsewhere = yield* sql`
    select from ${t.source} s
    where s.tenant = ${tenant}
      and (s.model, s.dimension, s.chunk_words) is distinct from (${model}, ${dimension}::integer, ${uses.chunkWords}::integer)
    limit 1`
  if (elsewhere.length > 0) return "kept" as Retired
  const [row] = yield* sql<{ readonly count: number }>`
    with dropped as (
      delete from ${t.chunk} c
      where c.tenant = ${tenant} and c.ctid = any(array(
        select o.ctid from ${t.chunk} o
        where o.tenant = ${tenant} and (o.model <> ${model} or o.dimension <> ${dimension}::integer
          or o.chunk_words <> ${uses.chunkWords}::integer)
        limit ${slice}))
      returning c.model, c.dimension, c.text_hash
    ), noted as (${noting(sql, t, tenant)})
    select count(*) as count from dropped`
  if (row?.count === slice) return "some" as Retired
  yield* sql`
    delete from ${t.refusal} r
    where r.tenant = ${tenant} and (r.model <> ${model} or r.chunk_words <> ${uses.chunkWords}::integer)`
  yield* Record.write(tenant, { uses, leaving: [] })
  return "all" as Retired
})
