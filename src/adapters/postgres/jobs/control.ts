import * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import type { JobId } from "../../../domain/job/Job.js"
import { JobStateConflict } from "../../../domain/job/JobQueue.js"
import type { Ask, JobFilter } from "../../../domain/job/JobQueue.js"
import { Tables } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"
import { archiving } from "./history.js"
import * as JobRow from "./JobRow.js"
import * as Pending from "./pending.js"
import { find, meant } from "./read.js"

/** Ends the open jobs whose numbers `ids` answers. A fence of its own makes each holder's next write and heartbeat come too late. */
const cancelling = (sql: SqlClient.SqlClient, t: Names, tenant: string, ids: Fragment) =>
  sql`
    ${Pending.locking(sql, t, tenant, ids)},
    taken as (
      delete from ${t.pending} where pending.tenant = ${tenant} and pending.id in (select locked.id from locked)
    ),
    asked as (
      update ${t.job} as job set
        status = 'cancelled', fence = nextval('${t.jobFence}'), finished_at = now(), again = false
      where job.tenant = ${tenant} and job.id = any(array(${ids})) and job.status in ('pending', 'running')
        and ${sql.literal(Pending.locked)}
      returning job.*
    )`

/**
 * Makes the jobs whose numbers `ids` answers ready at once, with all attempts before them; what runs is left alone. What was done
 * whole is done anew; what failed goes on from its finished steps.
 */
const retrying = (sql: SqlClient.SqlClient, t: Names, tenant: string, ids: Fragment) =>
  sql`
    ${Pending.locking(sql, t, tenant, ids)},
    asked as (
      update ${t.job} as job set
        status = 'pending', attempts = 0, crashes = 0, cooled_ms = 0, run_at = now(), finished_at = null, again = false,
        run = case when job.status in ('succeeded', 'partial') then job.run + 1 else job.run end
      where job.tenant = ${tenant} and job.id = any(array(${ids})) and job.status <> 'running'
        and ${sql.literal(Pending.locked)}
      returning job.*
    ),
    written as (${Pending.writing(sql, t, "asked")}),
    told as materialized (
      select pg_notify(${t.channel}, ${tenant}) from (select from asked limit 1) as any_of_them
    )`

/** Cancels a pending job, and a running one over its holder's head. */
export const cancel = Effect.fn("JobQueue.cancel")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [row] = yield* sql<JobRow.JobRow>`
    with ${cancelling(sql, t, tenant, sql`select ${id}::bigint`)}
    select ${sql.literal(JobRow.columns)} from ${JobRow.withLease(sql, t, sql`asked`)} as job`
  if (row !== undefined) return JobRow.toJob(row)
  const job = yield* find(tenant, id)
  return yield* new JobStateConflict({ job: id, status: job.status, asked: "cancelled" })
})

const newestOf = (sql: SqlClient.SqlClient, t: Names, tenant: string, kind: string, key: string) =>
  sql`select newest.id from ${t.job} as newest
    where newest.tenant = ${tenant} and newest.kind = ${kind} and newest.key = ${key}`

/** Cancels the open job of a key, in the caller's transaction. */
export const cancelKey = Effect.fn("JobQueue.cancelKey")(function*(tenant: string, kind: string, key: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`with ${cancelling(sql, t, tenant, newestOf(sql, t, tenant, kind, key))} select asked.id from asked`
})

/** What a key was for is gone: its job becomes history, which is pruned also where it failed. Belongs after `cancelKey`. */
export const archiveKey = Effect.fn("JobQueue.archiveKey")(function*(tenant: string, kind: string, key: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`
    with ${archiving(sql, t, sql`job.tenant = ${tenant} and job.kind = ${kind} and job.key = ${key}`)}
    select over.id from over`
})

/**
 * Makes a job ready at once, with all attempts before it. Where a newer job of its key has followed it, that one is made ready, or
 * left to run, and is the answer.
 */
export const retry = Effect.fn("JobQueue.retry")(function*(tenant: string, id: JobId) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const { key, kind } = yield* find(tenant, id)
  const newest = newestOf(sql, t, tenant, kind, key)
  const rows = yield* sql<JobRow.JobRow>`
    with ${retrying(sql, t, tenant, newest)}
    select ${sql.literal(JobRow.columns)} from ${JobRow.withLease(sql, t, sql`asked`)} as job
    where (select count(*) from told) >= 0`
  if (rows[0] !== undefined) return JobRow.toJob(rows[0])
  const [running] = yield* sql<JobRow.JobRow>`
    select ${sql.literal(JobRow.columns)} from ${t.jobAll} as job
    where job.tenant = ${tenant} and job.id = any(array(${newest})) and job.status = 'running'`
  return running !== undefined && running.id !== id
    ? JobRow.toJob(running)
    : yield* new JobStateConflict({ job: id, status: "running", asked: "retried" })
})

/** The newest jobs of their keys that are meant, and can do what is asked. A retry of a job that is to run anyway would change nothing. */
const askable = (sql: SqlClient.SqlClient, t: Names, tenant: string, ask: Ask, filter: JobFilter) =>
  sql`
    select job.id from ${t.job} as job where ${meant(sql, tenant, filter)} and ${
    ask === "cancel"
      ? sql`job.status in ('pending', 'running')`
      : sql`(job.status in ('failed', 'partial', 'cancelled', 'succeeded') or job.status = 'pending' and job.run_at > now())`
  }`

/** How many jobs `askAll` would concern. */
export const countFor = Effect.fn("JobQueue.countFor")(function*(tenant: string, ask: Ask, filter: JobFilter) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [row] = yield* sql<{ readonly count: number }>`
    select count(*)::float8 as count from (${askable(sql, t, tenant, ask, filter)}) as meant`
  return row?.count ?? 0
})

/** Retries, or cancels, all of them in one statement: all, or none. */
export const askAll = Effect.fn("JobQueue.askAll")(function*(tenant: string, ask: Ask, filter: JobFilter) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const ids = askable(sql, t, tenant, ask, filter)
  const [row] = ask === "cancel"
    ? yield* sql<{ readonly count: number }>`
      with ${cancelling(sql, t, tenant, ids)} select count(*)::float8 as count from asked`
    : yield* sql<{ readonly count: number }>`
      with ${retrying(sql, t, tenant, ids)}
      select count(*)::float8 as count from asked where (select count(*) from told) >= 0`
  return row?.count ?? 0
})
