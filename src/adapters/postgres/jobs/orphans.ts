import type * as SqlClient from "@effect/sql/SqlClient"
import * as JobTransition from "../../../domain/job/JobTransition.js"
import * as Pending from "./pending.js"
import type { Names } from "../driver/Tables.js"

/**
 * Frees the running jobs in `orphan`, which are locked: their holder ended them without a word. Two parts of a `with`. The attempt
 * stays spent and the crash is counted; one crash too many ends the job.
 */
export const freeing = (sql: SqlClient.SqlClient, t: Names, tenant: string) => {
  // Only the statement knows how many crashes a row has.
  const error = JobTransition.crashed("%s")
  return sql`
    freed as (
      update ${t.indexJob} as job set again = false, run_at = now(), (
        status, crashes, attempts, cooled_ms, finished_at, last_error
      ) = (
        select
          case when next.failed and not job.again then 'failed' else 'pending' end,
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
      where job.tenant = ${tenant} and job.id = any(array(select orphan.id from orphan))
      returning ${sql.literal(Pending.columns)}
    ),
    lined_up as (${Pending.lineUp(sql, t, "freed")})`
}
