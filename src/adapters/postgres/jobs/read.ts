import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { JobId } from "../../../domain/job/Job.js"
import { JobNotFound } from "../../../domain/job/JobQueue.js"
import type { JobFilter } from "../../../domain/job/JobQueue.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { prepared } from "../driver/Prepared.js"
import * as JobRow from "./JobRow.js"
import { providers } from "./pending.js"
import { Tables } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"

export const find = Effect.fn("JobQueue.find")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [row] = yield* sql<JobRow.JobRow>`
    select ${sql.literal(JobRow.columns)} from ${t.indexJobAll} as job where job.tenant = ${tenant} and job.id = ${id}`
  return row === undefined ? yield* new JobNotFound({ job: id }) : JobRow.toJob(row)
})

/** Newest first. */
export const list = Effect.fn("JobQueue.list")(function*(tenant: string, filter: JobFilter) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const { source, status } = filter
  const rows = yield* sql<JobRow.JobRow>`
    select ${sql.literal(JobRow.columns)} from ${t.indexJobAll} as job
    where job.tenant = ${tenant}
      ${status === undefined ? sql`` : sql`and job.status = any(${`{${status.join(",")}}`}::text::text[])`}
      ${source === undefined ? sql`` : sql`and job.source_kind = ${source.kind} and job.source_id = ${source.id}`}
    order by job.id desc
    limit ${filter.limit}`
  return rows.map(JobRow.toJob)
})

const firstReady = SqlFailure.statement((
  sql,
  t,
  { own, tenant }: { readonly tenant: string; readonly own: string | null }
) =>
  sql<{ readonly wait: number | null }>`${prepared}
    with recursive ${providers(sql, t, tenant)}
    select ceil(extract(epoch from min(greatest(head.run_at, provider.free_at)) - now()) * 1000)::float8 as wait
    from provider cross join lateral (
      select pending.run_at from ${t.pending}
      where pending.tenant = ${tenant} and pending.provider = provider.name
      order by pending.run_at
      limit 1
    ) as head
    where provider.free_at < 'infinity' and provider.name = coalesce(${own}::text, provider.name)`
)

/** Until the next pending job is due and its provider free; zero when one is ready, none when all wait for a person. */
export const nextReadyIn = (sql: SqlClient.SqlClient, t: Names, tenant: string, own: string | null) =>
  Effect.map(
    firstReady(sql, t, { tenant, own }),
    ([row]) => Option.map(Option.fromNullable(row?.wait), (wait) => Duration.millis(Math.max(0, wait)))
  )
