import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Progress } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import type { LeaseLost } from "../../../domain/lease/Lease.js"
import { prepared } from "../driver/Prepared.js"
import { Tables } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"
import { refuse } from "./staleWrite.js"

/**
 * Locks the row of a held job until the transaction ends, so that no newer claim can come between, and writes its progress. Progress
 * forgives the crashes before it, and the attempts that they spent. No row where a newer claim exists: an `update` for a `with`, or
 * for itself.
 */
export const guarding = (
  sql: SqlClient.SqlClient,
  t: Names,
  { fence, job, tenant }: Held,
  progress: Option.Option<Progress>
) =>
  sql`
    update ${t.job} as job set ${
    Option.match(progress, {
      onNone: () => sql``,
      onSome: ({ detail, done, total }) =>
        sql`done = ${done}, total = ${total}, detail = ${JSON.stringify(detail)}::jsonb,`
    })
  }
      progress_at = now(), attempts = greatest(1, job.attempts - job.crashes), crashes = 0, cooled_ms = 0
    where job.tenant = ${tenant} and job.id = ${job.id} and job.fence = ${fence} and job.status = 'running'
    returning job.id`

/** The same in the caller's transaction; fails with LeaseLost where a newer claim exists. */
export const guard = Effect.fnUntraced(function*(
  held: Held,
  progress: Option.Option<Progress>
): Effect.fn.Return<void, SqlError | LeaseLost, SqlClient.SqlClient | Tables> {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql`${prepared}${guarding(sql, t, held, progress)}`
  if (rows.length === 0) return yield* refuse(held)
})
