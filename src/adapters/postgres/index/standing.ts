import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { PendingItem, VectorSpace } from "../../../domain/embedding/IndexStore.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { forcedAt } from "./forced.js"

/**
 * What is there already, and what is still to do, for the source of a held job. `offset 0` makes each check a look-up by key:
 * a planner without statistics joins whole tables otherwise, which takes minutes for 20,000 items.
 */

/** An item's first chunk in the space, made of its present text: all of an item's chunks are written at once. */
const currentChunk = (sql: SqlClient.SqlClient, tenant: string, held: Held, space: VectorSpace) =>
  sql`c.tenant = ${tenant} and c.source_kind = i.source_kind and c.source_id = i.source_id
    and c.model = ${space.model} and c.dimension = ${space.dimension}::integer
    and c.item_id = i.id and c.ordinal = 0 and c.item_hash = i.text_hash
    and c.written_at >= ${forcedAt(sql, tenant, held)}`

/** The model would not take the item's present text. */
const validRefusal = (sql: SqlClient.SqlClient, tenant: string, held: Held, space: VectorSpace) =>
  sql`r.tenant = ${tenant} and r.source_kind = i.source_kind and r.source_id = i.source_id
    and r.item_id = i.id and r.model = ${space.model} and r.item_hash = i.text_hash
    and r.refused_at >= ${forcedAt(sql, tenant, held)}`

const isPresent = (sql: SqlClient.SqlClient, tenant: string, held: Held) =>
  sql`i.tenant = ${tenant} and i.source_kind = ${held.job.source.kind} and i.source_id = ${held.job.source.id}
    and not i.removed`

export interface Standing {
  readonly items: number
  readonly current: number
  readonly refused: number
}

export const standing = Effect.fnUntraced(function*(tenant: string, held: Held, space: VectorSpace) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<Standing>`
    select count(*) as items,
      count(*) filter (where s.current) as current,
      count(*) filter (where s.refused and not s.current) as refused
    from (
      select exists (select from chunk c where ${currentChunk(sql, tenant, held, space)} offset 0) as current,
        exists (select from refusal r where ${validRefusal(sql, tenant, held, space)} offset 0) as refused
      from item i where ${isPresent(sql, tenant, held)}
    ) s`
  return row ?? { items: 0, current: 0, refused: 0 }
})

/** A page costs as much as the items that it passes. */
export const pending = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, after: number, limit: number) {
    const sql = yield* SqlClient.SqlClient
    return yield* sql<PendingItem>`
      select i.id, i.position, i.text, i.text_hash as hash
      from item i
      where ${isPresent(sql, tenant, held)} and i.position > ${after}
        and not exists (select from chunk c where ${currentChunk(sql, tenant, held, space)} offset 0)
        and not exists (select from refusal r where ${validRefusal(sql, tenant, held, space)} offset 0)
      order by i.position limit ${limit}`
  }
)

/** Whether an item is neither current nor refused. */
export const isIncomplete = Effect.fnUntraced(function*(tenant: string, held: Held, space: VectorSpace) {
  return (yield* pending(tenant, held, space, -1, 1)).length > 0
})

export const known = Effect.fnUntraced(
  function*(tenant: string, held: Held, space: VectorSpace, hashes: ReadonlyArray<string>) {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ readonly hash: string }>`
      select e.text_hash as hash
      from embedding e
      where e.tenant = ${tenant} and e.model = ${space.model} and e.dimension = ${space.dimension}
        and e.text_hash = any(string_to_array(${hashes.join(" ")}, ' '))
        and e.written_at >= ${forcedAt(sql, tenant, held)}`
    return new Set(rows.map((row) => row.hash))
  }
)

/**
 * The dimension that this model's vectors have: that of the source completed last, else of the first vector found. Where
 * settings changed a model's dimension, both stand until every source has moved.
 */
export const dimensionOf = Effect.fnUntraced(function*(tenant: string, model: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly dimension: number | null }>`
    select coalesce(
      (select s.dimension from source s
        where s.tenant = ${tenant} and s.model = ${model} order by s.updated_at desc limit 1),
      (select e.dimension from embedding e
        where e.tenant = ${tenant} and e.model = ${model} order by e.dimension limit 1)) as dimension`
  return row?.dimension ?? null
})
