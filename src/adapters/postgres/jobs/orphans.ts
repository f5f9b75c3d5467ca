import type * as SqlClient from "@effect/sql/SqlClient"
import * as JobTransition from "../../../domain/job/JobTransition.js"
import * as Pending from "./pending.js"
import type { Names } from "../driver/Tables.js"

/** Locks the jobs of the leases in `leases` that still run under them; a row that somebody holds is left for the next look. */
export const orphansOf = (sql: SqlClient.SqlClient, t: Names, leases: string) =>
  sql`
      select job.id
      from ${sql.literal(leases)} as lease
      cross join lateral unnest(lease.jobs) as its (id)
      cross join lateral (
        select job.id from ${t.job} as job
        where job.tenant = lease.tenant and job.id = its.id and job.fence = lease.fence and job.status = 'running'
        limit 1
        for update skip locked
      ) as job`

/**
 * Frees the running jobs in `orphan`, which are locked: their holder ended them without a word. Two parts of a `with`. The attempt
 * stays spent and the crash is counted; one crash too many ends the job. `tenants` is the text of an array.
 */
export const freeing = (sql: SqlClient.SqlClient, t: Names, tenants: string) => {
  // Only the statement knows how many crashes a row has.
  const error = JobTransition.crashed("%s")
  return sql`
    freed as (
      update ${t.job} as job set again = false, run_at = now(), (
        status, run, crashes, attempts, cooled_ms, finished_at, last_error
      ) = (
        select
          case when next.failed and not job.again then 'failed' else 'pending' end,
          case when job.again then job.run + 1 else job.run end,
          case when next.failed and job.again then 0 else next.crashes end,
          case when next.failed and job.again then 0 else job.attempts end,
          case when next.failed and job.again then 0 else job.cooled_ms end,
          case when next.failed and not job.again then now() end,
          case when next.failed
            then ${JSON.stringify(error)}::jsonb || jsonb_build_object(
              'message', format(${error.message}::text, next.crashes), 'at', now()
            )
            else job.last_error
          end
        from (select job.crashes + 1 as crashes, job.crashes + 1 >= job.max_attempts as failed) as next
      )
      where job.id = any(array(select orphan.id from orphan)) and job.tenant = any(${tenants}::text::text[])
      returning ${sql.literal(Pending.columns)}
    ),
    written as (${Pending.writing(sql, t, "freed")})`
}
