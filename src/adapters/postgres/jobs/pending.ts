import type * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import type { Names } from "../driver/Tables.js"

/**
 * The table `pending` has a row for each pending job: when it is to be claimed, and for which provider. Who makes a job pending
 * writes its row, who claims or ends it takes the row away.
 *
 * Lock order: whoever changes a pending job locks this row first, the job's own second. A statement that waited for the job may
 * miss a row written meanwhile: what is left over so goes with the next claim, which finds its job not pending.
 */

/** Locks the row of the job whose number is `id`, where it has one: a part of a `with`. */
export const standing = (sql: SqlClient.SqlClient, t: Names, tenant: string, id: Fragment) =>
  sql`
    standing as materialized (
      select pending.id from ${t.pending} where pending.tenant = ${tenant} and pending.id = (${id}) for update
    )`

/** True, once `standing` is locked. */
export const locked = "(select count(*) from standing) >= 0"

/** What `lineUp` reads of the table aliased `job`. */
export const columns = "job.tenant, job.provider, job.run_at, job.id, job.status"

/** Writes the rows of those in `from` that are pending. It has these columns, or more of the job's. */
export const lineUp = (sql: SqlClient.SqlClient, t: Names, from: string) =>
  sql`
    insert into ${t.pending} (tenant, provider, run_at, id)
    select tenant, provider, run_at, id from ${sql.literal(from)} where status = 'pending'
    on conflict (id, tenant) do update set provider = excluded.provider, run_at = excluded.run_at`

/**
 * The providers that have pending jobs, and from when each is free: `free_at` is infinity while a closed gate
 * has no end. A walk over the index, one step a provider, so that a long backlog behind a closed gate costs nothing.
 * A gate that names the provider blocks it whichever kind it is. Goes after `with recursive`.
 */
export const providers = (sql: SqlClient.SqlClient, t: Names, tenant: string) =>
  sql`
    named (provider) as (
      (
        select pending.provider from ${t.pending} where pending.tenant = ${tenant} order by pending.provider limit 1
      )
      union all
      select (
        select pending.provider from ${t.pending}
        where pending.tenant = ${tenant} and pending.provider > named.provider
        order by pending.provider limit 1
      )
      from named where named.provider is not null
    ),
    provider (name, free_at) as materialized (
      select named.provider, greatest(
        now(),
        (
          select max(coalesce(gate.until, 'infinity')) from ${t.gate}
          where gate.tenant = ${tenant} and gate.name = named.provider and gate.closed
        ),
        (select cooldown.until from ${t.cooldown} where cooldown.tenant = ${tenant} and cooldown.provider = named.provider)
      )
      from named where named.provider is not null
    )`
