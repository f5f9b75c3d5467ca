import type * as SqlClient from "@effect/sql/SqlClient"
import type { Held } from "../../../domain/job/JobQueue.js"
import type { Names } from "../driver/Tables.js"

/**
 * What was written before this time does not count: the moment at which all was asked for anew, read from the job's row in
 * full precision. `-infinity` where nobody asked.
 */
export const forcedAt = (sql: SqlClient.SqlClient, t: Names, tenant: string, held: Held) =>
  sql`(select coalesce(max(j.forced_at), '-infinity') from ${t.indexJob} j
    where j.tenant = ${tenant} and j.id = ${held.job.id})`
