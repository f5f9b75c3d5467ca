import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { Opening } from "../../../domain/job/Upkeep.js"
import { channel } from "../jobQueue/wake.js"

/** Unlike an enqueue it leaves an open job as it is: one that backs off is not made ready by it. */
export const open = Effect.fn("Upkeep.open")(function*(tenant: string, openings: ReadonlyArray<Opening>) {
  if (openings.length === 0) return 0
  const sql = yield* SqlClient.SqlClient
  const wanted = JSON.stringify(openings.map(({ after, maxAttempts, provider, source }) => ({
    kind: source.kind,
    id: source.id,
    provider,
    max_attempts: maxAttempts,
    after: after ?? 0
  })))
  const rows = yield* sql`
    with opened as (
      insert into index_job (tenant, source_kind, source_id, provider, max_attempts)
      select ${tenant}, wanted.kind, wanted.id, wanted.provider, wanted.max_attempts
      from jsonb_to_recordset(${wanted}::jsonb)
        as wanted (kind text, id text, provider text, max_attempts integer, after bigint)
      where exists (
          select from source s where s.tenant = ${tenant} and s.kind = wanted.kind and s.id = wanted.id)
        and not exists (
          select from index_job newer
          where newer.tenant = ${tenant} and newer.source_kind = wanted.kind and newer.source_id = wanted.id
            and newer.id > wanted.after)
      on conflict (tenant, source_kind, source_id) where status in ('pending', 'running') do nothing
      returning id
    ), told as materialized (
      select pg_notify(${channel}, ${tenant}) from (select from opened limit 1) as any_of_them
    )
    select opened.id from opened left join told on true`
  return rows.length
})
