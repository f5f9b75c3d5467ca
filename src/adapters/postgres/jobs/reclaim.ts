import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { freeing } from "./orphans.js"
import { prepared } from "../driver/Prepared.js"
import { Tables } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"

/**
 * How long after its start a server is not believed that a worker's lock is gone: the workers are just coming back. Nobody
 * comes back to the embedded database but this process itself.
 */
const settlingIn = "5 seconds"

/**
 * Workers whose lock no session holds, as a part of a `with`. What the server says of this session alone tells whether it is the
 * embedded database; its view of all sessions takes ten times as long to plan.
 */
const gone = (sql: SqlClient.SqlClient, t: Names, tenant: string) =>
  sql`gone as materialized (
      select worker.id from ${t.worker}
      where worker.tenant = ${tenant} and worker.lock_number is not null
        and (worker.started_at >= pg_postmaster_start_time()
          or pg_postmaster_start_time() < now() - ${settlingIn}::interval
          or exists (
            select from pg_stat_get_activity(pg_backend_pid()) as own where own.backend_type = 'standalone backend'
          ))
        and not exists (
          select from pg_locks as held
          where held.locktype = 'advisory' and held.granted and held.objsubid = 2
            and held.database = (select oid from pg_database where datname = current_database())
            and held.classid = ${t.lockClass}::oid and held.objid = worker.lock_number::oid
        )
    )`

/** Workers that never had a lock are forgotten a day after their start, once they hold nothing. */
const unlocked = "worker.lock_number is null and worker.started_at < now() - interval '1 day'"

const lookFor = SqlFailure.statement((sql, t, { tenant }: { readonly tenant: string }) =>
  sql<{ readonly due: boolean }>`${prepared}
    with ${gone(sql, t, tenant)}
    select exists (select from gone)
      or exists (select from ${t.lease} where lease.tenant = ${tenant} and lease.expires_at <= now())
      or exists (select from ${t.worker} where worker.tenant = ${tenant} and ${sql.literal(unlocked)}) as due`
)

/** Whether `reclaim` has anything to do. */
export const isDue = (sql: SqlClient.SqlClient, t: Names, tenant: string): Effect.Effect<boolean, StoreFailure> =>
  Effect.map(lookFor(sql, t, { tenant }), ([looked]) => looked?.due === true)

/**
 * Frees the running jobs whose worker is gone or whose lease ran out. A worker is gone when no session holds its lock; one
 * that never had a lock is judged by its leases alone. Several may look at once: each job is freed, and its crash counted,
 * once. A job whose row is locked is left to the next look, and its lease with it.
 */
export const reclaim = Effect.fn("JobQueue.reclaim")(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql<{ readonly status: string }>`${prepared}
    with ${gone(sql, t, tenant)},
    dead as materialized (
      select lease.fence, lease.jobs from ${t.lease}
      where lease.tenant = ${tenant} and (lease.expires_at <= now() or lease.worker in (select gone.id from gone))
      for update of lease skip locked
    ),
    orphan as materialized (
      select job.id
      from dead
      cross join lateral unnest(dead.jobs) as its (id)
      cross join lateral (
        select job.id from ${t.indexJob} as job
        where job.tenant = ${tenant} and job.id = its.id and job.fence = dead.fence and job.status = 'running'
        limit 1
        for update skip locked
      ) as job
    ),
    ${freeing(sql, t, tenant)},
    over as (
      delete from ${t.lease}
      where lease.tenant = ${tenant} and lease.fence = any(array(select dead.fence from dead)) and not exists (
        select from unnest(lease.jobs) as its (id) join ${t.indexJob} as job on job.tenant = ${tenant} and job.id = its.id
        where job.fence = lease.fence and job.status = 'running' and job.id not in (select orphan.id from orphan)
      )
    ),
    forgotten as (
      delete from ${t.worker}
      where worker.tenant = ${tenant}
        and (worker.id in (select gone.id from gone) or ${sql.literal(unlocked)})
        and not exists (select from ${t.lease} where lease.tenant = ${tenant} and lease.worker = worker.id)
    )
    select freed.status, case freed.status when 'pending' then pg_notify(${t.channel}, ${tenant}) end from freed`
  const failed = rows.filter((row) => row.status === "failed").length
  return { freed: rows.length - failed, failed }
})
