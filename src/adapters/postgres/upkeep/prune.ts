import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** A row that somebody holds, to retry it, is left for the next time. */
export const prune = Effect.fn("Upkeep.prune")(function*(
  tenant: string,
  olderThan: Duration.Duration,
  limit: number
) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    delete from index_job as job
    where job.tenant = ${tenant} and job.id = any(array(
      select job.id from index_job as job
      where job.tenant = ${tenant} and job.status in ('succeeded', 'partial', 'failed', 'cancelled')
        and job.finished_at < now() - ${Duration.toMillis(olderThan)}::float8 * interval '1 millisecond'
        and not (
          job.status = 'failed'
          and not exists (
            select from index_job newer
            where newer.tenant = ${tenant} and newer.source_kind = job.source_kind
              and newer.source_id = job.source_id and newer.id > job.id)
          and exists (
            select from source s
            where s.tenant = ${tenant} and s.kind = job.source_kind and s.id = job.source_id)
        )
      order by job.id
      limit ${limit}
      for update skip locked
    ))
    returning job.id`
  return rows.length
})
