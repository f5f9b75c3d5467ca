import type * as SqlClient from "@effect/sql/SqlClient"
import type * as Statement from "@effect/sql/Statement"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { JobId, SourceKind } from "../../../domain/job/Job.js"
import type { Claimed, ClaimRequest, Held } from "../../../domain/job/JobQueue.js"
import type { Fence, WorkerId } from "../../../domain/lease/Lease.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { prepared } from "../driver/Prepared.js"
import { providers } from "./pending.js"
import type { Names } from "../driver/Tables.js"

/**
 * What a claim answers of its jobs, the longest ready first: a column each, in one value. A row each, with as many fields, takes
 * the driver three times as long to read.
 */
interface Columns {
  readonly ids: ReadonlyArray<JobId>
  readonly kinds: ReadonlyArray<SourceKind>
  readonly sources: ReadonlyArray<string>
  readonly attempts: ReadonlyArray<number>
  readonly maxAttempts: ReadonlyArray<number>
  readonly cooledMillis: ReadonlyArray<number>
}

interface ClaimRow {
  readonly fence: Fence
  readonly jobs: Columns
}

interface Given {
  readonly tenant: string
  readonly worker: string
  readonly slots: number
  /** How long the lease lasts. */
  readonly millis: number
  /** Whose jobs alone are taken; null for every provider's. */
  readonly own: string | null
}

/**
 * Takes up to `slots` ready jobs, the longest ready first over all providers that are free. One fence is drawn for all
 * rows of the statement, and one lease written. Since a source has one open job, and a job that yields goes to the end, sources
 * take turns.
 *
 * Whoever looks first locks the row of `pending`; the others pass it over. `= any(array(...))` keeps the plan on the keys,
 * whatever the statistics say; the same picks joined to the update scan the table.
 */
export const statement = (
  sql: SqlClient.SqlClient,
  t: Names,
  { millis, own, slots, tenant, worker }: Given,
  only: Statement.Fragment
) =>
  sql<ClaimRow>`${prepared}
    with recursive ${providers(sql, t, tenant)},
    picked as materialized (
      select ready.place, ready.id
      from provider cross join lateral (
        select pending.ctid as place, pending.run_at, pending.id from ${t.pending}
        where pending.tenant = ${tenant} and pending.provider = provider.name and pending.run_at <= now()
          and provider.free_at <= now() and provider.name = coalesce(${own}::text, provider.name) ${only}
        order by pending.run_at, pending.id
        limit ${slots}
        for update skip locked
      ) as ready
      order by ready.run_at, ready.id
      limit ${slots}
    ),
    taken as (
      delete from ${t.pending} where pending.ctid = any(array(select picked.place from picked))
    ),
    claimed as (
      update ${t.indexJob} as job set
        status = 'running',
        fence = (select nextval('${t.jobFence}')),
        attempts = least(job.attempts + 1, job.max_attempts),
        started_at = coalesce(job.started_at, now()),
        claimed_forced_at = job.forced_at,
        again = false
      where job.tenant = ${tenant} and job.id = any(array(select picked.id from picked))
        and job.status = 'pending'
      returning job.id, job.fence, job.source_kind, job.source_id, job.attempts, job.max_attempts, job.cooled_ms, job.run_at
    ),
    granted as (
      insert into ${t.lease} (tenant, fence, worker, expires_at, jobs)
      select ${tenant}, max(claimed.fence), ${worker},
        now() + ${millis}::float8 * interval '1 millisecond', array_agg(claimed.id)
      from claimed having count(*) > 0
    )
    select max(job.fence) as fence, json_build_object(
      'ids', array_agg(job.id), 'kinds', array_agg(job.source_kind), 'sources', array_agg(job.source_id),
      'attempts', array_agg(job.attempts), 'maxAttempts', array_agg(job.max_attempts),
      'cooledMillis', array_agg(job.cooled_ms)
    ) as jobs
    from (select claimed.* from claimed order by claimed.run_at, claimed.id) as job having count(*) > 0`

const any = SqlFailure.statement((sql, t, given: Given) => statement(sql, t, given, sql``))

const only = SqlFailure.statement((sql, t, given: Given & { readonly id: number }) =>
  statement(sql, t, given, sql`and pending.id = ${given.id}`)
)

const at = <A>(column: ReadonlyArray<A>, nth: number): A => column[nth] as A // each has as many values as the ids

const cooled = (millis: number) => millis === 0 ? Duration.zero : Duration.millis(millis)

const toJobs = (jobs: Columns): ReadonlyArray<Claimed> =>
  jobs.ids.map((id, nth) => ({
    id,
    source: { kind: at(jobs.kinds, nth), id: at(jobs.sources, nth) },
    attempts: at(jobs.attempts, nth),
    maxAttempts: at(jobs.maxAttempts, nth),
    cooled: cooled(at(jobs.cooledMillis, nth))
  }))

const toHeld = (worker: WorkerId) => ([row]: ReadonlyArray<ClaimRow>): ReadonlyArray<Held> =>
  row === undefined ? [] : toJobs(row.jobs).map((job) => ({ job, worker, fence: row.fence }))

const givenFor = (tenant: string, { duration, provider, slots, worker }: Omit<ClaimRequest, "only">): Given => ({
  tenant,
  own: provider ?? null,
  slots,
  worker,
  millis: Duration.toMillis(duration)
})

/** Takes ready jobs; the longest ready comes first. */
export const claim = (
  sql: SqlClient.SqlClient,
  t: Names,
  tenant: string,
  request: ClaimRequest
): Effect.Effect<ReadonlyArray<Held>, StoreFailure> => {
  const { only: id, slots, worker } = request
  if (slots < 1) return Effect.succeed([])
  const given = givenFor(tenant, request)
  return Effect.map(id === undefined ? any(sql, t, given) : only(sql, t, { ...given, id }), toHeld(worker))
}
