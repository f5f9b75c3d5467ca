import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import { JobId } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { prepared } from "../driver/Prepared.js"
import { Tables } from "../driver/Tables.js"
import { heldRows } from "./heldRows.js"

/** Which of these jobs are held no more: cancelled, or claimed anew. */
export const lost = Effect.fn("JobQueue.lost")(function*(held: ReadonlyArray<Held>) {
  if (held.length === 0) return new Set<JobId>()
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const { ids, own, tenants } = heldRows(sql, held)
  const rows = yield* sql<{ readonly id: number }>`${prepared}
    select job.id from ${t.job} job
    where job.id = any(${ids}::text::bigint[]) and job.tenant = any(${tenants}::text::text[])
      and (job.status <> 'running' or job.fence <> ${own})`
  return new Set(rows.map(({ id }) => JobId.make(id, { disableValidation: true })))
})
