import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { Enqueued, EnqueueRequest } from "../../../domain/job/JobQueue.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { prepared } from "../driver/Prepared.js"
import { archiving } from "./history.js"
import * as JobRow from "./JobRow.js"
import * as Pending from "./pending.js"
import type { Names } from "../driver/Tables.js"

interface Given {
  readonly tenant: string
  readonly kind: string
  readonly id: string
  readonly provider: string
  readonly maxAttempts: number
  readonly force: boolean
}

/**
 * The number as float8, which every client reads as a number: int8 is a text to one whose types nobody set.
 * No row where the source's job ended, or was followed by a newer one, at this very moment. */
const tryOnce = SqlFailure.statement((sql, t, { force, id, kind, maxAttempts, provider, tenant }: Given) => {
  const its = sql`job.tenant = ${tenant} and job.source_kind = ${kind} and job.source_id = ${id}`
  return sql<Enqueued>`${prepared}
    with ${Pending.standing(sql, t, tenant, JobRow.newestOf(sql, t, tenant, { kind, id }))},
    ${archiving(sql, t, its)},
    made as (
      insert into ${t.indexJob} as job (tenant, source_kind, source_id, provider, max_attempts, forced_at, source_number, revision)
      select ${tenant}, ${kind}, ${id}, ${provider}, ${maxAttempts}::integer,
        case when ${force}::boolean then now() end, source.number, source.revision
      from (select count(*) from over) as first
      left join ${t.source} on source.tenant = ${tenant} and source.kind = ${kind} and source.id = ${id}
      where ${sql.literal(Pending.locked)}
      on conflict (tenant, source_kind, source_id) do update set
        provider = excluded.provider,
        max_attempts = excluded.max_attempts,
        forced_at = coalesce(excluded.forced_at, job.forced_at),
        run_at = case job.status when 'pending' then least(job.run_at, now()) else job.run_at end,
        source_number = excluded.source_number,
        revision = excluded.revision,
        again = job.status = 'running' and (
          job.again or excluded.forced_at is not null or job.revision is distinct from excluded.revision
        )
      where job.status in ('pending', 'running')
      returning ${sql.literal(Pending.columns)}
    ),
    lined_up as (${Pending.lineUp(sql, t, "made")})
    select made.id::float8 as id, made.status, pg_notify(${t.channel}, ${tenant}) from made`
})

/**
 * Makes sure that the source has an open job, inside the caller's transaction where there is one: a pending job becomes
 * ready now, a running one runs again when its source was edited or the run is forced. A job that is over becomes history.
 *
 * The mark `again` and the new revision are in the job's own row because the completion of a running job waits on that row's lock
 * and then sees them; the source's own row, changed in the same moment, would be hidden from the completion's snapshot.
 */
export const enqueue = (
  sql: SqlClient.SqlClient,
  t: Names,
  tenant: string,
  request: EnqueueRequest
): Effect.Effect<Enqueued, StoreFailure> => {
  const { force, maxAttempts, provider, source: { id, kind } } = request
  return Effect.flatMap(
    tryOnce(sql, t, { tenant, kind, id, provider, maxAttempts, force }),
    ([row]) => row === undefined ? enqueue(sql, t, tenant, request) : Effect.succeed({ id: row.id, status: row.status })
  )
}
