import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as SqlFailure from "../driver/SqlFailure.js"
import { transact } from "../driver/transact.js"
import { Tables } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"

/** Notes the texts of the chunks in `dropped` as stray. */
export const noting = (sql: SqlClient.SqlClient, t: Names, tenant: string) =>
  sql`
    insert into ${t.stray} (tenant, model, dimension, text_hash)
    select distinct ${tenant}, d.model, d.dimension, d.text_hash from dropped d
    order by d.model, d.dimension, d.text_hash
    on conflict do nothing`

/** Vectors swept in one transaction. */
const slice = 2000

/** `taken` counts the candidates; `locked` are those, as JSON, whose vectors nobody is about to use. */
interface Taken {
  readonly taken: number
  readonly locked: ReadonlyArray<unknown>
}

/** Take the next candidates. Never waits: who holds a vector's row now is writing a chunk that needs it. */
const take = Effect.fnUntraced(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [row] = yield* sql<Taken>`
    with taken as (
      delete from ${t.stray} s
      where s.tenant = ${tenant} and (s.model, s.dimension, s.text_hash) in (
        select n.model, n.dimension, n.text_hash from ${t.stray} n
        where n.tenant = ${tenant}
        order by n.model, n.dimension, n.text_hash limit ${slice} for update skip locked)
      returning s.model, s.dimension, s.text_hash
    ), locked as (
      select e.model, e.dimension, e.text_hash as hash from ${t.embedding} e
      where e.tenant = ${tenant}
        and (e.model, e.dimension, e.text_hash) in (select t.model, t.dimension, t.text_hash from taken t)
      for update skip locked
    )
    select (select count(*) from taken) as taken, (select coalesce(jsonb_agg(to_jsonb(l)), '[]') from locked l) as locked`
  return row ?? { taken: 0, locked: [] }
})

/** A statement of its own, so that it sees the chunks that were written before the vectors were locked. */
const discard = Effect.fnUntraced(function*(tenant: string, locked: ReadonlyArray<unknown>) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`
    delete from ${t.embedding} e
    using jsonb_to_recordset(${JSON.stringify(locked)}::jsonb) as s (model text, dimension integer, hash text)
    where e.tenant = ${tenant} and e.model = s.model and e.dimension = s.dimension and e.text_hash = s.hash
      and not exists (
        select from ${t.chunk} c
        where c.tenant = e.tenant and c.model = e.model and c.dimension = e.dimension and c.text_hash = e.text_hash)`
})

const sweepSlice = Effect.fnUntraced(function*(tenant: string) {
  const { locked, taken } = yield* take(tenant)
  if (locked.length > 0) yield* discard(tenant, locked)
  return taken
})

/** Most jobs leave nothing: that costs a look, and no transaction. */
const hasStray = Effect.fnUntraced(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql`select from ${t.stray} s where s.tenant = ${tenant} limit 1`
  return rows.length > 0
}, SqlFailure.renamed)

/**
 * Delete the vectors that no chunk refers to any more, in small transactions. Safe beside writers: whoever marks an item as
 * current locks its vectors first, and finds one that was deleted missing.
 */
export const sweep = Effect.fn("stray.sweep")(function*(tenant: string) {
  let taken = (yield* hasStray(tenant)) ? slice : 0
  while (taken === slice) taken = yield* transact(sweepSlice(tenant))
})
