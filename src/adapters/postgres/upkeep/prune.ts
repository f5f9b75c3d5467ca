import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Tables } from "../driver/Tables.js"

/**
 * The history goes first, then jobs that are their sources' newest. A row that somebody holds, to retry it, is left for the next
 * time.
 */
export const prune = Effect.fn("Upkeep.prune")(function*(
  tenant: string,
  olderThan: Duration.Duration,
  limit: number
) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const old = sql`job.finished_at < now() - ${Duration.toMillis(olderThan)}::float8 * interval '1 millisecond'`
  const rows = yield* sql`
    with history as (
      delete from ${t.indexJobHistory} as job
      where job.tenant = ${tenant} and job.id = any(array(
        select job.id from ${t.indexJobHistory} as job where job.tenant = ${tenant} and ${old} order by job.id limit ${limit}
        for update skip locked
      ))
      returning job.id
    ),
    newest as (
      delete from ${t.indexJob} as job
      where job.tenant = ${tenant} and job.id = any(array(
        select job.id from ${t.indexJob} as job
        where job.tenant = ${tenant} and ${old} and (job.status in ('succeeded', 'partial', 'cancelled')
          or job.status = 'failed' and not exists (
            select from ${t.source} s
            where s.tenant = ${tenant} and s.kind = job.source_kind and s.id = job.source_id))
        order by job.id
        limit ${limit}::bigint - (select count(*) from history)
        for update skip locked
      ))
      returning job.id
    )
    select history.id from history union all select newest.id from newest`
  return rows.length
})
