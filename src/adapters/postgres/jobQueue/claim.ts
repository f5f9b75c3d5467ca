import type * as SqlClient from "@effect/sql/SqlClient"
import type * as Statement from "@effect/sql/Statement"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ClaimRequest, Held } from "../../../domain/job/JobQueue.js"
import { Fence } from "../../../domain/lease/Lease.js"
import * as FixedStatement from "../FixedStatement.js"
import { prepared } from "../Prepared.js"
import * as JobRow from "./JobRow.js"
import { providers } from "./pending.js"

interface Given {
  readonly tenant: string
  readonly worker: string
  readonly slots: number
  /** How long the lease lasts. */
  readonly millis: number
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
  { millis, slots, tenant, worker }: Given,
  only: Statement.Fragment
) =>
  sql<JobRow.ClaimedRow>`${prepared}
    with recursive ${providers(sql, tenant)},
    picked as materialized (
      select ready.place, ready.id
      from provider cross join lateral (
        select pending.ctid as place, pending.run_at, pending.id from pending
        where pending.tenant = ${tenant} and pending.provider = provider.name and pending.run_at <= now()
          and provider.free_at <= now() ${only}
        order by pending.run_at, pending.id
        limit ${slots}
        for update skip locked
      ) as ready
      order by ready.run_at, ready.id
      limit ${slots}
    ),
    taken as (
      delete from pending where pending.ctid = any(array(select picked.place from picked))
    ),
    claimed as (
      update index_job as job set
        status = 'running',
        fence = (select nextval('job_fence')),
        attempts = least(job.attempts + 1, job.max_attempts),
        started_at = coalesce(job.started_at, now()),
        claimed_forced_at = job.forced_at,
        again = false
      where job.tenant = ${tenant} and job.id = any(array(select picked.id from picked))
        and job.status = 'pending'
      returning ${sql.literal(JobRow.claimed)}
    ),
    granted as (
      insert into lease (tenant, fence, worker, expires_at, jobs)
      select ${tenant}, claimed.fence, ${worker},
        now() + ${millis}::float8 * interval '1 millisecond', array_agg(claimed.id)
      from claimed group by claimed.fence
    )
    select claimed.* from claimed`

const any = FixedStatement.make((sql, given: Given) => statement(sql, given, sql``))

const only = FixedStatement.make((sql, given: Given & { readonly id: number }) =>
  statement(sql, given, sql`and pending.id = ${given.id}`)
)

/** Takes ready jobs; the longest ready comes first. */
export const claim = (sql: SqlClient.SqlClient, tenant: string, request: ClaimRequest) => {
  const { duration, only: id, slots, worker } = request
  if (slots < 1) return Effect.succeed([])
  const given = { tenant, slots, worker, millis: Duration.toMillis(duration) }
  return Effect.map(
    id === undefined ? any(sql, given) : only(sql, { ...given, id }),
    (rows) =>
      rows
        .toSorted((a, b) => a.ready_at - b.ready_at || a.id - b.id)
        .map((row): Held => ({
          job: JobRow.toClaimed(row),
          worker,
          fence: Fence.make(row.fence, { disableValidation: true })
        }))
  )
}
