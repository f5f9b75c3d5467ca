import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import { join } from "node:path"
import * as Client from "../../../src/adapters/pglite/Client.js"
import * as EngineThread from "../../../src/adapters/pglite/EngineThread.js"
import * as SqlFailure from "../../../src/adapters/postgres/driver/SqlFailure.js"
import { transact } from "../../../src/adapters/postgres/driver/transact.js"
import { freshPglite, readyDirectory } from "../../support/Databases.js"

/** Busy for about this long, without a way to be cancelled. */
const busy = (seconds: number) => Effect.flatMap(SqlClient.SqlClient, (sql) => sql`select pg_sleep(${seconds})`)

const engine = Effect.flatMap(readyDirectory, (directory) => EngineThread.start(join(directory, "postgres")))

layer(freshPglite([]), { excludeTestServices: true, timeout: "60 seconds" })("the embedded database", (it) => {
  it.effect("leaves the event loop free while it works", () =>
    Effect.gen(function*() {
      const ticks = yield* Ref.make(0)
      const ticking = yield* Effect.fork(
        Ref.update(ticks, (n) => n + 1).pipe(Effect.delay("10 millis"), Effect.forever)
      )
      yield* busy(1)
      yield* Fiber.interrupt(ticking)
      expect(yield* Ref.get(ticks)).toBeGreaterThan(20)
    }))

  it.effect("lets go of an interrupted statement at once, and runs the next one after it", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const fiber = yield* Effect.fork(busy(1))
      yield* Effect.yieldNow()
      const [took] = yield* Effect.timed(Fiber.interrupt(fiber))
      expect(Duration.toMillis(took)).toBeLessThan(500)
      expect(yield* sql`select 1 as one`).toEqual([{ one: 1 }])
    }))

  it.effect(
    "keeps other statements out of a transaction, and waiting for one can be interrupted",
    () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        yield* sql`create table seen (n int)`
        const inside = yield* Deferred.make<void>()
        const leave = yield* Deferred.make<void>()
        const holder = yield* Effect.fork(transact(
          sql`insert into seen values (1)`.pipe(
            Effect.zipRight(Deferred.succeed(inside, undefined)),
            Effect.zipRight(Deferred.await(leave))
          )
        ))
        yield* Deferred.await(inside)
        const waiting = yield* Effect.fork(transact(sql`insert into seen values (2)`))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(waiting)
        const counted = yield* Effect.fork(sql`select count(*) as n from seen`)
        yield* Deferred.succeed(leave, undefined)
        yield* Fiber.join(holder)
        expect(yield* Fiber.join(counted)).toEqual([{ n: 1 }])
      })
  )
})

describe("the engine", () => {
  it.scopedLive("that dies fails what runs and what comes later, and says so", () =>
    Effect.gen(function*() {
      const running = yield* engine
      const asleep = yield* Effect.fork(Effect.flip(SqlFailure.renamed(running.ask("select pg_sleep(30)", []))))
      const told = yield* Effect.fork(Effect.flip(SqlFailure.renamed(running.lost)))
      yield* Effect.yieldNow()
      yield* running.abandon
      expect(yield* Fiber.join(asleep)).toMatchObject({ _tag: "EngineStopped" })
      expect(yield* Fiber.join(told)).toMatchObject({ _tag: "EngineStopped" })
      expect(yield* Effect.flip(SqlFailure.renamed(running.ask("select 1", [])))).toMatchObject({
        _tag: "EngineStopped"
      })
    }), 60_000)

  it.live("stops within its deadline when a statement does not end", () =>
    Effect.gen(function*() {
      const [took] = yield* Effect.timed(Effect.scoped(Effect.gen(function*() {
        const running = yield* engine
        yield* Effect.fork(running.ask("select pg_sleep(60)", []))
        yield* Effect.yieldNow()
      })))
      expect(Duration.toSeconds(took)).toBeLessThan(20)
    }), 60_000)

  it.live("serves from memory when no directory is named", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`create extension vector`
      const [row] = yield* sql`select ${"[1,2]"}::vector as v, ${"[1,2]"}::vector <=> ${"[1,2]"}::vector as distance`
      expect(row).toEqual({ v: "[1,2]", distance: 0 })
    }).pipe(Effect.provide(Client.memory)), 60_000)
})
