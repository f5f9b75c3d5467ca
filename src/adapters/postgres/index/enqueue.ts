import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import type { Enqueued } from "../../../domain/job/JobQueue.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { Tables } from "../driver/Tables.js"
import { enqueue as enqueueJobs } from "../jobs/enqueue.js"

/**
 * Makes sure that the source has an open index job, in the caller's transaction where there is one. Where all is asked for anew, the
 * source remembers since when, until a run is complete or a later job, asked for without it, takes the place of one that is over.
 */
export const enqueue = Effect.fnUntraced(function*(
  tenant: string,
  wish: IndexJob.Wish
): Effect.fn.Return<Enqueued, SqlError | StoreFailure, SqlClient.SqlClient | Tables> {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const { force, source: { id, kind } } = wish
  yield* sql`
    update ${t.source} s set forced_at = case when ${force}::boolean then now() end
    where s.tenant = ${tenant} and s.kind = ${kind} and s.id = ${id} and (${force}::boolean
      or s.forced_at is not null and not exists (
        select from ${t.job} job
        where job.tenant = s.tenant and job.kind = ${IndexJob.kind} and job.key = ${IndexJob.keyOf(wish.source)}
          and job.status in ('pending', 'running')))`
  const [job] = yield* enqueueJobs(sql, t, tenant, IndexJob.request(wish))
  return job ?? (yield* Effect.dieMessage("An enqueue answered no job."))
})
