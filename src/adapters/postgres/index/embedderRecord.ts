import * as SqlClient from "@effect/sql/SqlClient"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Profile from "../../../domain/index/EmbedderProfile.js"
import { EmbedderProfile } from "../../../domain/index/EmbedderProfile.js"
import * as EmbedderUse from "../../../domain/index/EmbedderUse.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { storedDimension } from "./workLeft.js"
import { prepared } from "../driver/Prepared.js"
import { Tables } from "../driver/Tables.js"
import { lock } from "./embedderLock.js"
import { redirect } from "./redirect.js"

/**
 * The table `embedder`: which one the store uses (place 0), and those that it leaves, newest first. It is written under the lock
 * of lock.ts.
 */

interface Row {
  readonly provider: string
  readonly model: string
  readonly dimension: number | null
  readonly chunk_words: number
}

const toProfile = ({ chunk_words: chunkWords, dimension, model, provider }: Row): EmbedderProfile =>
  EmbedderProfile.make({ provider, model, dimension: Option.fromNullable(dimension), chunkWords })

/** A worker asks for each small job: prepared, a look-up by key. */
const rows = SqlFailure.statement((sql, t, { tenant }: { readonly tenant: string }) =>
  sql<Row>`${prepared}
    select named.provider, named.model, named.chunk_words,
      coalesce(named.dimension, ${storedDimension(sql, t, tenant, sql`named.qualified`)}) as dimension
    from ${t.embedder} named where named.tenant = ${tenant} order by named.place`
)

/** What the store uses; none before the first index. */
export const find = Effect.fnUntraced(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  const found = yield* rows(sql, yield* Tables, { tenant })
  return Array.match(found.map(toProfile), {
    onEmpty: () => Option.none<EmbedderUse.EmbedderUse>(),
    onNonEmpty: ([uses, ...leaving]) => Option.some({ uses, leaving })
  })
})

/** Make this the record. What answers call a model stays known. */
export const write = Effect.fnUntraced(function*(tenant: string, { leaving, uses }: EmbedderUse.EmbedderUse) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const before = yield* sql<{ readonly qualified: string; readonly answers_as: string | null }>`
    select qualified, answers_as from ${t.embedder} where tenant = ${tenant} and answers_as is not null`
  const answersAs = new Map(before.map((row) => [row.qualified, row.answers_as]))
  const profiles = [uses, ...leaving].map((profile, place) => ({
    place,
    provider: profile.provider,
    model: profile.model,
    qualified: Profile.qualified(profile),
    dimension: Option.getOrNull(profile.dimension),
    chunk_words: profile.chunkWords,
    answers_as: answersAs.get(Profile.qualified(profile)) ?? null
  }))
  yield* sql`delete from ${t.embedder} where tenant = ${tenant}`
  yield* sql`
    insert into ${t.embedder} (tenant, place, provider, model, qualified, dimension, chunk_words, answers_as)
    select ${tenant}, n.* from jsonb_to_recordset(${JSON.stringify(profiles)}::jsonb)
      as n (place integer, provider text, model text, qualified text, dimension integer, chunk_words integer,
        answers_as text)`
})

const hasSource = Effect.fnUntraced(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const found = yield* sql`select from ${t.source} s where s.tenant = ${tenant} limit 1`
  return found.length > 0
})

/** See StoreEmbedder.adopt; belongs inside a transaction. */
export const adopt = Effect.fnUntraced(function*(tenant: string, profile: EmbedderProfile) {
  yield* lock(tenant)
  const before = yield* find(tenant)
  if (Option.isSome(before) && (yield* hasSource(tenant))) return before.value
  const use: EmbedderUse.EmbedderUse = { uses: profile, leaving: [] }
  yield* write(tenant, use)
  return use
})

/** See StoreEmbedder.change; belongs inside a transaction. */
export const change = Effect.fnUntraced(function*(tenant: string, to: EmbedderProfile) {
  yield* lock(tenant)
  const use = EmbedderUse.changed(yield* find(tenant), to)
  yield* write(tenant, use)
  yield* redirect(tenant)
  return use
})

const kept = SqlFailure.statement((
  sql,
  t,
  { qualified, tenant }: { readonly tenant: string; readonly qualified: string }
) =>
  sql<{ readonly name: string | null }>`${prepared}
    select e.answers_as as name from ${t.embedder} e
    where e.tenant = ${tenant} and e.qualified = ${qualified} order by e.place limit 1`
)

/** See StoreEmbedder.named. Each search asks, so that nothing is written twice; of two that come first at once, one decides. */
export const named = Effect.fnUntraced(function*(tenant: string, qualified: string, answersAs: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [before] = yield* kept(sql, t, { tenant, qualified })
  if (before === undefined) return answersAs
  if (before.name !== null) return before.name
  yield* sql`
    update ${t.embedder} e set answers_as = ${answersAs}
    where e.tenant = ${tenant} and e.qualified = ${qualified} and e.answers_as is null`
  const [after] = yield* kept(sql, t, { tenant, qualified })
  return after?.name ?? answersAs
})
