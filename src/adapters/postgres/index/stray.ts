import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import { transact } from "../transact.js"
import * as Serial from "./Serial.js"

/** Vectors swept in one transaction. */
const slice = 2000

interface Stray {
  readonly model: string
  readonly dimension: number
  readonly hash: string
}

/**
 * Take the next candidates and lock those whose vectors nobody is about to use. Never waits: who holds a vector now is
 * writing a chunk that needs it.
 */
const take = Effect.fnUntraced(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<Stray & { readonly locked: boolean }>`
    with taken as (
      delete from stray s
      where s.tenant = ${tenant} and (s.model, s.dimension, s.text_hash) in (
        select n.model, n.dimension, n.text_hash from stray n
        where n.tenant = ${tenant}
        order by n.model, n.dimension, n.text_hash limit ${slice} for update skip locked)
      returning s.model, s.dimension, s.text_hash
    ), locked as (
      select e.model, e.dimension, e.text_hash from embedding e
      where e.tenant = ${tenant}
        and (e.model, e.dimension, e.text_hash) in (select t.model, t.dimension, t.text_hash from taken t)
      for update skip locked
    )
    select t.model, t.dimension, t.text_hash as hash, l.text_hash is not null as locked
    from taken t left join locked l using (model, dimension, text_hash)`
})

/** A statement of its own, so that it sees the chunks that were written before the vectors were locked. */
const discard = Effect.fnUntraced(function*(tenant: string, strays: ReadonlyArray<Stray>) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    delete from embedding e
    using jsonb_to_recordset(${JSON.stringify(strays)}::jsonb) as s (model text, dimension integer, hash text)
    where e.tenant = ${tenant} and e.model = s.model and e.dimension = s.dimension and e.text_hash = s.hash
      and not exists (
        select from chunk c
        where c.tenant = e.tenant and c.model = e.model and c.dimension = e.dimension and c.text_hash = e.text_hash)`
})

const sweepSlice = Effect.fnUntraced(function*(tenant: string) {
  const taken = yield* take(tenant)
  const locked = taken.filter((stray) => stray.locked)
  for (const part of Serial.slices(locked, slice)) yield* discard(tenant, part)
  return taken.length
})

/**
 * Delete the vectors that no chunk refers to any more, in small transactions. Safe beside writers: whoever marks an item as
 * current locks its vectors first, and finds one that was deleted missing.
 */
export const sweep = Effect.fn("stray.sweep")(function*(tenant: string) {
  let taken = slice
  while (taken === slice) taken = yield* transact(sweepSlice(tenant))
})
