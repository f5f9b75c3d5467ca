import type * as SqlClient from "@effect/sql/SqlClient"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Enqueued, EnqueueRequest, NewJob } from "../../../domain/job/JobQueue.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { prepared } from "../driver/Prepared.js"
import type { Names } from "../driver/Tables.js"
import { archiving } from "./history.js"
import * as Pending from "./pending.js"

interface Given {
  readonly tenant: string
  readonly kind: string
  readonly jobs: string
  readonly ifRunning: EnqueueRequest["ifRunning"]
  readonly ifOver: EnqueueRequest["ifOver"]
}

interface Row extends Enqueued {
  /** The place of the job in what was asked for. */
  readonly nth: number
}

/**
 * One statement for any number of jobs of one kind. A job that is over becomes history, or is left so; a pending one takes on what
 * is asked for; a running one is marked to run again, in its own row: its settlement waits for that row's lock and then sees the mark.
 *
 * The number as float8, which every client reads as a number: int8 is a text to one whose types nobody set.
 * No row for a key whose job ended, or was followed by a newer one, at this very moment.
 */
const tryOnce = SqlFailure.statement((sql, t, { ifOver, ifRunning, jobs, kind, tenant }: Given) => {
  const isOpen = sql`job.status in ('pending', 'running')`
  const changed = sql`(job.payload, job.version) is distinct from (excluded.payload, excluded.version)`
  const again = ifRunning === "leave" ? sql`false` : ifRunning === "again" ? sql`true` : changed
  return sql<Row>`${prepared}
    with given as materialized (
      select g.nth, coalesce(g.key, gen_random_uuid()::text) as key, g.provider, g.session, g.priority, g."maxAttempts",
        coalesce(g.payload, 'null') as payload, g.version, coalesce(g."runAt", now()) as run_at, g.trace
      from jsonb_to_recordset(${jobs}::jsonb) as g (
        nth integer, key text, provider text, session text, priority smallint, "maxAttempts" integer, payload jsonb,
        version text, "runAt" timestamptz, trace text
      )
    ),
    newest as materialized (
      select job.id, job.key, job.status
      from given cross join lateral (
        select job.id, job.key, job.status from ${t.job} job
        where job.tenant = ${tenant} and job.kind = ${kind} and job.key = given.key
        limit 1
      ) as job
    ),
    ${Pending.locking(sql, t, tenant, sql`select newest.id from newest where newest.status = 'pending'`)},
    ${
    archiving(
      sql,
      t,
      ifOver === "leave"
        ? sql`false`
        : sql`job.tenant = ${tenant} and job.id = any(array(
          select newest.id from newest where newest.status not in ('pending', 'running')))`
    )
  },
    made as (
      insert into ${t.job} as job
        (tenant, kind, key, provider, session, priority, max_attempts, payload, version, run_at, trace)
      select ${tenant}, ${kind}, given.key, given.provider, given.session, given.priority, given."maxAttempts",
        given.payload, given.version, given.run_at, given.trace
      from (select count(*) from over) as first, given
      where ${sql.literal(Pending.locked)} ${
    ifOver === "leave"
      ? sql`and given.key not in (select newest.key from newest where newest.status not in ('pending', 'running'))`
      : sql``
  }
      on conflict (tenant, kind, key) do update set (
        again, run, run_at, payload, version, provider, session, priority, max_attempts, trace
      ) = (
        select
          job.status = 'running' and (job.again or next.anew),
          case when job.status = 'pending' and next.changed then job.run + 1 else job.run end,
          case when job.status = 'pending' then least(job.run_at, excluded.run_at) else job.run_at end,
          case when next.taken then excluded.payload else job.payload end,
          case when next.taken then excluded.version else job.version end,
          case when next.taken then excluded.provider else job.provider end,
          case when next.taken then excluded.session else job.session end,
          case when next.taken then excluded.priority else job.priority end,
          case when next.taken then excluded.max_attempts else job.max_attempts end,
          case when next.taken then excluded.trace else job.trace end
        from (
          select ${changed} as changed, ${again} as anew, job.status = 'pending' or ${again} as taken
        ) as next
      )
      where ${isOpen}
      returning ${sql.literal(Pending.columns)}, job.key
    ),
    written as (${Pending.writing(sql, t, "made")}),
    told as materialized (
      select pg_notify(${t.channel}, ${tenant}) from (select from made where made.status = 'pending' limit 1) as any_of_them
    ),
    answer as (
      select made.id, made.key, made.status from made
      union all
      select newest.id, newest.key, newest.status from newest
      where ${ifOver === "leave" ? sql`newest.status not in ('pending', 'running')` : sql`false`}
    )
    select given.nth, answer.id::float8 as id, given.key, answer.status
    from given join answer on answer.key = given.key
    where (select count(*) from told) >= 0`
})

const encoded = (job: NewJob, nth: number) => ({
  ...job,
  nth,
  provider: job.provider ?? "",
  session: job.session ?? "",
  runAt: job.runAt === null ? null : DateTime.formatIso(job.runAt)
})

type Numbered = ReturnType<typeof encoded>

/** The last of those with one key, each with the places of all of them. */
const distinct = (jobs: ReadonlyArray<NewJob>) => {
  const places = new Map<number, ReadonlyArray<number>>()
  const byKey = new Map<string, Numbered>()
  const own: Array<Numbered> = []
  for (const [nth, job] of jobs.entries()) {
    const one = encoded(job, nth)
    const before = job.key === null ? undefined : byKey.get(job.key)
    places.set(nth, [...(before === undefined ? [] : places.get(before.nth) ?? []), nth])
    if (job.key === null) own.push(one)
    else byKey.set(job.key, one)
  }
  // In the order of their keys, so that two that enqueue the same never wait for each other in a circle.
  const keyed = [...byKey.values()].toSorted((a, b) => (a.key ?? "") < (b.key ?? "") ? -1 : 1)
  return { jobs: [...keyed, ...own], places }
}

/**
 * Makes sure that each key has an open job, inside the caller's transaction where there is one. The answers are in the order of what
 * was asked for.
 *
 * The mark `again` and what is asked for anew are in the job's own row because the settlement of a running job waits on that row's
 * lock and then sees them; another row, changed in the same moment, would be hidden from the settlement's snapshot.
 */
export const enqueue = (
  sql: SqlClient.SqlClient,
  t: Names,
  tenant: string,
  { ifOver, ifRunning, jobs, kind }: EnqueueRequest
): Effect.Effect<ReadonlyArray<Enqueued>, StoreFailure> => {
  const asked = distinct(jobs)
  const answers = new Map<number, Enqueued>()
  const ask = (left: ReadonlyArray<Numbered>): Effect.Effect<void, StoreFailure> =>
    left.length === 0
      ? Effect.void
      : Effect.flatMap(
        tryOnce(sql, t, { tenant, kind, jobs: JSON.stringify(left), ifRunning, ifOver }),
        (rows) => {
          for (const { id, key, nth, status } of rows) {
            for (const place of asked.places.get(nth) ?? []) answers.set(place, { id, key, status })
          }
          return ask(left.filter(({ nth }) => !answers.has(nth)))
        }
      )
  return Effect.map(
    ask(asked.jobs),
    () => [...answers].toSorted(([a], [b]) => a - b).map(([, answer]) => answer)
  )
}
