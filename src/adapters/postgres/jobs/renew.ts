import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { JobId } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { prepared } from "../driver/Prepared.js"
import { heldRows } from "./heldRows.js"
import { freeing, orphansOf } from "./orphans.js"
import * as Refused from "./staleWrite.js"
import { Tables } from "../driver/Tables.js"

interface Row {
  readonly id: number
  readonly held: boolean
}

/**
 * Renews the leases of all these jobs in one statement; answers the jobs that are still held. What stands under one of the leases
 * and is not among the jobs is not run by its holder any more, though its end was never written: it is freed at once, for the
 * others would keep it running as long as they are renewed. A heartbeat under an old fence is a
 * refused write and counted as one.
 */
export const renew = Effect.fn("JobQueue.renew")(
  function*(held: ReadonlyArray<Held>, duration: Duration.Duration) {
    if (held.length === 0) return new Set<JobId>()
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const { fences, ids, own, tenants } = heldRows(sql, held)
    const rows = yield* sql<Row>`${prepared}
      with mine as materialized (
        select lease.tenant, lease.fence, lease.jobs from ${t.lease}
        where lease.tenant = any(${tenants}::text::text[]) and lease.fence = any(${fences}::text::bigint[])
        for update
      ),
      left_out as materialized (
        select mine.tenant, mine.fence, array(
          select every.id from unnest(mine.jobs) as every (id) where every.id <> all(${ids}::text::bigint[])
        ) as jobs
        from mine
      ),
      orphan as materialized (${orphansOf(sql, t, "left_out")}),
      ${freeing(sql, t, tenants)},
      told as materialized (
        select pg_notify(${t.channel}, freed.tenant) from freed where freed.status = 'pending' group by freed.tenant
      ),
      renewed as (
        update ${t.lease} set expires_at = now() + ${Duration.toMillis(duration)}::float8 * interval '1 millisecond',
          jobs = array(select its.id from unnest(lease.jobs) as its (id) where its.id not in (select freed.id from freed))
        where lease.tenant = any(${tenants}::text::text[]) and lease.fence = any(array(select mine.fence from mine))
        returning lease.fence
      )
      select job.id, job.fence = ${own} as held
      from ${t.jobAll} as job
      where job.tenant = any(${tenants}::text::text[]) and job.id = any(${ids}::text::bigint[])
        and (select count(*) from told) >= 0 and (
          job.fence > ${own}
          or job.status = 'running' and job.fence = ${own} and job.fence in (select renewed.fence from renewed)
        )`
    const newer = new Set(rows.filter((row) => !row.held).map(({ id }) => id))
    yield* Effect.forEach(held.filter(({ job }) => newer.has(job.id)), Refused.count, { discard: true })
    return new Set(rows.filter((row) => row.held).map(({ id }) => JobId.make(id, { disableValidation: true })))
  }
)
