import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { downTags, isDown } from "../../../domain/job/Job.js"
import type { JobId } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import * as JobTransition from "../../../domain/job/JobTransition.js"
import type { Outcome } from "../../../domain/job/Outcome.js"
import type { Fence } from "../../../domain/lease/Lease.js"
import { prepared } from "../driver/Prepared.js"
import { answering, completeAll, toSettled } from "./complete.js"
import type { SettledRow } from "./complete.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import * as JobRow from "./JobRow.js"
import * as Pending from "./pending.js"
import { count, refuse } from "./staleWrite.js"
import { Tables } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"

/** Writes how an attempt ended, under its fence. */
export const settle = Effect.fn("JobQueue.settle")(function*(tenant: string, held: Held, outcome: Outcome) {
  const [row] = yield* settleAll(
    yield* SqlClient.SqlClient,
    yield* Tables,
    tenant,
    held.fence,
    [held.job.id],
    JobTransition.settlement(outcome)
  )
  return row === undefined ? yield* refuse(held) : toSettled(row)
})

/** Writes that attempts of one claim ended alike; answers those that were still held, and counts the others as refused. */
export const settleAlike = Effect.fnUntraced(
  function*(sql: SqlClient.SqlClient, t: Names, tenant: string, held: ReadonlyArray<Held>, outcome: Outcome) {
    const [first] = held
    if (first === undefined) return new Set<JobId>()
    const ids = held.map(({ job }) => job.id)
    const rows = yield* settleAll(sql, t, tenant, first.fence, ids, JobTransition.settlement(outcome))
    const settled = new Set(rows.flatMap((row) => row.ids))
    if (settled.size < held.length) {
      yield* Effect.forEach(held.filter(({ job }) => !settled.has(job.id)), count, { discard: true })
    }
    return settled
  }
)

/** The time of the first in a row of failures by a provider that is down; progress ends the row. */
const downSince = (sql: SqlClient.SqlClient) =>
  sql`jsonb_build_object('since', case
    when job.last_error ->> 'tag' = any(${`{${downTags.join(",")}}`}::text::text[])
      and coalesce(job.progress_at <= (job.last_error ->> 'at')::timestamptz, true)
      then coalesce(job.last_error -> 'since', job.last_error -> 'at')
    else to_jsonb(now())
  end)`

/** Ends jobs of one claim alike, in one statement. Rows of a newer claim are left alone and left out. */
export const settleAll = (
  sql: SqlClient.SqlClient,
  t: Names,
  tenant: string,
  fence: Fence,
  ids: ReadonlyArray<number>,
  settlement: JobTransition.Settlement
) =>
  settlement.to === "completed"
    ? completeAll(sql, t, tenant, { fence, ids, progress: Option.none(), again: false })
    : endAll(sql, t, tenant, fence, ids, settlement)

/**
 * A job whose attempt is not given back fails where its attempts are spent; one that fails and was asked for anew
 * meanwhile runs again with all attempts before it.
 */
const endAll = (
  sql: SqlClient.SqlClient,
  t: Names,
  tenant: string,
  fence: Fence,
  ids: ReadonlyArray<number>,
  settlement: JobTransition.Settlement
) => {
  const delay = Duration.toMillis(settlement.delay)
  const error = Option.match(settlement.error, {
    onNone: () => sql`job.last_error`,
    onSome: (error) =>
      sql`${JSON.stringify(error)}::jsonb || jsonb_build_object('at', now()) || ${
        isDown(error.tag) ? downSince(sql) : sql`'{}'`
      }`
  })
  return SqlFailure.renamed(sql<SettledRow>`${prepared}
    with settled as (
      update ${t.indexJob} as job set again = false, crashes = 0, (
        status, attempts, cooled_ms, run_at, finished_at, last_error
      ) = (
        select
          case when next.anew then 'pending' else next.status end,
          case
            when next.anew then 0
            when ${settlement.refund}::boolean then greatest(0, job.attempts - 1)
            else job.attempts
          end,
          case
            when next.anew then 0
            when ${settlement.cooling}::boolean then job.cooled_ms + ${delay}::float8
            else job.cooled_ms
          end,
          case
            when next.anew then now()
            when next.status = 'pending'
              then now() + ${delay}::float8 * interval '1 millisecond'
            else job.run_at
          end,
          case when next.status <> 'pending' and not next.anew then now() end,
          ${error}
        from (
          select ending.status, ending.status = 'failed' and job.again as anew
          from (
            select case
              when ${settlement.to}::text = 'pending' and not ${settlement.refund}::boolean and job.attempts >= job.max_attempts
                then 'failed'
              else ${settlement.to}::text
            end as status
          ) as ending
        ) as next
      )
      where job.tenant = ${tenant} and job.id = any(${JobRow.array(ids)}::text::bigint[]) and job.fence = ${fence}
        and job.status = 'running'
      returning ${sql.literal(Pending.columns)}
    ),
    ${answering(sql, t, tenant, fence)}`)
}
