import type * as SqlClient from "@effect/sql/SqlClient"
import type { HeldSource } from "../../../domain/index/IndexJob.js"
import type { Names } from "../driver/Tables.js"

/**
 * What was written before this time does not count: the moment at which all was asked for anew, read from the source's row in
 * full precision. `-infinity` where nobody asked.
 */
export const forcedAt = (sql: SqlClient.SqlClient, t: Names, tenant: string, { source }: HeldSource) =>
  sql`(select coalesce(max(s.forced_at), '-infinity') from ${t.source} s
    where s.tenant = ${tenant} and s.kind = ${source.kind} and s.id = ${source.id})`
