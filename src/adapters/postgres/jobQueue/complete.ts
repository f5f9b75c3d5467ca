import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { JobStatus, Progress } from "../../../domain/job/Job.js"
import type { Held, Settled } from "../../../domain/job/JobQueue.js"
import type { Fence, LeaseLost } from "../../../domain/lease/Lease.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import * as FixedStatement from "../FixedStatement.js"
import { prepared } from "../Prepared.js"
import * as JobRow from "./JobRow.js"
import { giveBack } from "./lease.js"
import * as Pending from "./pending.js"
import { refuse } from "./refused.js"
import { channel } from "./wake.js"

/** How a row stands after its settlement; with a time only where it is pending. */
export interface SettledRow {
  readonly id: number
  readonly status: JobStatus
  readonly run_at: Date | null
}

/** What the port answers for a settled row. */
export const toSettled = (row: SettledRow): Settled => ({
  status: row.status,
  runAt: Option.fromNullable(row.run_at)
})

/**
 * What follows the part `settled` of a statement that ends jobs of one claim: who is pending again stands in line and is told
 * about, the claim's lease is given back, and each job is answered as a SettledRow.
 */
export const answering = (sql: SqlClient.SqlClient, tenant: string, fence: Fence) =>
  sql`
    lined_up as (${Pending.lineUp(sql, "settled")}),
    ${giveBack(sql, tenant, fence)}
    select settled.id, settled.status, case settled.status when 'pending' then settled.run_at end as run_at,
      case settled.status when 'pending' then pg_notify(${channel}, ${tenant}) end from settled`

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

const statement = (sql: SqlClient.SqlClient, { again, fence, ids, tenant }: Given, counts: Fragment) =>
  sql<SettledRow>`${prepared}
    with settled as (
      update index_job as job set again = false, crashes = 0, (
        status, revision, items, embedded, reused, refused, progress_at, cooled_ms, attempts, run_at, last_error, finished_at
      ) = (
        select
          next.status, next.revision, next.items, next.embedded, next.reused, next.refused, next.progress_at,
          case next.status when 'pending' then 0 else job.cooled_ms end,
          case next.status when 'pending' then 0 else job.attempts end,
          case next.status when 'pending' then now() else job.run_at end,
          case next.status when 'cancelled' then job.last_error end,
          case when next.status <> 'pending' then now() end
        from (
          select counted.*, case when job.again then job.revision else coalesce(source.revision, job.revision) end as revision, case
            when source.revision is null then 'cancelled'
            when ${again}::boolean or job.again or source.revision is distinct from job.revision
              or job.forced_at is distinct from job.claimed_forced_at then 'pending'
            when counted.refused > 0 then 'partial'
            else 'succeeded'
          end as status
          from (select ${counts}) as counted (items, embedded, reused, refused, progress_at)
          left join source
            on source.tenant = job.tenant and source.kind = job.source_kind and source.id = job.source_id
        ) as next
      )
      where job.tenant = ${tenant} and job.id = any(${ids}::text::bigint[]) and job.fence = ${fence}
        and job.status = 'running'
      returning ${sql.literal(Pending.columns)}
    ),
    ${answering(sql, tenant, fence)}`

const withStored = FixedStatement.make((sql, given: Given) =>
  statement(sql, given, sql`job.items, job.embedded, job.reused, job.refused, job.progress_at`)
)

const withNew = FixedStatement.make((sql, given: Given & { readonly progress: Progress }) => {
  const { embedded, items, refused, reused } = given.progress
  return statement(
    sql,
    given,
    sql`${items}::integer, ${embedded}::integer, ${reused}::integer, ${refused}::integer, now()`
  )
})

/**
 * Ends jobs of one claim in one statement: `succeeded`, `partial` where items were refused, `pending` at once where the
 * source moved on since the job was asked for, `cancelled` where it is gone. Rows of a newer claim are left alone and left out.
 */
export const completeAll = (
  sql: SqlClient.SqlClient,
  tenant: string,
  { again, fence, ids, progress }: Completion
): Effect.Effect<ReadonlyArray<SettledRow>, StoreFailure> => {
  const given = { tenant, fence, ids: JobRow.array(ids), again }
  return Option.match(progress, {
    onNone: () => withStored(sql, given),
    onSome: (progress) => withNew(sql, { ...given, progress })
  })
}

/**
 * Ends one job, in the caller's transaction: status and progress are written together with whatever else that transaction
 * writes. `again` sends the job back to pending.
 */
export const complete = Effect.fnUntraced(function*(
  tenant: string,
  held: Held,
  progress: Progress,
  again: boolean = false
): Effect.fn.Return<Settled, StoreFailure | LeaseLost, SqlClient.SqlClient> {
  const [row] = yield* completeAll(yield* SqlClient.SqlClient, tenant, {
    fence: held.fence,
    ids: [held.job.id],
    progress: Option.some(progress),
    again
  })
  return row === undefined ? yield* refuse(held) : toSettled(row)
})

/** The statement of `guard`, for whoever writes more by the same one. */
export const guarding = (sql: SqlClient.SqlClient, tenant: string, held: Held, progress: Progress) =>
  sql`
    update index_job as job set
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
): Effect.fn.Return<void, SqlError | LeaseLost, SqlClient.SqlClient> {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`${prepared}${guarding(sql, tenant, held, progress)}`
  if (rows.length === 0) return yield* refuse(held)
})
