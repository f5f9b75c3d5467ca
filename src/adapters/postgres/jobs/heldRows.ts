import type * as SqlClient from "@effect/sql/SqlClient"
import type { Held } from "../../../domain/job/JobQueue.js"
import * as JobRow from "./JobRow.js"

/**
 * Names jobs that are held to a statement: their tenants, numbers and fences as texts of Postgres arrays. `own` is the fence under which
 * a row of `job` is held here. Each row finds it by its place in the array, which keeps the plan on the keys (a join with the pairs does
 * not).
 */
export const heldRows = (sql: SqlClient.SqlClient, held: ReadonlyArray<Held>) => {
  const ids = JobRow.array(held.map(({ job }) => job.id))
  const fences = JobRow.array(held.map(({ fence }) => fence))
  return {
    tenants: JobRow.texts([...new Set(held.map(({ tenant }) => tenant))]),
    ids,
    fences,
    own: sql`(${fences}::text::bigint[])[array_position(${ids}::text::bigint[], job.id)]`
  }
}
