import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { JobId, SourceRef } from "../../../domain/job/Job.js"
import { JobStateConflict } from "../../../domain/job/JobQueue.js"
import * as JobRow from "./JobRow.js"
import { find, list } from "./read.js"
import { channel } from "./wake.js"

/** The statement that ends open jobs. A fence of its own makes the holder's next write and heartbeat come too late. */
const cancelled = `
  status = 'cancelled', fence = (select nextval('job_fence')), finished_at = now(), worker = null,
  lease_expires_at = null, again = false`

/** Cancels a pending job, and a running one over its holder's head. */
export const cancel = Effect.fn("JobQueue.cancel")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<JobRow.JobRow>`
    update index_job as job set ${sql.literal(cancelled)}
    where job.tenant = ${tenant} and job.id = ${id} and job.status in ('pending', 'running')
    returning ${sql.literal(JobRow.columns)}`
  if (row !== undefined) return JobRow.toJob(row)
  const job = yield* find(tenant, id)
  return yield* new JobStateConflict({ job: id, status: job.status, asked: "cancelled" })
})

/** Cancels the open job of a source that is being removed, in the caller's transaction. */
export const cancelSource = Effect.fn("JobQueue.cancelSource")(function*(tenant: string, source: SourceRef) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    update index_job as job set ${sql.literal(cancelled)}
    where job.tenant = ${tenant} and job.source_kind = ${source.kind} and job.source_id = ${source.id}
      and job.status in ('pending', 'running')`
})

/**
 * Makes a job ready at once, with all attempts before it. Where the job is history and its source has another open one,
 * that one is made ready, or left to run, and is the answer.
 */
export const retry = Effect.fn("JobQueue.retry")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const { source } = yield* find(tenant, id)
  const rows = yield* sql<JobRow.JobRow>`
    with job as (
      update index_job as job set
        status = 'pending', attempts = 0, crashes = 0, cooled_ms = 0, run_at = now(), finished_at = null, again = false
      where job.tenant = ${tenant} and job.status <> 'running' and job.id = coalesce(
        (
          select open.id from index_job as open
          where open.tenant = ${tenant} and open.source_kind = ${source.kind} and open.source_id = ${source.id}
            and open.status in ('pending', 'running')
        ),
        ${id}
      )
      returning *
    )
    select ${sql.literal(JobRow.columns)}, pg_notify(${channel}, ${tenant}) from job`
  if (rows[0] !== undefined) return JobRow.toJob(rows[0])
  const [running] = yield* list(tenant, { source, status: ["running"], limit: 1 })
  return running !== undefined && running.id !== id
    ? running
    : yield* new JobStateConflict({ job: id, status: "running", asked: "retried" })
})
