import type * as SqlClient from "@effect/sql/SqlClient"
import type * as Statement from "@effect/sql/Statement"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { JobId } from "../../../domain/job/Job.js"
import type { Claimed, ClaimRequest, Held } from "../../../domain/job/JobQueue.js"
import type { Fence, WorkerId } from "../../../domain/lease/Lease.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { prepared } from "../driver/Prepared.js"
import type { Names } from "../driver/Tables.js"
import { named } from "./JobRow.js"
import { lanes, sought } from "./pending.js"
import type { Sought } from "./pending.js"

/**
 * What a claim answers of its jobs, in the order of the claim: a column each, in one value. Rows of so many fields take the driver
 * three times as long to read (`npm run bench:queue`).
 */
interface Columns {
  readonly tenants: ReadonlyArray<string>
  readonly ids: ReadonlyArray<JobId>
  readonly kinds: ReadonlyArray<string>
  readonly keys: ReadonlyArray<string>
  readonly providers: ReadonlyArray<string>
  readonly sessions: ReadonlyArray<string>
  readonly payloads: ReadonlyArray<unknown>
  readonly runs: ReadonlyArray<number>
  readonly attempts: ReadonlyArray<number>
  readonly maxAttempts: ReadonlyArray<number>
  readonly cooledMillis: ReadonlyArray<number>
  readonly createdMicros: ReadonlyArray<number>
  readonly traces: ReadonlyArray<string | null>
}

interface ClaimRow {
  readonly fence: Fence
  readonly jobs: Columns
}

interface Given extends Sought {
  readonly worker: string
  readonly slots: number
  /** How long the lease lasts. */
  readonly millis: number
}

/**
 * Takes up to `slots` ready jobs over all lanes that are free: by priority, then the longest ready. One fence is drawn for all
 * rows of the statement, and one lease written for each tenant. Since a key has one open job, and a job that gives way goes to the
 * end, keys take turns.
 *
 * Whoever looks first locks the row of `pending`; the others pass it over. `= any(array(...))` keeps the plan on the keys,
 * whatever the statistics say; the same picks joined to the update scan the table.
 */
export const statement = (
  sql: SqlClient.SqlClient,
  t: Names,
  { millis, slots, worker, ...wanted }: Given,
  only: Statement.Fragment
) =>
  sql<ClaimRow>`${prepared}
    with recursive ${lanes(sql, t, wanted)},
    picked as materialized (
      select ready.place, ready.id
      from lane cross join lateral (
        select pending.ctid as place, pending.priority, pending.run_at, pending.id from ${t.pending}
        where pending.tenant = lane.tenant and pending.kind = lane.kind and pending.provider = lane.provider
          and pending.session = lane.session and pending.priority = lane.priority
          and pending.run_at <= now() and lane.free_at <= now() ${only}
        order by pending.run_at, pending.id
        limit ${slots}
        for update skip locked
      ) as ready
      order by ready.priority desc, ready.run_at, ready.id
      limit ${slots}
    ),
    taken as (
      delete from ${t.pending} where pending.ctid = any(array(select picked.place from picked))
    ),
    claimed as (
      update ${t.job} as job set
        status = 'running',
        fence = (select nextval('${t.jobFence}')),
        attempts = least(job.attempts + 1, job.max_attempts),
        started_at = coalesce(job.started_at, now()),
        again = false
      where job.id = any(array(select picked.id from picked)) and job.tenant = any(${wanted.tenants}::text::text[])
        and job.status = 'pending'
      returning job.tenant, job.id, job.fence, job.kind, job.key, job.provider, job.session, job.priority, job.payload,
        job.run, job.attempts, job.max_attempts, job.cooled_ms, job.run_at, job.created_at, job.trace
    ),
    granted as (
      insert into ${t.lease} (tenant, fence, worker, expires_at, jobs)
      select claimed.tenant, max(claimed.fence), ${worker},
        now() + ${millis}::float8 * interval '1 millisecond', array_agg(claimed.id)
      from claimed group by claimed.tenant
    )
    select max(job.fence) as fence, json_build_object(
      'tenants', json_agg(job.tenant), 'ids', json_agg(job.id), 'kinds', json_agg(job.kind), 'keys', json_agg(job.key),
      'providers', json_agg(job.provider), 'sessions', json_agg(job.session), 'payloads', json_agg(job.payload),
      'runs', json_agg(job.run), 'attempts', json_agg(job.attempts), 'maxAttempts', json_agg(job.max_attempts),
      'cooledMillis', json_agg(job.cooled_ms),
      'createdMicros', json_agg((extract(epoch from job.created_at) * 1000000)::bigint), 'traces', json_agg(job.trace)
    ) as jobs
    from (
      select claimed.* from claimed order by claimed.priority desc, claimed.run_at, claimed.id
    ) as job having count(*) > 0`

const any = SqlFailure.statement((sql, t, given: Given) => statement(sql, t, given, sql``))

const only = SqlFailure.statement((sql, t, given: Given & { readonly id: number }) =>
  statement(sql, t, given, sql`and pending.id = ${given.id}`)
)

const at = <A>(column: ReadonlyArray<A>, nth: number): A => column[nth] as A // each has as many values as the ids

const cooled = (millis: number) => millis === 0 ? Duration.zero : Duration.millis(millis)

const toClaimed = (jobs: Columns, id: JobId, nth: number): Claimed => ({
  id,
  kind: at(jobs.kinds, nth),
  key: at(jobs.keys, nth),
  provider: named(at(jobs.providers, nth)),
  session: named(at(jobs.sessions, nth)),
  payload: at(jobs.payloads, nth),
  run: at(jobs.runs, nth),
  attempts: at(jobs.attempts, nth),
  maxAttempts: at(jobs.maxAttempts, nth),
  cooled: cooled(at(jobs.cooledMillis, nth)),
  createdMicros: at(jobs.createdMicros, nth),
  trace: at(jobs.traces, nth)
})

const toHeld = (worker: WorkerId) => ([row]: ReadonlyArray<ClaimRow>): ReadonlyArray<Held> =>
  row === undefined
    ? []
    : row.jobs.ids.map((id, nth) => ({
      tenant: at(row.jobs.tenants, nth),
      job: toClaimed(row.jobs, id, nth),
      worker,
      fence: row.fence
    }))

/** Takes ready jobs; the one that goes first comes first. */
export const claim = (
  sql: SqlClient.SqlClient,
  t: Names,
  request: ClaimRequest
): Effect.Effect<ReadonlyArray<Held>, StoreFailure> => {
  const { duration, only: id, slots, worker } = request
  if (slots < 1) return Effect.succeed([])
  const given = { ...sought(request), slots, worker, millis: Duration.toMillis(duration) }
  return Effect.map(id === undefined ? any(sql, t, given) : only(sql, t, { ...given, id }), toHeld(worker))
}
