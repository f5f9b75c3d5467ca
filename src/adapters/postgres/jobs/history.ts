import type * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import type { Names } from "../driver/Tables.js"

/**
 * Makes history of those of the jobs `which` that are over: two parts of a `with`. What takes their place is inserted by the same
 * statement, after `over` was read to its end.
 */
export const archiving = (sql: SqlClient.SqlClient, t: Names, which: Fragment) =>
  sql`
    over as (
      delete from ${t.job} as job where ${which} and job.status not in ('pending', 'running') returning job.*
    ),
    kept as (
      insert into ${t.jobHistory} select over.* from over
    )`
