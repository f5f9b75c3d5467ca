import * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import type { JobId, SourceRef } from "../../../domain/job/Job.js"
import { JobStateConflict } from "../../../domain/job/JobQueue.js"
import * as JobRow from "./JobRow.js"
import * as Pending from "./pending.js"
import { find, list } from "./read.js"
import { Tables } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"

/** Ends the open job whose number is `id`. A fence of its own makes the holder's next write and heartbeat come too late. */
const cancelling = (sql: SqlClient.SqlClient, t: Names, tenant: string, id: Fragment) =>
  sql`
    with ${Pending.standing(sql, t, tenant, id)},
    taken as (
      delete from ${t.pending} where pending.tenant = ${tenant} and pending.id in (select standing.id from standing)
    ),
    cancelled as (
      update ${t.indexJob} as job set
        status = 'cancelled', fence = (select nextval('${t.jobFence}')), finished_at = now(), again = false
      where job.tenant = ${tenant} and job.id = (${id}) and job.status in ('pending', 'running')
        and ${sql.literal(Pending.locked)}
      returning job.*
    )`

/** Cancels a pending job, and a running one over its holder's head. */
export const cancel = Effect.fn("JobQueue.cancel")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [row] = yield* sql<JobRow.JobRow>`
    ${cancelling(sql, t, tenant, sql`${id}::bigint`)}
    select ${sql.literal(JobRow.columns)} from ${JobRow.withLease(sql, t, sql`cancelled`)} as job`
  if (row !== undefined) return JobRow.toJob(row)
  const job = yield* find(tenant, id)
  return yield* new JobStateConflict({ job: id, status: job.status, asked: "cancelled" })
})

/** Cancels the open job of a source that is being removed, in the caller's transaction. */
export const cancelSource = Effect.fn("JobQueue.cancelSource")(function*(tenant: string, source: SourceRef) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`${cancelling(sql, t, tenant, JobRow.newestOf(sql, t, tenant, source))} select cancelled.id from cancelled`
})

/**
 * Makes a job ready at once, with all attempts before it, and forgets what was refused of its source. Where a newer job of its source has followed it, that one is made
 * ready, or left to run, and is the answer.
 */
export const retry = Effect.fn("JobQueue.retry")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const { source } = yield* find(tenant, id)
  const rows = yield* sql<JobRow.JobRow>`
    with ${Pending.standing(sql, t, tenant, JobRow.newestOf(sql, t, tenant, source))},
    anew as (
      update ${t.indexJob} as job set
        status = 'pending', attempts = 0, crashes = 0, cooled_ms = 0, run_at = now(), finished_at = null, again = false
      where job.tenant = ${tenant} and job.source_kind = ${source.kind} and job.source_id = ${source.id}
        and job.status <> 'running' and ${sql.literal(Pending.locked)}
      returning job.*
    ),
    asked_again as (
      delete from ${t.refusal} as refusal using anew
      where refusal.tenant = anew.tenant and refusal.source_kind = anew.source_kind
        and refusal.source_id = anew.source_id
    ),
    lined_up as (${Pending.lineUp(sql, t, "anew")})
    select ${sql.literal(JobRow.columns)}, pg_notify(${t.channel}, ${tenant}) from ${
    JobRow.withLease(sql, t, sql`anew`)
  } as job`
  if (rows[0] !== undefined) return JobRow.toJob(rows[0])
  const [running] = yield* list(tenant, { source, status: ["running"], limit: 1 })
  return running !== undefined && running.id !== id
    ? running
    : yield* new JobStateConflict({ job: id, status: "running", asked: "retried" })
})
