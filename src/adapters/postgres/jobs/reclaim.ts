import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { texts } from "./JobRow.js"
import { freeing, orphansOf } from "./orphans.js"
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
const gone = (sql: SqlClient.SqlClient, t: Names, tenants: string) =>
  sql`gone as materialized (
      select worker.tenant, worker.id from ${t.worker}
      where worker.tenant = any(${tenants}::text::text[]) and worker.lock_number is not null
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

const lookFor = SqlFailure.statement((sql, t, { tenants }: { readonly tenants: string }) =>
  sql<{ readonly due: boolean }>`${prepared}
    with ${gone(sql, t, tenants)}
    select exists (select from gone)
      or exists (select from ${t.lease} where lease.tenant = any(${tenants}::text::text[]) and lease.expires_at <= now())
      or exists (select from ${t.worker} where worker.tenant = any(${tenants}::text::text[]) and ${
    sql.literal(unlocked)
  }) as due`
)

/** Whether `reclaim` has anything to do. */
export const isDue = (
  sql: SqlClient.SqlClient,
  t: Names,
  tenants: ReadonlyArray<string>
): Effect.Effect<boolean, StoreFailure> =>
  Effect.map(lookFor(sql, t, { tenants: texts(tenants) }), ([looked]) => looked?.due === true)

/**
 * Frees the running jobs whose worker is gone or whose lease ran out. A worker is gone when no session holds its lock; one
 * that never had a lock is judged by its leases alone. Several may look at once: each job is freed, and its crash counted,
 * once. A job whose row is locked is left to the next look, and its lease with it.
 */
export const reclaim = Effect.fn("JobQueue.reclaim")(function*(ofTenants: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const tenants = texts(ofTenants)
  const rows = yield* sql<{ readonly status: string }>`${prepared}
    with ${gone(sql, t, tenants)},
    dead as materialized (
      select lease.tenant, lease.fence, lease.jobs from ${t.lease}
      where lease.tenant = any(${tenants}::text::text[])
        and (lease.expires_at <= now() or (lease.tenant, lease.worker) in (select gone.tenant, gone.id from gone))
      for update of lease skip locked
    ),
    orphan as materialized (${orphansOf(sql, t, "dead")}),
    ${freeing(sql, t, tenants)},
    over as (
      delete from ${t.lease}
      where (lease.tenant, lease.fence) in (select dead.tenant, dead.fence from dead) and not exists (
        select from unnest(lease.jobs) as its (id) join ${t.job} as job on job.tenant = lease.tenant and job.id = its.id
        where job.fence = lease.fence and job.status = 'running' and job.id not in (select orphan.id from orphan)
      )
    ),
    forgotten as (
      delete from ${t.worker}
      where worker.tenant = any(${tenants}::text::text[])
        and ((worker.tenant, worker.id) in (select gone.tenant, gone.id from gone) or ${sql.literal(unlocked)})
        and not exists (select from ${t.lease} where lease.tenant = worker.tenant and lease.worker = worker.id)
    )
    select freed.status, case freed.status when 'pending' then pg_notify(${t.channel}, freed.tenant) end from freed`
  const failed = rows.filter((row) => row.status === "failed").length
  return { freed: rows.length - failed, failed }
})
