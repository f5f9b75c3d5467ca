import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { Opening } from "../../../domain/job/Upkeep.js"
import { archiving } from "../jobs/history.js"
import { lineUp } from "../jobs/pending.js"
import { Tables } from "../driver/Tables.js"

/** Unlike an enqueue it leaves an open job as it is: one that backs off is not made ready by it. */
export const open = Effect.fn("Upkeep.open")(function*(tenant: string, openings: ReadonlyArray<Opening>) {
  if (openings.length === 0) return 0
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const wanted = JSON.stringify(openings.map(({ after, maxAttempts, provider, source }) => ({
    kind: source.kind,
    id: source.id,
    provider,
    max_attempts: maxAttempts,
    after: after ?? 0
  })))
  const rows = yield* sql`
    with wanted as materialized (
      select wanted.*, s.number, s.revision
      from jsonb_to_recordset(${wanted}::jsonb)
        as wanted (kind text, id text, provider text, max_attempts integer, after bigint)
      join ${t.source} s on s.tenant = ${tenant} and s.kind = wanted.kind and s.id = wanted.id
    ), ${archiving(sql, t, sql`job.tenant = ${tenant} and job.id = any(array(select wanted.after from wanted))`)},
    opened as (
      insert into ${t.indexJob} (tenant, source_kind, source_id, provider, max_attempts, source_number, revision)
      select ${tenant}, wanted.kind, wanted.id, wanted.provider, wanted.max_attempts, wanted.number,
        wanted.revision
      from wanted, (select count(*) from over) as first
      on conflict (tenant, source_kind, source_id) do nothing
      returning *
    ), lined_up as (${lineUp(sql, t, "opened")}
    ), told as materialized (
      select pg_notify(${t.channel}, ${tenant}) from (select from opened limit 1) as any_of_them
    )
    select opened.id from opened left join told on true`
  return rows.length
})
