import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import { columns, writing } from "../jobs/pending.js"
import { Tables } from "../driver/Tables.js"

/**
 * Makes the table `pending` agree with the jobs: what is left over goes, what is missing comes. Every look takes the lock of the
 * job's row, so that nothing which changes at this moment is touched; a number that names no job any more never names one again.
 */
export const repairPending = Effect.fn("Maintenance.repairPending")(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`
    with idle as materialized (
      select pending.ctid as place, pending.id from ${t.pending}
      where pending.tenant = ${tenant} and not exists (
        select from ${t.job} as job
        where job.tenant = pending.tenant and job.id = pending.id and job.status = 'pending')
    )
    delete from ${t.pending} where pending.ctid = any(array(
      select idle.place
      from idle cross join lateral (
        select from ${t.job} as job
        where job.tenant = ${tenant} and job.id = idle.id and job.status <> 'pending'
        limit 1
        for update skip locked
      ) as job
      union all
      select idle.place from idle
      where not exists (select from ${t.job} as job where job.tenant = ${tenant} and job.id = idle.id)
    ))`
  const missing = yield* sql`
    with missing as materialized (
      select ${sql.literal(columns)} from ${t.job} as job
      where job.tenant = ${tenant} and job.status = 'pending' and not exists (
        select from ${t.pending} where pending.tenant = job.tenant and pending.id = job.id)
      for update of job skip locked
    ),
    written as (${writing(sql, t, "missing")})
    select missing.id, pg_notify(${t.channel}, ${tenant}) from missing`
  return missing.length
})
