import type * as SqlClient from "@effect/sql/SqlClient"
import type { Fence } from "../../../domain/lease/Lease.js"

/**
 * A row of `lease` for each claim: it holds the jobs that are still held under the claim's fence, and goes with the last of them.
 * Lock order: a job's row, then its lease's; who takes a lease first leaves locked jobs alone.
 */

/** The jobs in `ended` are held no more: two parts of a `with`, after the one that ended them. */
export const giveBack = (sql: SqlClient.SqlClient, tenant: string, fence: Fence, ended: string) =>
  sql`
    given_back as (
      delete from lease
      where lease.tenant = ${tenant} and lease.fence = ${fence}
        and cardinality(lease.jobs) <= (select count(*) from ${sql.literal(ended)})
    ),
    given_in_part as (
      update lease set jobs = array(
        select its.id from unnest(lease.jobs) as its (id) where its.id not in (select id from ${sql.literal(ended)})
      )
      where lease.tenant = ${tenant} and lease.fence = ${fence}
        and cardinality(lease.jobs) > (select count(*) from ${sql.literal(ended)})
    )`
