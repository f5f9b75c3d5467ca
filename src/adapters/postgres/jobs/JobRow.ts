import type * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { Job, JobId, Progress } from "../../../domain/job/Job.js"
import type { JobStatus } from "../../../domain/job/Job.js"
import { Fence, Lease, WorkerId } from "../../../domain/lease/Lease.js"
import type { Names } from "../driver/Tables.js"

/** A row of `job_all` as both drivers give it. */
export interface JobRow {
  readonly id: number
  readonly kind: string
  readonly key: string
  readonly provider: string
  readonly session: string
  readonly priority: number
  readonly payload: unknown
  readonly version: string | null
  readonly run: number
  readonly status: JobStatus
  readonly attempts: number
  readonly max_attempts: number
  readonly crashes: number
  readonly cooled_ms: number
  readonly fence: number
  readonly worker: string | null
  readonly lease_expires_at: Date | null
  readonly run_at: Date
  readonly done: number
  readonly total: number
  readonly detail: Readonly<Record<string, number>>
  readonly progress_at: Date | null
  readonly output: unknown
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
  "id, kind, key, provider, session, priority, payload, version, run, status, attempts, max_attempts, crashes, cooled_ms, fence",
  "worker, lease_expires_at, run_at, done, total, detail, progress_at, output, last_error, created_at, started_at, finished_at"
]

/** What a statement selects or returns of the table aliased `job`. */
export const columns = names.join(", ").split(", ").map((name) => `job.${name}`).join(", ")

/** The rows of `job` in `from` with the lease that holds each, like those of `job_all`. */
export const withLease = (sql: SqlClient.SqlClient, t: Names, from: Fragment) =>
  sql`(
    select row.*, lease.worker, lease.expires_at as lease_expires_at
    from ${from} as row
    left join ${t.lease} on lease.tenant = row.tenant and lease.fence = row.fence and row.status = 'running'
  )`

// The table's own constraints hold for every row, so that nothing is validated twice: a list reads thousands of them.
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

/** No provider and no session are stored as the empty text, which an index can order. */
export const named = (name: string): string | null => name === "" ? null : name

/** The job that a row holds. */
export const toJob = (row: JobRow): Job =>
  new Job({
    id: JobId.make(row.id, trusted),
    kind: row.kind,
    key: row.key,
    provider: named(row.provider),
    session: named(row.session),
    priority: row.priority,
    payload: row.payload,
    version: row.version,
    run: row.run,
    status: row.status,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    crashes: row.crashes,
    cooled: Duration.millis(row.cooled_ms),
    runAt: DateTime.unsafeFromDate(row.run_at),
    lease: lease(row),
    progress: new Progress({ done: row.done, total: row.total, detail: row.detail }, trusted),
    progressAt: time(row.progress_at),
    output: row.output,
    lastError: Option.map(
      Option.fromNullable(row.last_error),
      ({ at, since, ...error }) => ({
        ...error,
        at: DateTime.unsafeMake(at),
        ...(since === undefined || since === null ? {} : { since: DateTime.unsafeMake(since) })
      })
    ),
    createdAt: DateTime.unsafeFromDate(row.created_at),
    startedAt: time(row.started_at),
    finishedAt: time(row.finished_at)
  }, trusted)

/** Numbers as the text of a Postgres array: `${array(ids)}::text::bigint[]` reads the same on both drivers. */
export const array = (values: ReadonlyArray<number>): string => `{${values.join(",")}}`

/** Texts as the text of a Postgres array. */
export const texts = (values: ReadonlyArray<string>): string =>
  `{${values.map((value) => `"${value.replace(/["\\]/g, "\\$&")}"`).join(",")}}`
