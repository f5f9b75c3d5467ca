import * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import type { JobId, SourceRef } from "../../../domain/job/Job.js"
import { JobStateConflict } from "../../../domain/job/JobQueue.js"
import * as JobRow from "./JobRow.js"
import { lineUp } from "./pending.js"
import { find, list } from "./read.js"
import { channel } from "./wake.js"

/** Ends the open job that is meant. A fence of its own makes the holder's next write and heartbeat come too late. */
const cancelling = (sql: SqlClient.SqlClient, tenant: string, which: Fragment) =>
  sql`
    with cancelled as (
      update index_job as job set
        status = 'cancelled', fence = (select nextval('job_fence')), finished_at = now(), again = false
      where job.tenant = ${tenant} and ${which} and job.status in ('pending', 'running')
      returning job.*
    ),
    taken as (
      delete from pending where pending.tenant = ${tenant} and pending.id = any(array(select cancelled.id from cancelled))
    )`

/** Cancels a pending job, and a running one over its holder's head. */
export const cancel = Effect.fn("JobQueue.cancel")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<JobRow.JobRow>`
    ${cancelling(sql, tenant, sql`job.id = ${id}`)}
    select ${sql.literal(JobRow.columns)} from ${JobRow.withLease(sql, "cancelled")} as job`
  if (row !== undefined) return JobRow.toJob(row)
  const job = yield* find(tenant, id)
  return yield* new JobStateConflict({ job: id, status: job.status, asked: "cancelled" })
})

/** Cancels the open job of a source that is being removed, in the caller's transaction. */
export const cancelSource = Effect.fn("JobQueue.cancelSource")(function*(tenant: string, source: SourceRef) {
  const sql = yield* SqlClient.SqlClient
  const its = sql`job.source_kind = ${source.kind} and job.source_id = ${source.id}`
  yield* sql`${cancelling(sql, tenant, its)} select cancelled.id from cancelled`
})

/**
 * Makes a job ready at once, with all attempts before it. Where a newer job of its source has followed it, that one is made
 * ready, or left to run, and is the answer.
 */
export const retry = Effect.fn("JobQueue.retry")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const { source } = yield* find(tenant, id)
  const rows = yield* sql<JobRow.JobRow>`
    with anew as (
      update index_job as job set
        status = 'pending', attempts = 0, crashes = 0, cooled_ms = 0, run_at = now(), finished_at = null, again = false
      where job.tenant = ${tenant} and job.source_kind = ${source.kind} and job.source_id = ${source.id}
        and job.status <> 'running'
      returning job.*
    ),
    lined_up as (${lineUp(sql, "anew")})
    select ${sql.literal(JobRow.columns)}, pg_notify(${channel}, ${tenant}) from ${
    JobRow.withLease(sql, "anew")
  } as job`
  if (rows[0] !== undefined) return JobRow.toJob(rows[0])
  const [running] = yield* list(tenant, { source, status: ["running"], limit: 1 })
  return running !== undefined && running.id !== id
    ? running
    : yield* new JobStateConflict({ job: id, status: "running", asked: "retried" })
})
