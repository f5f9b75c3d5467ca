import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import type { Opening } from "../../../domain/index/Reconciler.js"
import { Tables } from "../driver/Tables.js"
import { archiving } from "../jobs/history.js"
import * as Pending from "../jobs/pending.js"

/** Unlike an enqueue it leaves an open job as it is: one that backs off is not made ready by it. */
export const open = Effect.fn("Reconciler.open")(function*(tenant: string, openings: ReadonlyArray<Opening>) {
  if (openings.length === 0) return 0
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const wanted = JSON.stringify(openings.map(({ after, maxAttempts, provider, source }) => ({
    kind: source.kind,
    id: source.id,
    key: IndexJob.keyOf(source),
    provider,
    max_attempts: maxAttempts,
    after: after ?? 0
  })))
  const rows = yield* sql`
    with wanted as materialized (
      select wanted.*, s.revision
      from jsonb_to_recordset(${wanted}::jsonb)
        as wanted (kind text, id text, key text, provider text, max_attempts integer, after bigint)
      join ${t.source} s on s.tenant = ${tenant} and s.kind = wanted.kind and s.id = wanted.id
    ), ${archiving(sql, t, sql`job.tenant = ${tenant} and job.id = any(array(select wanted.after from wanted))`)},
    opened as (
      insert into ${t.job} (tenant, kind, key, provider, session, max_attempts, version, payload)
      select ${tenant}, ${IndexJob.kind}, wanted.key, wanted.provider, wanted.provider, wanted.max_attempts, wanted.revision,
        jsonb_build_object('source', jsonb_build_object('kind', wanted.kind, 'id', wanted.id))
      from wanted, (select count(*) from over) as first
      on conflict (tenant, kind, key) do nothing
      returning *
    ), written as (${Pending.writing(sql, t, "opened")}
    ), told as materialized (
      select pg_notify(${t.channel}, ${tenant}) from (select from opened limit 1) as any_of_them
    )
    select opened.id from opened left join told on true`
  return rows.length
})
