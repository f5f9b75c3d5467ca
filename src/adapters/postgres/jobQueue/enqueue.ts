import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { Job } from "../../../domain/job/Job.js"
import type { EnqueueRequest } from "../../../domain/job/JobQueue.js"
import * as JobRow from "./JobRow.js"
import { channel } from "./wake.js"

/**
 * Makes sure that the source has an open job, inside the caller's transaction where there is one: a pending job becomes
 * ready now, a running one runs again when its source was edited or the run is forced.
 *
 * The mark `again` is in the job's own row because the completion of a running job waits on that row's lock and then sees
 * it; the source's new revision, committed in the same moment, would be hidden from the completion's snapshot.
 */
export const enqueue = Effect.fn("JobQueue.enqueue")(function*(tenant: string, request: EnqueueRequest) {
  const sql = yield* SqlClient.SqlClient
  const { force, maxAttempts, provider, source } = request
  const rows = yield* sql<JobRow.JobRow>`
    with job as (
      insert into index_job as job (tenant, source_kind, source_id, provider, max_attempts, forced_at)
      values (
        ${tenant}, ${source.kind}, ${source.id}, ${provider}, ${maxAttempts},
        case when ${force}::boolean then now() end
      )
      on conflict (tenant, source_kind, source_id) where status in ('pending', 'running') do update set
        provider = excluded.provider,
        max_attempts = excluded.max_attempts,
        forced_at = coalesce(excluded.forced_at, job.forced_at),
        run_at = case job.status when 'pending' then least(job.run_at, now()) else job.run_at end,
        again = job.status = 'running' and (
          job.again or excluded.forced_at is not null or job.revision is distinct from (
            select source.revision from source
            where source.tenant = job.tenant and source.kind = job.source_kind and source.id = job.source_id
          )
        )
      returning *
    )
    select ${sql.literal(JobRow.columns)}, pg_notify(${channel}, ${tenant}) from job`
  return yield* only(rows)
})

/** The one row of a statement that always answers one. */
const only = (rows: ReadonlyArray<JobRow.JobRow>): Effect.Effect<Job> =>
  rows[0] === undefined ? Effect.dieMessage("an enqueue answered no row") : Effect.succeed(JobRow.toJob(rows[0]))
