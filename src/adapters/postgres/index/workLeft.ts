import type * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { PendingItem, VectorSpace } from "../../../domain/index/IndexStore.js"
import type { Progress } from "../../../domain/job/Job.js"
import type { HeldSource } from "../../../domain/index/IndexJob.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { guarding } from "../jobs/guard.js"
import { refuse } from "../jobs/staleWrite.js"
import { forcedAt } from "./forcedAt.js"
import type { LeaseLost } from "../../../domain/lease/Lease.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import type { Names } from "../driver/Tables.js"

/** The source of a held job, in one space. */
interface Given {
  readonly tenant: string
  readonly held: HeldSource
  readonly space: VectorSpace
}

/**
 * What is there already, and what is still to do, for the source of a held job. `offset 0` makes each check a look-up by key:
 * a planner without statistics joins whole tables otherwise, which takes minutes for 20,000 items.
 */

/** An item's first chunk in the space, made of its present text: all of an item's chunks are written at once. */
const currentChunk = (sql: SqlClient.SqlClient, t: Names, tenant: string, held: HeldSource, space: VectorSpace) =>
  sql`c.tenant = ${tenant} and c.source_kind = i.source_kind and c.source_id = i.source_id
    and c.model = ${space.model} and c.dimension = ${space.dimension}::integer
    and c.chunk_words = ${space.chunkWords}::integer and c.item_id = i.id and c.ordinal = 0 and c.item_hash = i.text_hash
    and c.written_at >= ${forcedAt(sql, t, tenant, held)}`

/** The model would not take the item's present text. */
const validRefusal = (sql: SqlClient.SqlClient, t: Names, tenant: string, held: HeldSource, space: VectorSpace) =>
  sql`r.tenant = ${tenant} and r.source_kind = i.source_kind and r.source_id = i.source_id
    and r.item_id = i.id and r.model = ${space.model} and r.chunk_words = ${space.chunkWords}::integer
    and r.item_hash = i.text_hash
    and r.refused_at >= ${forcedAt(sql, t, tenant, held)}`

const isPresent = (sql: SqlClient.SqlClient, tenant: string, held: HeldSource) =>
  sql`i.tenant = ${tenant} and i.source_kind = ${held.source.kind} and i.source_id = ${held.source.id}
    and not i.removed`

export interface Counts {
  readonly items: number
  readonly current: number
  readonly refused: number
}

/**
 * The source's items, those whose chunks are not current, and those of them that are refused: as sets, which cost a scan of the
 * source each, whatever the planner knows.
 */
const sets = (sql: SqlClient.SqlClient, t: Names, tenant: string, held: HeldSource, space: VectorSpace) => {
  const { id, kind } = held.source
  return sql`
    present as materialized (select i.id, i.text_hash from ${t.item} i where ${isPresent(sql, tenant, held)}),
    lacking as materialized (
      select p.id, p.text_hash from present p
      except
      select c.item_id, c.item_hash from ${t.chunk} c
      where c.tenant = ${tenant} and c.source_kind = ${kind} and c.source_id = ${id}
        and c.model = ${space.model} and c.dimension = ${space.dimension}::integer
        and c.chunk_words = ${space.chunkWords}::integer and c.ordinal = 0
        and c.written_at >= ${forcedAt(sql, t, tenant, held)}
    ),
    refused as materialized (
      select l.id, l.text_hash from lacking l
      intersect
      select r.item_id, r.item_hash from ${t.refusal} r
      where r.tenant = ${tenant} and r.source_kind = ${kind} and r.source_id = ${id} and r.model = ${space.model}
        and r.chunk_words = ${space.chunkWords}::integer and r.refused_at >= ${forcedAt(sql, t, tenant, held)}
    )`
}

const vectorless = (sql: SqlClient.SqlClient, t: Names) =>
  sql`not exists (
    select from ${t.embedding} e
    where e.tenant = c.tenant and e.model = c.model and e.dimension = c.dimension and e.text_hash = c.text_hash offset 0)`

/** Items whose vectors went missing lose their chunks, so that they are pending again. */
const dropBroken = SqlFailure.statement((sql, t, { held: { source }, space, tenant }: Given) =>
  sql`
    delete from ${t.chunk} b
    where b.tenant = ${tenant} and b.source_kind = ${source.kind} and b.source_id = ${source.id}
      and b.model = ${space.model} and b.dimension = ${space.dimension} and b.chunk_words = ${space.chunkWords}::integer
      and b.item_id = any(array(
        select c.item_id from ${t.chunk} c
        where c.tenant = ${tenant} and c.source_kind = ${source.kind} and c.source_id = ${source.id}
          and c.model = ${space.model} and c.dimension = ${space.dimension}
          and c.chunk_words = ${space.chunkWords}::integer and ${vectorless(sql, t)}))`
)

interface Counted extends Counts {
  /** A chunk is there whose vector is not. */
  readonly broken: boolean
}

const count = SqlFailure.statement((sql, t, { held, space, tenant }: Given) =>
  sql<Counted>`
    with ${sets(sql, t, tenant, held, space)}
    select p.items, p.items - l.lacking as current, r.refused, exists (
      select from ${t.chunk} c
      where c.tenant = ${tenant} and c.source_kind = ${held.source.kind} and c.source_id = ${held.source.id}
        and c.model = ${space.model} and c.dimension = ${space.dimension}::integer
        and c.chunk_words = ${space.chunkWords}::integer and ${vectorless(sql, t)}
    ) as broken
    from (select count(*) as items from present) p,
      (select count(*) as lacking from lacking) l,
      (select count(*) as refused from refused) r`
)

/** How many items are done and how many are left out; chunks whose vectors went missing are dropped first. */
export const counts = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, t: Names, given: Given) {
  let [row] = yield* count(sql, t, given)
  if (row?.broken === true) {
    yield* dropBroken(sql, t, given)
    ;[row] = yield* count(sql, t, given)
  }
  const { current, items, refused } = row ?? { items: 0, current: 0, refused: 0 }
  return { items, current, refused }
})

const look = SqlFailure.statement((
  sql,
  t,
  { held, progress, space, tenant }: Given & { readonly progress: Progress }
) =>
  sql<{
    readonly guarded: boolean
    readonly gone: boolean
    readonly incomplete: boolean
    readonly foreign: boolean
  }>`
    with guarded as (${guarding(sql, t, held, Option.some(progress))}),
    ${sets(sql, t, tenant, held, space)}
    select exists (select from guarded) as guarded,
      not exists (
        select from ${t.source} s
        where s.tenant = ${tenant} and s.kind = ${held.source.kind} and s.id = ${held.source.id}
      ) as gone,
      (select count(*) from lacking) > (select count(*) from refused) as incomplete,
      exists (
        select from ${t.embedder} e
        where e.tenant = ${tenant} and e.place = 0 and (e.qualified <> ${space.model}
          or e.dimension <> ${space.dimension}::integer or e.chunk_words <> ${space.chunkWords}::integer)
      ) as foreign`
)

/**
 * Guards the job as `guard` does, and says whether its source is gone, or an item of it is neither current nor refused, or the store
 * uses another space by now. Belongs after the source's lock, so that what is read cannot have changed meanwhile.
 */
export const guardAndLook = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  t: Names,
  given: Given & { readonly progress: Progress }
): Effect.fn.Return<"complete" | "incomplete" | "gone", StoreFailure | LeaseLost> {
  const [row] = yield* look(sql, t, given)
  if (row?.guarded !== true) return yield* refuse(given.held)
  return row.gone ? "gone" : row.incomplete || row.foreign ? "incomplete" : "complete"
})

/** A page costs as much as the items that it passes. */
export const pending = SqlFailure.statement((
  sql,
  t,
  { after, held, limit, space, tenant }: Given & { readonly after: number; readonly limit: number }
) =>
  sql<PendingItem>`
    select i.id, i.position, i.text, i.text_hash as hash
    from ${t.item} i
    where ${isPresent(sql, tenant, held)} and i.position > ${after}
      and not exists (select from ${t.chunk} c where ${currentChunk(sql, t, tenant, held, space)} offset 0)
      and not exists (select from ${t.refusal} r where ${validRefusal(sql, t, tenant, held, space)} offset 0)
    order by i.position limit ${limit}`
)

const usable = SqlFailure.statement((sql, t, { hashes, held, space, tenant }: Given & { readonly hashes: string }) =>
  sql<{ readonly hash: string }>`
    select e.text_hash as hash
    from ${t.embedding} e
    where e.tenant = ${tenant} and e.model = ${space.model} and e.dimension = ${space.dimension}
      and e.text_hash = any(string_to_array(${hashes}, ' '))
      and e.written_at >= ${forcedAt(sql, t, tenant, held)}`
)

export const known = (sql: SqlClient.SqlClient, t: Names, given: Given, hashes: ReadonlyArray<string>) =>
  Effect.map(
    usable(sql, t, { ...given, hashes: hashes.join(" ") }),
    (rows) => new Set(rows.map((row) => row.hash))
  )

/**
 * The dimension that this model's vectors have: that of the source completed last, else of the first vector found. Where
 * settings changed a model's dimension, both stand until every source has moved.
 */
export const storedDimension = (sql: SqlClient.SqlClient, t: Names, tenant: string, model: string | Fragment) =>
  sql`coalesce(
    (select s.dimension from ${t.source} s
      where s.tenant = ${tenant} and s.model = ${model} order by s.updated_at desc limit 1),
    (select e.dimension from ${t.embedding} e
      where e.tenant = ${tenant} and e.model = ${model} order by e.dimension limit 1))`

export const dimensionOf = SqlFailure.statement((
  sql,
  t,
  { model, tenant }: { readonly tenant: string; readonly model: string }
) => sql<{ readonly dimension: number | null }>`select ${storedDimension(sql, t, tenant, model)} as dimension`)
