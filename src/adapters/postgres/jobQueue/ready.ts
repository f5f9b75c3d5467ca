import type * as SqlClient from "@effect/sql/SqlClient"

/**
 * The providers that have pending jobs, and from when each is free: `free_at` is infinity while a closed gate
 * has no end. A walk over the index, one step a provider, so that a long backlog behind a closed gate costs nothing.
 * A gate that names the provider blocks it whichever kind it is. Goes after `with recursive`.
 */
export const providers = (sql: SqlClient.SqlClient, tenant: string) =>
  sql`
    named (provider) as (
      (
        select job.provider from index_job as job
        where job.tenant = ${tenant} and job.status = 'pending' order by job.provider limit 1
      )
      union all
      select (
        select job.provider from index_job as job
        where job.tenant = ${tenant} and job.status = 'pending' and job.provider > named.provider
        order by job.provider limit 1
      )
      from named where named.provider is not null
    ),
    provider (name, free_at) as materialized (
      select named.provider, greatest(
        now(),
        (
          select max(coalesce(gate.until, 'infinity')) from gate
          where gate.tenant = ${tenant} and gate.name = named.provider and gate.closed
        ),
        (select cooldown.until from cooldown where cooldown.tenant = ${tenant} and cooldown.provider = named.provider)
      )
      from named where named.provider is not null
    )`
