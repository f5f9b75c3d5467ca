import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Tables } from "../driver/Tables.js"

/**
 * The history goes first, then jobs that are the newest of their keys, with their steps. A row that somebody holds, to retry it, is
 * left for the next time.
 */
export const prune = Effect.fn("Maintenance.prune")(function*(
  tenant: string,
  olderThan: Duration.Duration,
  limit: number
) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const old = sql`job.finished_at < now() - ${Duration.toMillis(olderThan)}::float8 * interval '1 millisecond'`
  const rows = yield* sql`
    with history as (
      delete from ${t.jobHistory} as job
      where job.tenant = ${tenant} and job.id = any(array(
        select job.id from ${t.jobHistory} as job where job.tenant = ${tenant} and ${old} order by job.id limit ${limit}
        for update skip locked
      ))
      returning job.id
    ),
    newest as (
      delete from ${t.job} as job
      where job.tenant = ${tenant} and job.id = any(array(
        select job.id from ${t.job} as job
        where job.tenant = ${tenant} and ${old} and job.status in ('succeeded', 'partial', 'cancelled')
        order by job.id
        limit ${limit}::bigint - (select count(*) from history)
        for update skip locked
      ))
      returning job.id
    ),
    gone as (select history.id from history union all select newest.id from newest),
    with_steps as (
      delete from ${t.jobStep} step where step.tenant = ${tenant} and step.job = any(array(select gone.id from gone))
    )
    select gone.id from gone`
  return rows.length
})
