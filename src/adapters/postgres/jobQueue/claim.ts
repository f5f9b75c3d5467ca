import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ClaimRequest, Held } from "../../../domain/job/JobQueue.js"
import { Fence } from "../../../domain/lease/Lease.js"
import * as JobRow from "./JobRow.js"
import { providers } from "./ready.js"

/**
 * Takes up to `slots` ready jobs, the longest ready first over all providers that are free. One fence is drawn for all
 * rows of the statement. Since a source has one open job, and a job that yields goes to the end, sources take turns.
 *
 * `id = any(array(...))` keeps the plan on the primary key, whatever the statistics say; the same picks joined to the update
 * scan the table.
 */
export const statement = (sql: SqlClient.SqlClient, tenant: string, request: ClaimRequest) => {
  const only = request.only === undefined ? sql`` : sql`and job.id = ${request.only}`
  return sql<JobRow.JobRow>`
    with recursive ${providers(sql, tenant)}
    update index_job as job set
      status = 'running',
      worker = ${request.worker},
      lease_expires_at = now() + ${Duration.toMillis(request.duration)}::float8 * interval '1 millisecond',
      fence = (select nextval('job_fence')),
      attempts = least(job.attempts + 1, job.max_attempts),
      started_at = coalesce(job.started_at, now()),
      claimed_forced_at = job.forced_at,
      again = false,
      revision = (
        select source.revision from source
        where source.tenant = job.tenant and source.kind = job.source_kind and source.id = job.source_id
      )
    where job.tenant = ${tenant} and job.id = any(array(
      select ready.id
      from provider cross join lateral (
        select job.id, job.run_at from index_job as job
        where job.tenant = ${tenant} and job.status = 'pending' and job.provider = provider.name
          and job.run_at <= now() and provider.free_at <= now() ${only}
        order by job.run_at, job.id
        limit ${request.slots}
        for update skip locked
      ) as ready
      order by ready.run_at, ready.id
      limit ${request.slots}
    ))
    returning ${sql.literal(JobRow.columns)}`
}

/** Takes ready jobs; the longest ready comes first. */
export const claim = Effect.fn("JobQueue.claim")(function*(tenant: string, request: ClaimRequest) {
  if (request.slots < 1) return []
  const rows = yield* statement(yield* SqlClient.SqlClient, tenant, request)
  return rows
    .toSorted((a, b) => a.run_at.getTime() - b.run_at.getTime() || a.id - b.id)
    .map((row): Held => ({
      job: JobRow.toJob(row),
      worker: request.worker,
      fence: Fence.make(row.fence, { disableValidation: true })
    }))
})
