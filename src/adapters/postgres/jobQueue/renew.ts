import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { JobId } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { prepared } from "../Prepared.js"
import * as JobRow from "./JobRow.js"
import * as Refused from "./refused.js"

interface Row {
  readonly id: number
  readonly held: boolean
}

/**
 * Renews the leases of all these jobs in one statement; answers the jobs that are still held. A heartbeat under an old fence is a
 * refused write and counted as one. Each row finds its own fence by its place in the array, which keeps the plan on the keys
 * (a join with the pairs does not).
 */
export const renew = Effect.fn("JobQueue.renew")(
  function*(tenant: string, held: ReadonlyArray<Held>, duration: Duration.Duration) {
    if (held.length === 0) return new Set<JobId>()
    const sql = yield* SqlClient.SqlClient
    const ids = JobRow.array(held.map(({ job }) => job.id))
    const fences = JobRow.array(held.map(({ fence }) => fence))
    const own = sql`(${fences}::text::bigint[])[array_position(${ids}::text::bigint[], job.id)]`
    const rows = yield* sql<Row>`${prepared}
      with renewed as (
        update lease set expires_at = now() + ${Duration.toMillis(duration)}::float8 * interval '1 millisecond'
        where lease.tenant = ${tenant} and lease.fence = any(${fences}::text::bigint[])
        returning lease.fence
      )
      select job.id, job.fence = ${own} as held
      from index_job_all as job
      where job.tenant = ${tenant} and job.id = any(${ids}::text::bigint[]) and (
        job.fence > ${own}
        or job.status = 'running' and job.fence = ${own} and job.fence in (select renewed.fence from renewed)
      )`
    const newer = new Set(rows.filter((row) => !row.held).map(({ id }) => id))
    yield* Effect.forEach(held.filter(({ job }) => newer.has(job.id)), Refused.count, { discard: true })
    return new Set(rows.filter((row) => row.held).map(({ id }) => JobId.make(id, { disableValidation: true })))
  }
)
