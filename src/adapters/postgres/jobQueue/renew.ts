import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { JobId } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import * as JobRow from "./JobRow.js"

/**
 * Renews all these leases in one statement; answers the jobs that are still held. Each row finds its own fence by its place
 * in the array, which keeps the plan on the primary key (a join with the pairs does not).
 */
export const renew = Effect.fn("JobQueue.renew")(
  function*(tenant: string, held: ReadonlyArray<Held>, duration: Duration.Duration) {
    if (held.length === 0) return new Set<JobId>()
    const sql = yield* SqlClient.SqlClient
    const ids = JobRow.array(held.map(({ job }) => job.id))
    const fences = JobRow.array(held.map(({ fence }) => fence))
    const rows = yield* sql<{ readonly id: number }>`
      update index_job as job set
        lease_expires_at = now() + ${Duration.toMillis(duration)}::float8 * interval '1 millisecond'
      where job.tenant = ${tenant} and job.id = any(${ids}::text::bigint[]) and job.status = 'running'
        and job.fence = (${fences}::text::bigint[])[array_position(${ids}::text::bigint[], job.id)]
      returning job.id`
    return new Set(rows.map(({ id }) => JobId.make(id, { disableValidation: true })))
  }
)
