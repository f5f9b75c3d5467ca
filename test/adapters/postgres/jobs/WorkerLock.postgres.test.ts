import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { DedicatedConnections } from "../../../../src/adapters/postgres/driver/DedicatedConnection.js"
import { named } from "../../../../src/adapters/postgres/driver/Tables.js"
import { Tenant } from "../../../../src/domain/store/Tenant.js"
import { freshPostgres, postgres } from "../../../support/Databases.js"
import * as Kit from "../../suites/queueKit.js"
import { awake, listening, wakeUps, wokenBy } from "../../suites/wakeUps.js"
import { register, registered, withLock, workerLock, workers } from "../../suites/workerLock.js"

const { lockClass } = named("holdfast")

workerLock(postgres)
wakeUps(postgres)

/** The sessions that hold a worker's lock, or those that wait for one. */
const lockSessions = Effect.fnUntraced(function*(granted: boolean) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ readonly pid: number }>`
    select pid from pg_locks
    where locktype = 'advisory' and granted = ${granted} and classid = ${lockClass}::bigint::oid
      and database = (select oid from pg_database where datname = current_database())`
  return rows.map(({ pid }) => pid)
})

const lockHolders = lockSessions(true)

const isAwaited = Effect.map(lockSessions(false), (pids) => pids.length === 1)

/** Ends the one session that holds a worker's lock; answers which it was. */
const cutLock = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const [pid, ...others] = yield* lockHolders
  expect(others).toEqual([])
  yield* sql`select pg_terminate_backend(${pid ?? 0}::integer)`
  return pid
})

const listeners = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ readonly pid: number }>`
    select pid from pg_stat_activity
    where datname = current_database() and query ilike 'listen %' and pid <> pg_backend_pid()`
})

const eventually = <E, R>(condition: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.flatMap(condition, (holds) => holds ? Effect.void : Effect.delay(eventually(condition), "20 millis"))

describe("sessions that die", () => {
  layer(freshPostgres(all), { timeout: "60 seconds", excludeTestServices: true })((it) => {
    it.effect("free a dead worker's job within 2 s", () =>
      Kit.alone(Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const tenant = yield* Tenant
        yield* Effect.scoped(Effect.gen(function*() {
          // A worker that will not come back: its session without the process that mends it.
          const session = yield* Effect.flatMap(DedicatedConnections, (sessions) => sessions.open)
          yield* session.query("select pg_advisory_lock($1::integer, 77)", [lockClass])
          yield* sql`insert into holdfast.worker (tenant, id, lock_number, host, pid, kinds)
            values (${tenant}, 'a', 77, 'h', 1, '[]')`
          yield* Kit.enqueue("pets")
          yield* Kit.claimOne("a", Duration.hours(1))
          expect(yield* Kit.reclaim).toEqual({ freed: 0, failed: 0 })
          yield* cutLock
          const [elapsed] = yield* Effect.timed(eventually(Effect.map(Kit.reclaim, ({ freed }) => freed === 1)))
          expect(Duration.toMillis(elapsed)).toBeLessThan(2000)
          expect((yield* Kit.find(yield* Kit.claimOne("b"))).crashes).toBe(1)
        }))
      })))

    it.effect("are replaced by a living worker, under the same name", () =>
      withLock(Effect.scoped(Effect.gen(function*() {
        const worker = yield* registered
        const [before] = yield* workers
        const cut = yield* cutLock
        yield* eventually(Effect.map(lockHolders, (pids) => pids.some((pid) => pid !== cut)))
        yield* Kit.enqueue("pets")
        yield* Kit.claimOne(worker)
        expect(yield* Kit.reclaim).toEqual({ freed: 0, failed: 0 })
        expect((yield* workers)[0]).toEqual(before)
      }))))

    it.effect("keep their worker from claiming until others see its lock again", () =>
      Effect.gen(function*() {
        const sessions = yield* DedicatedConnections
        const way = yield* Effect.makeLatch(true)
        const open = Effect.zipRight(way.await, sessions.open)
        yield* withLock(Effect.scoped(Effect.gen(function*() {
          const { id, seen } = yield* register
          yield* seen
          yield* way.close
          yield* cutLock
          yield* eventually(Effect.map(Effect.timeoutOption(seen, "1 millis"), Option.isNone))
          yield* way.open
          yield* seen
          yield* Kit.enqueue("pets")
          yield* Kit.claimOne(id)
          expect(yield* Kit.reclaim).toEqual({ freed: 0, failed: 0 })
        }))).pipe(Effect.provideService(DedicatedConnections, { open }))
      }))

    it.effect("hold up nobody's claims where the lock outlives the worker's hold on them", () =>
      withLock(Effect.scoped(Effect.gen(function*() {
        const { id, seen } = yield* register
        const [{ lock_number: number = 0 } = {}] = yield* workers
        // In the place of an earlier session that is cut off and not known to be dead: it gets the lock next.
        const earlier = yield* Effect.flatMap(DedicatedConnections, (sessions) => sessions.open)
        const taking = yield* Effect.fork(
          earlier.query("select pg_advisory_lock($1::integer, $2::integer)", [lockClass, number])
        )
        yield* eventually(isAwaited)
        yield* cutLock
        yield* Fiber.join(taking)
        yield* eventually(isAwaited)
        yield* seen
        yield* Kit.enqueue("pets")
        yield* Kit.claimOne(id)
        expect(yield* Kit.reclaim).toEqual({ freed: 0, failed: 0 })
      }))))

    it.effect("do not silence the hints: the listener listens again", () =>
      awake(Effect.gen(function*() {
        yield* listening
        const sql = yield* SqlClient.SqlClient
        const before = yield* listeners
        expect(before.length).toBe(1)
        yield* sql`select pg_terminate_backend(${before[0]?.pid ?? 0}::integer)`
        yield* eventually(Effect.map(listeners, ([now]) => now !== undefined && now.pid !== before[0]?.pid))
        yield* listening
        yield* wokenBy(Kit.enqueue("pets"))
      })))
  })
})
