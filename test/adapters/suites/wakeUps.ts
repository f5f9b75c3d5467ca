import type * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, layer } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import type { DedicatedConnections } from "../../../src/adapters/postgres/driver/DedicatedConnection.js"
import * as WakeUpsInSql from "../../../src/adapters/postgres/jobs/WakeUps.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import type { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { WakeUps } from "../../../src/domain/job/WakeUps.js"
import { GateRef } from "../../../src/domain/session/Gate.js"
import { Gates } from "../../../src/domain/session/Gates.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import { notingLatch } from "../../support/NotingLatch.js"
import * as Kit from "./queueKit.js"

type Service = JobQueue | Gates | WakeUps | Tenant | SqlClient.SqlClient | Tables

/** Ends with the next ring from now on, and answers whether one came in time. */
export const rung = (atMost: Duration.DurationInput) =>
  Effect.scoped(Effect.gen(function*() {
    const bell = yield* Effect.makeLatch()
    const tenant = yield* Tenant
    yield* Effect.flatMap(WakeUps, (wakeUps) => wakeUps.hear([tenant], bell))
    return Option.isSome(yield* Effect.timeoutOption(bell.await, atMost))
  }))

/** Rings until the session listens, and then until nothing is left to be heard. */
export const listening: Effect.Effect<void, unknown, Service> = Effect.gen(function*() {
  const heard = yield* Effect.fork(rung("100 millis"))
  yield* Effect.yieldNow()
  yield* Kit.enqueue("bell")
  if (!(yield* Fiber.join(heard))) return yield* listening
  while (yield* rung("50 millis"));
})

/** Runs with the queue, the gates and the wake-ups of a tenant of its own. */
export const awake = <A, E>(effect: Effect.Effect<A, E, Service>) =>
  Effect.suspend(() => Effect.provide(effect, Layer.merge(Kit.queueOf(Kit.newTenant()), WakeUpsInSql.layer)))

/** What happens rings within two seconds. */
export const wokenBy = (cause: Effect.Effect<unknown, unknown, Service>) =>
  Effect.gen(function*() {
    const ring = yield* Effect.fork(rung("2 seconds"))
    yield* Effect.yieldNow()
    yield* cause
    expect(yield* Fiber.join(ring)).toBe(true)
  })

/** What every back end's wake-ups do. */
export const wakeUps = (backend: Backend) =>
  describe(`wake-ups on ${backend.name}`, () => {
    layer(backend.fresh(all), { timeout: "60 seconds", excludeTestServices: true })((it) => {
      const test = <E>(name: string, body: () => Effect.Effect<void, E, Service>): void =>
        it.effect(
          name,
          (): Effect.Effect<void, E, SqlClient.SqlClient | Tables | DedicatedConnections> => awake(body())
        )

      test("an enqueued job rings for all who hear", () =>
        Effect.gen(function*() {
          yield* listening
          const other = yield* Effect.fork(rung("2 seconds"))
          yield* wokenBy(Kit.enqueue("pets"))
          expect(yield* Fiber.join(other)).toBe(true)
        }))

      test("an opened gate rings", () =>
        Effect.gen(function*() {
          const gates = yield* Gates
          const gate = GateRef.make({ kind: "session", name: "backend" })
          yield* gates.close(gate, "sign-in", Option.none(), "")
          yield* listening
          yield* wokenBy(gates.open(gate))
        }))

      test("the first ring is that hints are heard now, since those before it were not", () =>
        Effect.gen(function*() {
          expect(yield* rung("5 seconds")).toBe(true)
        }))

      test("nothing rings when nothing happens", () =>
        Effect.gen(function*() {
          yield* listening
          expect(yield* rung("200 millis")).toBe(false)
        }))

      test("another tenant's work rings for nobody", () =>
        Effect.gen(function*() {
          yield* listening
          const ring = yield* Effect.fork(rung("500 millis"))
          yield* Effect.yieldNow()
          yield* Effect.provide(Kit.enqueue("pets"), Kit.queueOf(Kit.newTenant()))
          expect(yield* Fiber.join(ring)).toBe(false)
        }))

      test("one hearer hears the work of every tenant that it names", () =>
        Effect.gen(function*() {
          yield* listening
          const [mine, other] = [yield* Tenant, Kit.newTenant()]
          const bell = yield* Effect.makeLatch()
          yield* Effect.flatMap(WakeUps, (wakeUps) => wakeUps.hear([mine, other], bell))
          for (const tenant of [other, mine]) {
            yield* bell.close
            yield* Effect.provide(Kit.enqueue("pets"), Kit.queueOf(tenant))
            expect(yield* Effect.timeoutOption(bell.await, "2 seconds")).toEqual(Option.some(undefined))
          }
        }).pipe(Effect.scoped))

      test("nobody is rung once its scope is over", () =>
        Effect.gen(function*() {
          let rings = 0
          const tenant = yield* Tenant
          const latch = notingLatch(() => rings += 1)
          const hearing = Effect.flatMap(WakeUps, (wakeUps) => wakeUps.hear([tenant], latch))
          yield* listening
          yield* Effect.scoped(hearing)
          yield* wokenBy(Kit.enqueue("pets"))
          expect(rings).toBe(0)
        }))
    })
  })
