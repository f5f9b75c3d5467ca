import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { JobId, JobStatus, Progress } from "../../../domain/job/Job.js"
import type { Held, Settled } from "../../../domain/job/JobQueue.js"
import type { Fence, LeaseLost } from "../../../domain/lease/Lease.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { prepared } from "../driver/Prepared.js"
import * as JobRow from "./JobRow.js"
import { giveBack } from "./lease.js"
import * as Pending from "./pending.js"
import { refuse } from "./staleWrite.js"
import { Tables } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"

/** Jobs that stand alike after their settlement; with a time only where they are pending. */
export interface SettledRow {
  readonly ids: ReadonlyArray<JobId>
  readonly status: JobStatus
  readonly run_at: Date | null
}

/** What the port answers for each job of a row. */
export const toSettled = (row: SettledRow): Settled => ({
  status: row.status,
  runAt: Option.fromNullable(row.run_at)
})

/**
 * What follows the part `settled` of a statement that ends jobs of one claim: who is pending again stands in line and is told
 * about, the claim's lease is given back, and the jobs are answered in SettledRows.
 */
export const answering = (sql: SqlClient.SqlClient, t: Names, tenant: string, fence: Fence) =>
  sql`
    lined_up as (${Pending.lineUp(sql, t, "settled")}),
    ${giveBack(sql, t, tenant, fence)}
    select json_agg(settled.id) as ids, settled.status, ready.run_at,
      case settled.status when 'pending' then pg_notify(${t.channel}, ${tenant}) end
    from settled cross join lateral (select case settled.status when 'pending' then settled.run_at end) as ready (run_at)
    group by settled.status, ready.run_at`

/** Jobs of one claim that are complete. */
export interface Completion {
  readonly fence: Fence
  readonly ids: ReadonlyArray<number>
  /** Written with the completion; none where the stored progress stands. */
  readonly progress: Option.Option<Progress>
  /** The jobs are to run again, whatever else is true. */
  readonly again: boolean
}

interface Given {
  readonly tenant: string
  readonly fence: Fence
  /** Numbers of jobs, as an array's text. */
  readonly ids: string
  readonly again: boolean
}

/** Where a completion finds the revision of a job's source. */
interface Found {
  readonly from: Fragment
  readonly where: Fragment
  readonly revision: Fragment
}

/** By the number that was noted when the job was asked for. Jobs without such a source are left alone. */
const byNumber = (sql: SqlClient.SqlClient, t: Names): Found => ({
  from: sql`from ${t.source}`,
  where: sql`and source.number = job.source_number and source.tenant = job.tenant`,
  revision: sql`source.revision`
})

/** By its key: null where the source is gone. */
const byKey = (sql: SqlClient.SqlClient, t: Names): Found => ({
  from: sql``,
  where: sql``,
  revision: sql`(
    select source.revision from ${t.source}
    where source.tenant = job.tenant and source.kind = job.source_kind and source.id = job.source_id
  )`
})

/** The counts that are written, and which of them tells of refused items. */
interface Counts {
  readonly written: Fragment
  readonly refused: Fragment
}

const statement = (
  sql: SqlClient.SqlClient,
  t: Names,
  { again, fence, ids, tenant }: Given,
  { refused, written }: Counts,
  { from, revision, where }: Found
) => {
  const status = sql`case
    when ${revision} is null then 'cancelled'
    when ${again}::boolean or job.again or ${revision} is distinct from job.revision
      or job.forced_at is distinct from job.claimed_forced_at then 'pending'
    when ${refused} > 0 then 'partial'
    else 'succeeded'
  end`
  return sql<SettledRow>`${prepared}
    with settled as (
      update ${t.indexJob} as job set
        again = false, crashes = 0, ${written}
        status = ${status},
        revision = case when job.again then job.revision else coalesce(${revision}, job.revision) end,
        cooled_ms = case ${status} when 'pending' then 0 else job.cooled_ms end,
        attempts = case ${status} when 'pending' then 0 else job.attempts end,
        run_at = case ${status} when 'pending' then now() else job.run_at end,
        last_error = case ${status} when 'cancelled' then job.last_error end,
        finished_at = case when ${status} <> 'pending' then now() end
      ${from}
      where job.tenant = ${tenant} and job.id = any(${ids}::text::bigint[]) and job.fence = ${fence}
        and job.status = 'running' ${where}
      returning ${sql.literal(Pending.columns)}
    ),
    ${answering(sql, t, tenant, fence)}`
}

const stored = (sql: SqlClient.SqlClient): Counts => ({ written: sql``, refused: sql`job.refused` })

const counted = (sql: SqlClient.SqlClient, { embedded, items, refused, reused }: Progress): Counts => ({
  written: sql`items = ${items}::integer, embedded = ${embedded}::integer, reused = ${reused}::integer,
    refused = ${refused}::integer, progress_at = now(),`,
  refused: sql`${refused}::integer`
})

const completing = (found: (sql: SqlClient.SqlClient, t: Names) => Found) => {
  const withStored = SqlFailure.statement((sql, t, given: Given) =>
    statement(sql, t, given, stored(sql), found(sql, t))
  )
  const withNew = SqlFailure.statement((sql, t, given: Given & { readonly progress: Progress }) =>
    statement(sql, t, given, counted(sql, given.progress), found(sql, t))
  )
  return (sql: SqlClient.SqlClient, t: Names, given: Given, progress: Option.Option<Progress>) =>
    Option.match(progress, {
      onNone: () => withStored(sql, t, given),
      onSome: (progress) => withNew(sql, t, { ...given, progress })
    })
}

const completeByNumber = completing(byNumber)
const completeByKey = completing(byKey)

/**
 * Ends jobs of one claim: `succeeded`, `partial` where items were refused, `pending` at once where the source moved on since the
 * job was asked for, `cancelled` where it is gone. Rows of a newer claim are left alone and left out. One statement, but for jobs
 * whose source is not found by its number: it is gone, or came after the job, or came anew.
 */
export const completeAll = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  t: Names,
  tenant: string,
  { again, fence, ids, progress }: Completion
): Effect.fn.Return<ReadonlyArray<SettledRow>, StoreFailure> {
  const given = (ids: ReadonlyArray<number>) => ({ tenant, fence, ids: JobRow.array(ids), again })
  const rows = yield* completeByNumber(sql, t, given(ids), progress)
  const ended = new Set<number>(rows.flatMap((row) => row.ids))
  if (ended.size === ids.length) return rows
  const left = ids.filter((id) => !ended.has(id))
  return [...rows, ...yield* completeByKey(sql, t, given(left), progress)]
})

/**
 * Ends one job, in the caller's transaction: status and progress are written together with whatever else that transaction
 * writes. `again` sends the job back to pending.
 */
export const complete = Effect.fnUntraced(function*(
  tenant: string,
  held: Held,
  progress: Progress,
  again: boolean = false
): Effect.fn.Return<Settled, StoreFailure | LeaseLost, SqlClient.SqlClient | Tables> {
  const [row] = yield* completeAll(yield* SqlClient.SqlClient, yield* Tables, tenant, {
    fence: held.fence,
    ids: [held.job.id],
    progress: Option.some(progress),
    again
  })
  return row === undefined ? yield* refuse(held) : toSettled(row)
})

/** The statement of `guard`, for whoever writes more by the same one. */
export const guarding = (sql: SqlClient.SqlClient, t: Names, tenant: string, held: Held, progress: Progress) =>
  sql`
    update ${t.indexJob} as job set
      items = ${progress.items}, embedded = ${progress.embedded}, reused = ${progress.reused},
      refused = ${progress.refused}, progress_at = now(), attempts = greatest(1, job.attempts - job.crashes), crashes = 0,
      cooled_ms = 0
    where job.tenant = ${tenant} and job.id = ${held.job.id} and job.fence = ${held.fence} and job.status = 'running'
    returning job.id`

/**
 * Writes the progress of a job and locks its row until the caller's transaction ends, so that no newer claim can come
 * between. Progress forgives the crashes before it, and the attempts that they spent.
 */
export const guard = Effect.fnUntraced(function*(
  tenant: string,
  held: Held,
  progress: Progress
): Effect.fn.Return<void, SqlError | LeaseLost, SqlClient.SqlClient | Tables> {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql`${prepared}${guarding(sql, t, tenant, held, progress)}`
  if (rows.length === 0) return yield* refuse(held)
})
