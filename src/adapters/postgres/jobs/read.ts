import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { JobId } from "../../../domain/job/Job.js"
import { JobNotFound } from "../../../domain/job/JobQueue.js"
import type { Wanted } from "../../../domain/lease/Wanted.js"
import type { JobFilter, JobListing } from "../../../domain/job/JobQueue.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { prepared } from "../driver/Prepared.js"
import { Tables } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"
import * as JobRow from "./JobRow.js"
import { lanes, sought } from "./pending.js"
import type { Sought } from "./pending.js"

export const find = Effect.fn("JobQueue.find")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [row] = yield* sql<JobRow.JobRow>`
    select ${sql.literal(JobRow.columns)} from ${t.jobAll} as job where job.tenant = ${tenant} and job.id = ${id}`
  return row === undefined ? yield* new JobNotFound({ job: id }) : JobRow.toJob(row)
})

/** The jobs of a tenant that are meant, of the table aliased `job`. */
export const meant = (sql: SqlClient.SqlClient, tenant: string, { key, kind, status }: JobFilter) =>
  sql`job.tenant = ${tenant}
      ${kind === undefined ? sql`` : sql`and job.kind = ${kind}`}
      ${key === undefined ? sql`` : sql`and job.key = ${key}`}
      ${status === undefined ? sql`` : sql`and job.status = any(${`{${status.join(",")}}`}::text::text[])`}`

/** Newest first. */
export const list = Effect.fn("JobQueue.list")(
  function*(tenant: string, { limit, newestOnly = false, ...filter }: JobListing) {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const rows = yield* sql<JobRow.JobRow>`
      select ${sql.literal(JobRow.columns)} from ${t.jobAll} as job
      where ${meant(sql, tenant, filter)}
        ${
      newestOnly
        ? sql`and exists (select from ${t.job} newest where (newest.id, newest.tenant) = (job.id, job.tenant))`
        : sql``
    }
      order by job.id desc
      limit ${limit}`
    return rows.map(JobRow.toJob)
  }
)

const firstReady = SqlFailure.statement((sql, t, wanted: Sought) =>
  sql<{ readonly wait: number | null }>`${prepared}
    with recursive ${lanes(sql, t, wanted)}
    select ceil(extract(epoch from min(greatest(head.run_at, lane.free_at)) - now()) * 1000)::float8 as wait
    from lane cross join lateral (
      select pending.run_at from ${t.pending}
      where pending.tenant = lane.tenant and pending.kind = lane.kind and pending.provider = lane.provider
        and pending.session = lane.session and pending.priority = lane.priority
      order by pending.run_at
      limit 1
    ) as head
    where lane.free_at < 'infinity'`
)

/** Until the next job that is wanted is due and free to go; zero when one is ready, none when all wait for a person. */
export const nextReadyIn = (sql: SqlClient.SqlClient, t: Names, wanted: Wanted) =>
  Effect.map(
    firstReady(sql, t, sought(wanted)),
    ([row]) => Option.map(Option.fromNullable(row?.wait), (wait) => Duration.millis(Math.max(0, wait)))
  )
