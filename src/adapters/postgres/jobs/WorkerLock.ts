import * as SqlClient from "@effect/sql/SqlClient"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Os from "node:os"
import * as Process from "node:process"
import { WorkerId } from "../../../domain/lease/Lease.js"
import type { Wanted } from "../../../domain/lease/Wanted.js"
import { WorkerLock } from "../../../domain/lease/WorkerLock.js"
import type { LivingWorker } from "../../../domain/lease/WorkerLock.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { DedicatedConnections } from "../driver/DedicatedConnection.js"
import type { DedicatedConnection } from "../driver/DedicatedConnection.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { bound, Tables } from "../driver/Tables.js"
import { texts } from "./JobRow.js"

/** A worker as others see it: its lock's number, and the row that names it. */
interface Registration {
  readonly tenants: ReadonlyArray<string>
  /** The kinds of jobs that it runs, as JSON. */
  readonly kinds: string
  readonly id: WorkerId
  readonly number: number
  /** The class of the locks of this schema. */
  readonly lockClass: number
}

/** How often a worker looks whether its lock is still its own session's. */
const look = "5 seconds"

/** A lost session is replaced at once, then ever more rarely, up to every two seconds. */
const again = Schedule.exponential("50 millis").pipe(
  Schedule.union(Schedule.spaced("2 seconds")),
  Schedule.resetAfter("1 minute")
)

/** What may delay a worker's end, each time something is said to the database. */
const farewell = "1 second"

/**
 * Waits while an earlier session of this worker, cut off but not known to be dead, still holds the lock: others see it, and
 * `seen` hears so.
 */
const lock = Effect.fnUntraced(
  function*(session: DedicatedConnection, { lockClass, number }: Registration, seen: Effect.Effect<unknown>) {
    yield* Effect.addFinalizer(() =>
      session.query("select pg_advisory_unlock($1::integer, $2::integer)", [lockClass, number]).pipe(
        Effect.interruptible,
        Effect.timeout(farewell),
        Effect.ignore
      )
    )
    const [row] = yield* session.query("select pg_try_advisory_lock($1::integer, $2::integer) as got", [
      lockClass,
      number
    ])
    if (row?.["got"] === true) return
    yield* seen
    yield* session.query("select pg_advisory_lock($1::integer, $2::integer)", [lockClass, number])
  }
)

/** Behind a transaction pooler the next statement may run in another session than the one that took the lock. */
const isOwn = (session: DedicatedConnection, { lockClass, number }: Registration) =>
  Effect.map(
    session.query(
      `select exists (
        select from pg_locks
        where locktype = 'advisory' and granted and objsubid = 2 and pid = pg_backend_pid()
          and database = (select oid from pg_database where datname = current_database())
          and classid = $1::bigint::oid and objid = $2::bigint::oid
      ) as own`,
      [lockClass, number]
    ),
    ([row]) => row?.["own"] === true
  )

/** The row says whether the lock counts: a worker without one is judged by its leases alone. */
const announce = Effect.fnUntraced(
  function*(session: DedicatedConnection, { id, kinds, number, tenants }: Registration, counts: boolean) {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const [text, values] = sql`
      insert into ${t.worker} as known (tenant, id, lock_number, host, pid, kinds)
      select whose.tenant, ${id}, ${counts ? number : null}::integer, ${Os.hostname()}, ${Process.pid}::integer,
        ${kinds}::jsonb
      from unnest(${texts(tenants)}::text::text[]) as whose (tenant)
      on conflict (tenant, id) do update set lock_number = excluded.lock_number
      where known.lock_number is distinct from excluded.lock_number`.compile()
    yield* session.query(text, values)
  }
)

const poolerWarning = "Session locks do not last on this connection (a transaction pooler?): " +
  "the jobs of a dead worker are freed by their leases alone"

/** What follows from the others seeing the lock, and from their no longer seeing it. */
interface Seen {
  readonly open: Effect.Effect<unknown>
  readonly close: Effect.Effect<unknown>
}

/** Holds the lock on a session of its own until that session is lost. */
const hold = Effect.fnUntraced(function*(registration: Registration, seen: Seen) {
  const sessions = yield* DedicatedConnections
  const session = yield* sessions.open
  yield* lock(session, registration, seen.open)
  const told = yield* Ref.make(false)
  const announced = Effect.gen(function*() {
    const own = yield* isOwn(session, registration)
    yield* announce(session, registration, own)
    if (!own && !(yield* Ref.getAndSet(told, true))) yield* Effect.logWarning(poolerWarning)
  })
  yield* announced
  yield* seen.open
  const watched = Effect.repeat(announced, Schedule.spaced(look))
  return yield* Effect.raceFirst(session.lost, Effect.zipRight(watched, Effect.never))
}, (holding, _, seen) => Effect.scoped(Effect.ensuring(holding, seen.close)))

/** A worker that still has running jobs leaves its row: without the lock it says that they are free. */
const forget = ({ id, tenants }: Registration) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    yield* sql`
      delete from ${t.worker}
      where worker.tenant = any(${texts(tenants)}::text::text[]) and worker.id = ${id} and not exists (
        select from ${t.lease} where lease.tenant = worker.tenant and lease.worker = ${id}
      )`
  }).pipe(Effect.interruptible, Effect.disconnect, Effect.timeout(farewell), Effect.ignoreLogged)

const named = Effect.fnUntraced(function*({ kinds, tenants }: Wanted) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [row] = yield* sql<{ readonly number: number }>`select nextval('${t.workerNumber}') as number`
  const number = row?.number ?? 0
  const salt = yield* Random.nextIntBetween(0, 0x1000000)
  const id = WorkerId.make(`${Os.hostname()}/${Process.pid}/${number}-${salt.toString(16).padStart(6, "0")}`)
  return {
    tenants,
    kinds: JSON.stringify(kinds.map(({ kind, provider }) => ({ kind, provider: Option.getOrNull(provider) }))),
    id,
    number,
    lockClass: t.lockClass
  } satisfies Registration
})

const register = Effect.fnUntraced(function*(wanted: Wanted) {
  const registration = yield* named(wanted)
  const latch = yield* Effect.makeLatch()
  const first = yield* Deferred.make<void, StoreFailure>()
  const registered = Effect.map(Deferred.poll(first), Option.isSome)
  const seen: Seen = {
    open: Effect.zipRight(latch.open, Deferred.succeed(first, undefined)),
    close: latch.close
  }
  yield* Effect.addFinalizer(() => forget(registration))
  yield* hold(registration, seen).pipe(
    Effect.tapError((failure) =>
      Effect.if(registered, {
        onTrue: () => Effect.logWarning(`The worker's lock is lost and taken anew: ${failure.message}`),
        onFalse: () => Effect.void
      })
    ),
    Effect.retry({ schedule: again, while: () => registered }),
    // The failure of the first attempt is the caller's.
    Effect.intoDeferred(first),
    Effect.forkScoped
  )
  yield* Deferred.await(first)
  return { id: registration.id, seen: latch.await }
})

interface StoredKind {
  readonly kind: string
  readonly provider: string | null
}

/** A worker that gave no notice leaves its row, and its lock is free. */
const living = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql<{ readonly id: string; readonly kinds: ReadonlyArray<StoredKind> }>`
    select worker.id, worker.kinds from ${t.worker}
    where worker.tenant = ${yield* Tenant} and case when worker.lock_number is null
      then worker.started_at > now() - interval '1 day'
      else exists (
        select from pg_locks as held
        where held.locktype = 'advisory' and held.granted and held.objsubid = 2
          and held.database = (select oid from pg_database where datname = current_database())
          and held.classid = ${t.lockClass}::oid and held.objid = worker.lock_number::oid
      ) end`
  return rows.map(({ id, kinds }): LivingWorker => ({
    id: WorkerId.make(id),
    kinds: kinds.map(({ kind, provider }) => ({ kind, provider: Option.fromNullable(provider) }))
  }))
})

/** Workers that hold an advisory lock, each on a session outside the pool. */
export const layer: Layer.Layer<WorkerLock, never, SqlClient.SqlClient | Tables | DedicatedConnections> = Layer.effect(
  WorkerLock,
  Effect.gen(function*() {
    const withClient = yield* bound
    const sessions = yield* DedicatedConnections
    return WorkerLock.of({
      register: Effect.fn("WorkerLock.register")((wanted) =>
        register(wanted).pipe(
          withClient,
          Effect.provideService(DedicatedConnections, sessions),
          SqlFailure.renamed
        )
      ),
      living: living.pipe(
        withClient,
        SqlFailure.renamed,
        Effect.withSpan("WorkerLock.living")
      )
    })
  })
)
