import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { inject } from "vitest"
import * as Client from "../../../../src/adapters/postgres/driver/Client.js"
import * as Migrate from "../../../../src/adapters/postgres/driver/Migrate.js"
import * as ServerCheck from "../../../../src/adapters/postgres/driver/ServerCheck.js"
import { DedicatedConnections } from "../../../../src/adapters/postgres/driver/DedicatedConnection.js"
import * as SqlFailure from "../../../../src/adapters/postgres/driver/SqlFailure.js"
import { transact } from "../../../../src/adapters/postgres/driver/transact.js"
import { exitCode } from "../../../../src/domain/store/StoreFailure.js"
import { freshPostgres, freshUrl, tables } from "../../../support/Databases.js"
import { proxyTo, through } from "../../../support/Proxy.js"

const adminUrl = () => Redacted.make(inject("postgresUrl"))

const edited = (change: (url: URL) => void) => {
  const url = new URL(Redacted.value(adminUrl()))
  change(url)
  return Client.settings(Redacted.make(url.href), { connectTimeout: Duration.seconds(1) })
}

const opening = (settings: Client.Settings) => Effect.scoped(Layer.build(Client.layer(settings))).pipe(Effect.flip)

const pid = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => Effect.map(sql<{ pid: number }>`select pg_backend_pid() as pid`, ([row]) => row?.pid ?? 0)
)

/** Kills a server process from outside, as an administrator does: on a connection that no transaction covers. */
const terminate = (backend: number) =>
  Effect.scoped(
    Effect.flatMap(Client.openDedicated(Client.settings(adminUrl())), (session) =>
      session.query("select pg_terminate_backend($1, 5000)", [backend]))
  )

/** A server that takes connections and never says a word. */
const silent = Effect.acquireRelease(
  Effect.async<ReturnType<typeof createServer>>((resume) => {
    const server = createServer((socket) => socket.on("error", () => {}))
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => server.close())
)

describe("a database that does not serve", () => {
  it.live("is unavailable when nobody listens, and the message holds no password", () =>
    Effect.gen(function*() {
      const failure = yield* opening(edited((url) => {
        url.port = "1"
        url.password = "hunter2-secret"
      }))
      expect(failure._tag).toBe("StoreUnavailable")
      expect(exitCode(failure)).toBe(7)
      expect(failure.message).toContain("ECONNREFUSED")
      expect(failure.message).not.toContain("hunter2")
    }))

  it.scopedLive("is unavailable when it takes the connection and stays silent, within the connect timeout", () =>
    Effect.gen(function*() {
      const server = yield* silent
      // A listening TCP server has an AddressInfo.
      const { port } = server.address() as AddressInfo
      const [took, failure] = yield* Effect.timed(opening(edited((url) => void (url.port = String(port)))))
      expect(failure._tag).toBe("StoreUnavailable")
      expect(Duration.toSeconds(took)).toBeLessThan(4)
    }))

  it.live("denies access for a wrong password and an unknown role", () =>
    Effect.gen(function*() {
      const password = yield* opening(edited((url) => void (url.password = "hunter2-secret")))
      const role = yield* opening(edited((url) => void (url.username = "nobody_here")))
      expect([password._tag, role._tag]).toEqual(["StoreAccessDenied", "StoreAccessDenied"])
      expect(password.message).not.toContain("hunter2")
    }))

  it.live("is unavailable when the database of that name does not exist", () =>
    Effect.map(opening(edited((url) => void (url.pathname = "/no_such_database"))), (failure) => {
      expect(failure._tag).toBe("StoreUnavailable")
      expect(failure.message).toContain("no_such_database")
    }))

  it.live("fails in words on a URL that is none, without repeating it", () =>
    Effect.map(opening(Client.settings(Redacted.make("postgres://u:hunter2@[nope"))), (failure) => {
      expect(failure._tag).toBe("StoreUnavailable")
      expect(failure.message).not.toContain("hunter2")
    }))

  it.scopedLive("is read-only in words, while looking at it still works", () =>
    Effect.gen(function*() {
      const url = yield* freshUrl
      const migrations: ReadonlyArray<Migrate.Migration> = [{ id: 1, name: "nothing", run: Effect.void }]
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) =>
        sql.unsafe(
          `alter database "${new URL(Redacted.value(url)).pathname.slice(1)}" set default_transaction_read_only = on`
        ))
        .pipe(Effect.provide(Client.layer(Client.settings(url))))
      yield* Effect.gen(function*() {
        expect(yield* Effect.flip(Migrate.migrate(migrations))).toMatchObject({ _tag: "StoreReadOnly" })
        expect(yield* Effect.flip(Migrate.check(migrations))).toMatchObject({ _tag: "SchemaTooOld" })
        expect(yield* ServerCheck.inspect()).toMatchObject({ readOnly: true, standby: false })
      }).pipe(Effect.provide([Client.layer(Client.settings(url)), tables]))
    }))
})

describe("a connection that is lost", () => {
  const one = freshPostgres([], { maxConnections: 1 })

  it.live("inside a transaction is a failure, and the pool serves the next one", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(transact(Effect.gen(function*() {
        yield* terminate(yield* pid)
        return yield* pid
      })))
      expect(failure).toMatchObject({ _tag: "StoreUnavailable" })
      expect(yield* transact(pid)).toBeGreaterThan(0)
    }).pipe(Effect.provide(one)))

  it.live("before COMMIT is a failure, though the effect itself succeeded", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(transact(Effect.flatMap(pid, terminate)))
      expect(failure).toMatchObject({ _tag: "StoreUnavailable" })
      expect(yield* transact(pid)).toBeGreaterThan(0)
    }).pipe(Effect.provide(one)))

  it.live("does not hide the effect's own failure", () =>
    Effect.gen(function*() {
      const failed = transact(Effect.flatMap(pid, terminate).pipe(Effect.zipRight(Effect.fail("lease lost" as const))))
      expect(yield* Effect.flip(failed)).toBe("lease lost")
      expect(yield* transact(pid)).toBeGreaterThan(0)
    }).pipe(Effect.provide(one)))

  it.live("ends a session at once, and its advisory locks with it", () =>
    Effect.scoped(Effect.gen(function*() {
      const session = yield* Effect.flatMap(DedicatedConnections, (sessions) => sessions.open)
      const [row] = yield* session.query("select pg_backend_pid() as pid, pg_try_advisory_lock(99) as taken")
      expect(row).toMatchObject({ taken: true })
      const lost = yield* Effect.fork(Effect.flip(session.lost))
      yield* terminate(Number(row?.["pid"]))
      expect(yield* Fiber.join(lost)).toMatchObject({ _tag: "StoreUnavailable" })
      expect(yield* Effect.flip(session.query("select 1"))).toMatchObject({ _tag: "StoreUnavailable" })
    })).pipe(Effect.provide(one)))
})

describe("time", () => {
  it.live("bounds a statement, and the connection that did not answer is not used again", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const before = yield* pid
      const [took, failure] = yield* Effect.timed(Effect.flip(SqlFailure.renamed(sql`select pg_sleep(30)`)))
      expect(failure).toMatchObject({ _tag: "StoreUnavailable" })
      expect(Duration.toSeconds(took)).toBeLessThan(5)
      expect(yield* pid).not.toBe(before)
    }).pipe(Effect.provide(freshPostgres([], { maxConnections: 1, statementTimeout: Duration.millis(500) }))))

  it.live("that a statement went without an answer makes the idle connections suspect, and none is used again", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const met = yield* Effect.makeLatch()
      // Each in a transaction that ends when all three have begun, so that there are three connections.
      const apart = (n: number) => transact(Effect.zipLeft(pid, n === 3 ? met.open : met.await))
      const before = yield* Effect.forEach([1, 2, 3], apart, { concurrency: 3 })
      expect(new Set(before).size).toBe(3)
      yield* Effect.flip(SqlFailure.renamed(sql`select pg_sleep(30)`))
      const again = yield* Effect.makeLatch()
      const later = (n: number) => transact(Effect.zipLeft(pid, n === 3 ? again.open : again.await))
      const after = yield* Effect.forEach([1, 2, 3], later, { concurrency: 3 })
      expect(after.filter((one) => before.includes(one))).toEqual([])
    }).pipe(Effect.provide(freshPostgres([], { maxConnections: 4, statementTimeout: Duration.millis(500) }))))

  it.scopedLive("a server that falls silent costs failures for as long as it is silent, and nothing more", () =>
    Effect.gen(function*() {
      const url = Redacted.value(yield* freshUrl)
      const proxy = yield* proxyTo(url)
      const short = { maxConnections: 2, statementTimeout: Duration.millis(500), connectTimeout: Duration.millis(300) }
      const context = yield* Layer.build(Client.layer(Client.settings(Redacted.make(through(proxy, url)), short)))
      yield* Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const asked = Effect.either(SqlFailure.renamed(sql`select pg_backend_pid()`))
        // All connections are taken, one of them for good: then whoever waits for one hears of an error alone.
        const inside = yield* Deferred.make<void>()
        const holder = yield* Effect.fork(transact(Effect.zipRight(Deferred.succeed(inside, undefined), Effect.never)))
        yield* Deferred.await(inside)
        expect(Either.isRight(yield* asked)).toBe(true)
        yield* proxy.set("black hole")
        for (const n of [1, 2, 3]) {
          const failed = yield* asked
          expect([n, Either.isLeft(failed) && failed.left._tag]).toEqual([n, "StoreUnavailable"])
        }
        yield* proxy.set("clear")
        yield* Fiber.interrupt(holder)
        expect(Either.isRight(yield* asked)).toBe(true)
      }).pipe(Effect.provide(context))
    }))

  it.scopedLive("an interrupted statement that a dead connection never answers holds up nobody after it", () =>
    Effect.gen(function*() {
      const url = Redacted.value(yield* freshUrl)
      const proxy = yield* proxyTo(url)
      const bounds = { maxConnections: 2, connectTimeout: Duration.millis(300) }
      const context = yield* Layer.build(Client.layer(Client.settings(Redacted.make(through(proxy, url)), bounds)))
      yield* Effect.gen(function*() {
        const before = yield* pid
        yield* proxy.set("black hole")
        yield* Effect.timeoutOption(pid, "100 millis")
        yield* proxy.set("clear")
        const after = yield* Effect.timeoutOption(Effect.disconnect(pid), "10 seconds")
        expect(Option.isSome(after)).toBe(true)
        expect(after).not.toEqual(Option.some(before))
      }).pipe(Effect.provide(context))
    }))

  it.live("bounds the wait for a pooled connection", () =>
    Effect.gen(function*() {
      const inside = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(transact(Effect.zipRight(Deferred.succeed(inside, undefined), Effect.never)))
      yield* Deferred.await(inside)
      expect(yield* Effect.flip(transact(pid))).toMatchObject({ _tag: "StoreUnavailable" })
      yield* Fiber.interrupt(holder)
      expect(yield* transact(pid)).toBeGreaterThan(0)
    }).pipe(Effect.provide(freshPostgres([], { maxConnections: 1, connectTimeout: Duration.millis(500) }))))

  it.live("an interrupted statement is cancelled on the server", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const asleep = sql<{ n: number }>`
        select count(*) as n from pg_stat_activity where query like '%pg_sleep(31)%' and state = 'active' and pid <> pg_backend_pid()`
      const until = (n: number) => Effect.repeat(asleep, { until: ([row]) => row?.n === n })
      const sleeper = yield* Effect.fork(sql`select pg_sleep(31)`)
      yield* until(1)
      yield* Fiber.interrupt(sleeper)
      yield* until(0)
    }).pipe(Effect.provide(freshPostgres([]))))
})

const made = (id: number): Migrate.Migration => ({
  id,
  name: `made ${id}`,
  run: Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.asVoid(sql.unsafe(`create table made_${id} ()`)))
})

describe("many processes at once", () => {
  it.live("migrate an empty database, each migration once", () =>
    Effect.scoped(Effect.gen(function*() {
      const url = yield* freshUrl
      const migrations = [1, 2, 3, 4, 5].map(made)
      const one = Migrate.migrate(migrations).pipe(
        Effect.provide([Client.layer(Client.settings(url, { maxConnections: 1 })), tables])
      )
      const applied = yield* Effect.all(Array.from({ length: 12 }, () => one), { concurrency: "unbounded" })
      expect(applied.flat().toSorted()).toEqual(migrations.map((migration) => migration.name))
    })))
})
