import type * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import * as Option from "effect/Option"
import type { Wanted } from "../../../domain/lease/Wanted.js"
import type { Names } from "../driver/Tables.js"
import * as JobRow from "./JobRow.js"

/**
 * The table `pending` has a row for each pending job: when it is to be claimed, and what it stands behind. Who makes a job pending
 * writes its row, who claims or ends it takes the row away.
 *
 * Lock order: whoever changes a pending job locks this row first, the job's own second. A statement that waited for the job may
 * miss a row written meanwhile: what is left over goes with the next claim, which finds its job not pending.
 */

/** Locks the pending rows of the jobs whose numbers `ids` answers: a part of a `with`. */
export const locking = (sql: SqlClient.SqlClient, t: Names, tenant: string, ids: Fragment) =>
  sql`
    locked as materialized (
      select pending.id from ${t.pending}
      where pending.tenant = ${tenant} and pending.id = any(array(${ids}))
      order by pending.id
      for update
    )`

/** True, once `locking` is through. */
export const locked = "(select count(*) from locked) >= 0"

/** What `writing` reads of the table aliased `job`. */
export const columns = "job.tenant, job.kind, job.provider, job.session, job.priority, job.run_at, job.id, job.status"

/** Writes the rows of those in `from` that are pending. It has these columns, or more of the job's. */
export const writing = (sql: SqlClient.SqlClient, t: Names, from: string) =>
  sql`
    insert into ${t.pending} (tenant, kind, provider, session, priority, run_at, id)
    select tenant, kind, provider, session, priority, run_at, id from ${sql.literal(from)} where status = 'pending'
    on conflict (id, tenant) do update set
      provider = excluded.provider, session = excluded.session, priority = excluded.priority, run_at = excluded.run_at`

/** What is looked for, as the texts of three arrays. */
export interface Sought {
  readonly tenants: string
  readonly kinds: string
  /** The provider whose jobs alone are meant, for each of the kinds; '' for those of every provider. */
  readonly providers: string
}

export const sought = ({ kinds, tenants }: Wanted): Sought => ({
  tenants: JobRow.texts(tenants),
  kinds: JobRow.texts(kinds.map(({ kind }) => kind)),
  providers: JobRow.texts(kinds.map(({ provider }) => Option.getOrElse(provider, () => "")))
})

/**
 * The lanes in which jobs wait that are looked for: one for each tenant, kind, provider, session and priority, with the time from
 * which it is free: `free_at` is infinity while a closed gate has no end. A walk over the index, one step a lane, so that a long
 * backlog behind a closed gate costs nothing. Goes after `with recursive`.
 */
export const lanes = (sql: SqlClient.SqlClient, t: Names, { kinds, providers, tenants }: Sought) =>
  sql`
    step (tenant, kind, provider, session, priority, own) as (
      select head.*, wanted.own
      from unnest(${tenants}::text::text[]) as whose (tenant)
      cross join unnest(${kinds}::text::text[], ${providers}::text::text[]) as wanted (kind, own)
      cross join lateral (
        select p.tenant, p.kind, p.provider, p.session, p.priority from ${t.pending} p
        where p.tenant = whose.tenant and p.kind = wanted.kind and p.provider >= wanted.own
        order by p.provider, p.session, p.priority
        limit 1
      ) as head
      union all
      select next.*, step.own
      from step cross join lateral (
        select p.tenant, p.kind, p.provider, p.session, p.priority from ${t.pending} p
        where p.tenant = step.tenant and p.kind = step.kind
          and (p.provider, p.session, p.priority) > (step.provider, step.session, step.priority)
        order by p.provider, p.session, p.priority
        limit 1
      ) as next
      where step.own = '' or step.own = step.provider
    ),
    lane as materialized (
      select step.*, greatest(
        now(),
        (
          select max(coalesce(gate.until, 'infinity')) from ${t.gate} gate
          where gate.tenant = step.tenant and gate.kind = 'provider' and gate.name = step.provider and gate.closed
        ),
        (
          select max(coalesce(gate.until, 'infinity')) from ${t.gate} gate
          where gate.tenant = step.tenant and gate.kind = 'session' and gate.name = step.session and gate.closed
        ),
        (
          select cooldown.until from ${t.cooldown} cooldown
          where cooldown.tenant = step.tenant and cooldown.provider = step.provider
        )
      ) as free_at
      from step where step.own = '' or step.own = step.provider
    )`
