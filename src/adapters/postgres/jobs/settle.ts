import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { downTags, isDown } from "../../../domain/job/Job.js"
import type { JobId, JobStatus } from "../../../domain/job/Job.js"
import type { Held, Settled } from "../../../domain/job/JobQueue.js"
import * as JobTransition from "../../../domain/job/JobTransition.js"
import type { Outcome } from "../../../domain/job/Outcome.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { prepared } from "../driver/Prepared.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { Tables } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"
import * as JobRow from "./JobRow.js"
import { giveBack } from "./lease.js"
import * as Pending from "./pending.js"
import { count, refuse } from "./staleWrite.js"

/** Jobs that stand alike after their settlement; with a time only where they are pending. */
interface SettledRow {
  readonly ids: ReadonlyArray<JobId>
  readonly status: JobStatus
  readonly run_at: Date | null
}

/** The time of the first in a row of failures by a provider that is down; progress ends the row. */
const downSince = (sql: SqlClient.SqlClient) =>
  sql`jsonb_build_object('since', case
    when job.last_error ->> 'tag' = any(${`{${downTags.join(",")}}`}::text::text[])
      and coalesce(job.progress_at <= (job.last_error ->> 'at')::timestamptz, true)
      then coalesce(job.last_error -> 'since', job.last_error -> 'at')
    else to_jsonb(now())
  end)`

interface Given {
  readonly tenant: string
  readonly held: ReadonlyArray<Held>
  readonly fence: number
  readonly settlement: JobTransition.Settlement
  /** The outputs of the jobs in their order, as the text of a JSON array; null where none has one. */
  readonly outputs: string | null
}

/**
 * Ends jobs of one claim alike. Rows of a newer claim are left alone and left out. A job whose attempt is not given back fails where
 * its attempts are spent; one that is over and was asked for anew meanwhile runs again, with all attempts before it. Who is pending
 * again stands in line and is told about, the claim's lease is given back, and the jobs are answered in SettledRows.
 */
const statement = SqlFailure.statement((sql, t, { fence, held, outputs, settlement, tenant }: Given) => {
  const ids = JobRow.array(held.map(({ job }) => job.id))
  const delay = Duration.toMillis(settlement.delay)
  const error = Option.match(settlement.error, {
    onNone: () => sql`job.last_error`,
    onSome: (error) =>
      sql`${JSON.stringify(error)}::jsonb || jsonb_build_object('at', now()) || ${
        isDown(error.tag) ? downSince(sql) : sql`'{}'`
      }`
  })
  const gate = Option.match(settlement.gate, {
    onNone: () => sql``,
    onSome: ({ kind, name }) => kind === "provider" ? sql`provider = ${name},` : sql`session = ${name},`
  })
  const output = outputs === null
    ? sql`null::jsonb`
    : sql`nullif(${outputs}::jsonb -> (array_position(${ids}::text::bigint[], job.id) - 1), 'null')`
  return sql<SettledRow>`${prepared}
    with settled as (
      update ${t.job} as job set again = false, crashes = 0, ${gate} (
        status, run, attempts, cooled_ms, run_at, finished_at, last_error, output
      ) = (
        select
          case when next.anew then 'pending' else next.status end,
          case when job.again and (next.anew or next.status = 'pending') then job.run + 1 else job.run end,
          case
            when next.anew then 0
            when ${settlement.refund}::boolean then greatest(0, job.attempts - 1)
            else job.attempts
          end,
          case
            when next.anew then 0
            when ${settlement.cooling}::boolean then job.cooled_ms + ${delay}::float8
            else job.cooled_ms
          end,
          case
            when next.anew then now()
            when next.status = 'pending'
              then now() + ${delay}::float8 * interval '1 millisecond'
            else job.run_at
          end,
          case when next.status <> 'pending' and not next.anew then now() end,
          case when next.status in ('succeeded', 'partial') then null else ${error} end,
          case when next.status in ('succeeded', 'partial') and not next.anew then ${output} else job.output end
        from (
          select ending.status, ending.status in ('succeeded', 'partial', 'failed') and job.again as anew
          from (
            select case
              when ${settlement.to}::text = 'pending' and not ${settlement.refund}::boolean and job.attempts >= job.max_attempts
                then 'failed'
              else ${settlement.to}::text
            end as status
          ) as ending
        ) as next
      )
      where job.tenant = ${tenant} and job.id = any(${ids}::text::bigint[]) and job.fence = ${fence}
        and job.status = 'running'
      returning ${sql.literal(Pending.columns)}
    ),
    written as (${Pending.writing(sql, t, "settled")}),
    ${giveBack(sql, t, tenant, fence)}
    select json_agg(settled.id) as ids, settled.status, ready.run_at,
      case settled.status when 'pending' then pg_notify(${t.channel}, ${tenant}) end
    from settled cross join lateral (select case settled.status when 'pending' then settled.run_at end) as ready (run_at)
    group by settled.status, ready.run_at`
})

const toSettled = (row: SettledRow): Settled => ({ status: row.status, runAt: Option.fromNullable(row.run_at) })

const outputOf = (outcome: Outcome): unknown => outcome._tag === "Completed" ? outcome.output : null

/** Writes how an attempt ended, under its fence. */
export const settle = Effect.fn("JobQueue.settle")(function*(held: Held, outcome: Outcome) {
  const output = outputOf(outcome)
  const [row] = yield* statement(yield* SqlClient.SqlClient, yield* Tables, {
    tenant: held.tenant,
    held: [held],
    fence: held.fence,
    settlement: JobTransition.settlement(outcome),
    outputs: output === null ? null : JSON.stringify([output])
  })
  return row === undefined ? yield* refuse(held) : toSettled(row)
})

/** Writes that attempts of one claim and tenant ended alike; answers those that were still held, and counts the others as refused. */
export const settleAll = Effect.fnUntraced(
  function*(
    sql: SqlClient.SqlClient,
    t: Names,
    ends: ReadonlyArray<{ readonly held: Held; readonly outcome: Outcome }>
  ): Effect.fn.Return<ReadonlySet<JobId>, StoreFailure> {
    const [first] = ends
    if (first === undefined) return new Set<JobId>()
    const outputs = ends.map(({ outcome }) => outputOf(outcome))
    const rows = yield* statement(sql, t, {
      tenant: first.held.tenant,
      held: ends.map(({ held }) => held),
      fence: first.held.fence,
      settlement: JobTransition.settlement(first.outcome),
      outputs: outputs.every((output) => output === null) ? null : JSON.stringify(outputs)
    })
    const settled = new Set(rows.flatMap((row) => row.ids))
    if (settled.size < ends.length) {
      yield* Effect.forEach(ends.filter(({ held }) => !settled.has(held.job.id)), ({ held }) => count(held), {
        discard: true
      })
    }
    return settled
  }
)
