import * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import type { JobId, SourceRef } from "../../../domain/job/Job.js"
import { JobStateConflict } from "../../../domain/job/JobQueue.js"
import * as JobRow from "./JobRow.js"
import * as Pending from "./pending.js"
import { find, list } from "./read.js"
import { channel } from "./wake.js"

/** Ends the open job whose number is `id`. A fence of its own makes the holder's next write and heartbeat come too late. */
const cancelling = (sql: SqlClient.SqlClient, tenant: string, id: Fragment) =>
  sql`
    with ${Pending.standing(sql, tenant, id)},
    taken as (
      delete from pending where pending.tenant = ${tenant} and pending.id in (select standing.id from standing)
    ),
    cancelled as (
      update index_job as job set
        status = 'cancelled', fence = (select nextval('job_fence')), finished_at = now(), again = false
      where job.tenant = ${tenant} and job.id = (${id}) and job.status in ('pending', 'running')
        and ${sql.literal(Pending.locked)}
      returning job.*
    )`

/** Cancels a pending job, and a running one over its holder's head. */
export const cancel = Effect.fn("JobQueue.cancel")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<JobRow.JobRow>`
    ${cancelling(sql, tenant, sql`${id}::bigint`)}
    select ${sql.literal(JobRow.columns)} from ${JobRow.withLease(sql, "cancelled")} as job`
  if (row !== undefined) return JobRow.toJob(row)
  const job = yield* find(tenant, id)
  return yield* new JobStateConflict({ job: id, status: job.status, asked: "cancelled" })
})

/** Cancels the open job of a source that is being removed, in the caller's transaction. */
export const cancelSource = Effect.fn("JobQueue.cancelSource")(function*(tenant: string, source: SourceRef) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`${cancelling(sql, tenant, JobRow.newestOf(sql, tenant, source))} select cancelled.id from cancelled`
})

/**
 * Makes a job ready at once, with all attempts before it. Where a newer job of its source has followed it, that one is made
 * ready, or left to run, and is the answer.
 */
export const retry = Effect.fn("JobQueue.retry")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const { source } = yield* find(tenant, id)
  const rows = yield* sql<JobRow.JobRow>`
    with ${Pending.standing(sql, tenant, JobRow.newestOf(sql, tenant, source))},
    anew as (
      update index_job as job set
        status = 'pending', attempts = 0, crashes = 0, cooled_ms = 0, run_at = now(), finished_at = null, again = false
      where job.tenant = ${tenant} and job.source_kind = ${source.kind} and job.source_id = ${source.id}
        and job.status <> 'running' and ${sql.literal(Pending.locked)}
      returning job.*
    ),
    lined_up as (${Pending.lineUp(sql, "anew")})
    select ${sql.literal(JobRow.columns)}, pg_notify(${channel}, ${tenant}) from ${
    JobRow.withLease(sql, "anew")
  } as job`
  if (rows[0] !== undefined) return JobRow.toJob(rows[0])
  const [running] = yield* list(tenant, { source, status: ["running"], limit: 1 })
  return running !== undefined && running.id !== id
    ? running
    : yield* new JobStateConflict({ job: id, status: "running", asked: "retried" })
})
