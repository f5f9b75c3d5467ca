import type * as SqlClient from "@effect/sql/SqlClient"
import type { Names } from "../driver/Tables.js"

/**
 * A row of `lease` for each claim: it holds the jobs that are still held under the claim's fence, and goes with the last of them.
 * Lock order: a job's row, then its lease's; who takes a lease first leaves locked jobs alone.
 */

/** The jobs in `settled` are held no more: two parts of a `with`, after the one that settled them. */
export const giveBack = (sql: SqlClient.SqlClient, t: Names, tenant: string, fence: number) =>
  sql`
    given_back as (
      delete from ${t.lease}
      where lease.tenant = ${tenant} and lease.fence = ${fence}
        and cardinality(lease.jobs) <= (select count(*) from settled)
    ),
    given_in_part as (
      update ${t.lease} set jobs = array(
        select its.id from unnest(lease.jobs) as its (id) where its.id not in (select settled.id from settled)
      )
      where lease.tenant = ${tenant} and lease.fence = ${fence}
        and cardinality(lease.jobs) > (select count(*) from settled)
    )`
