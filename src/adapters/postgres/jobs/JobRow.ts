import type * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { Job, JobId, Progress, SourceRef } from "../../../domain/job/Job.js"
import type { JobStatus, SourceKind } from "../../../domain/job/Job.js"
import { Fence, Lease, WorkerId } from "../../../domain/lease/Lease.js"
import type { Names } from "../driver/Tables.js"

/** A row of `index_job_all` as both drivers give it. */
export interface JobRow {
  readonly id: number
  readonly source_kind: SourceKind
  readonly source_id: string
  readonly provider: string
  readonly status: JobStatus
  readonly attempts: number
  readonly max_attempts: number
  readonly crashes: number
  readonly cooled_ms: number
  readonly fence: number
  readonly worker: string | null
  readonly lease_expires_at: Date | null
  readonly run_at: Date
  readonly forced_at: Date | null
  readonly items: number
  readonly embedded: number
  readonly reused: number
  readonly refused: number
  readonly progress_at: Date | null
  readonly last_error: StoredError | null
  readonly created_at: Date
  readonly started_at: Date | null
  readonly finished_at: Date | null
}

interface StoredError {
  readonly tag: string
  readonly message: string
  readonly detail: string
  readonly at: string
  readonly since?: string | null
}

const names = [
  "id, source_kind, source_id, provider, status, attempts, max_attempts, crashes, cooled_ms, fence, worker",
  "lease_expires_at, run_at, forced_at, items, embedded, reused, refused, progress_at, last_error",
  "created_at, started_at, finished_at"
]

/** What a statement selects or returns of the table aliased `job`. */
export const columns = names.join(", ").split(", ").map((name) => `job.${name}`).join(", ")

/** The number of the source's newest job. */
export const newestOf = (
  sql: SqlClient.SqlClient,
  t: Names,
  tenant: string,
  { id, kind }: { readonly kind: string; readonly id: string }
) =>
  sql`select newest.id from ${t.indexJob} as newest
    where newest.tenant = ${tenant} and newest.source_kind = ${kind} and newest.source_id = ${id}`

/** The rows of `index_job` in `from` with the lease that holds each, like those of `index_job_all`. */
export const withLease = (sql: SqlClient.SqlClient, t: Names, from: Fragment) =>
  sql`(
    select row.*, lease.worker, lease.expires_at as lease_expires_at
    from ${from} as row
    left join ${t.lease} on lease.tenant = row.tenant and lease.fence = row.fence and row.status = 'running'
  )`

// The table's own constraints hold for every row, so that nothing is validated twice: a claim reads thousands of them.
const trusted = { disableValidation: true }

const time = (date: Date | null) => Option.map(Option.fromNullable(date), DateTime.unsafeFromDate)

const lease = (row: JobRow): Option.Option<Lease> =>
  row.worker === null || row.lease_expires_at === null
    ? Option.none()
    : Option.some(
      new Lease({
        worker: WorkerId.make(row.worker, trusted),
        fence: Fence.make(row.fence, trusted),
        expiresAt: DateTime.unsafeFromDate(row.lease_expires_at)
      }, trusted)
    )

/** The job that a row holds. */
export const toJob = (row: JobRow): Job =>
  new Job({
    id: JobId.make(row.id, trusted),
    source: new SourceRef({ kind: row.source_kind, id: row.source_id }, trusted),
    provider: row.provider,
    status: row.status,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    crashes: row.crashes,
    cooled: Duration.millis(row.cooled_ms),
    runAt: DateTime.unsafeFromDate(row.run_at),
    lease: lease(row),
    progress: new Progress({
      items: row.items,
      embedded: row.embedded,
      reused: row.reused,
      refused: row.refused
    }, trusted),
    progressAt: time(row.progress_at),
    lastError: Option.map(
      Option.fromNullable(row.last_error),
      ({ at, since, ...error }) => ({
        ...error,
        at: DateTime.unsafeMake(at),
        ...(since === undefined || since === null ? {} : { since: DateTime.unsafeMake(since) })
      })
    ),
    forcedAt: time(row.forced_at),
    createdAt: DateTime.unsafeFromDate(row.created_at),
    startedAt: time(row.started_at),
    finishedAt: time(row.finished_at)
  }, trusted)

/** Numbers as the text of a Postgres array: `${array(ids)}::bigint[]` reads the same on both drivers. */
export const array = (values: ReadonlyArray<number>): string => `{${values.join(",")}}`
