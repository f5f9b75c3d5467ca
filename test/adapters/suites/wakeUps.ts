import type * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import type { Sessions } from "../../../src/adapters/postgres/Session.js"
import * as WakeUpsInSql from "../../../src/adapters/postgres/WakeUps.js"
import type { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { WakeUps } from "../../../src/domain/job/WakeUps.js"
import { GateRef } from "../../../src/domain/session/Gate.js"
import { Gates } from "../../../src/domain/session/Gates.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Kit from "./queueKit.js"

type Service = JobQueue | Gates | WakeUps | Tenant | SqlClient.SqlClient

/** Longer than a test may take: what ends before it was woken. */
const forEver = Duration.toMillis("10 minutes")

/** Rings until the session listens, and then until nothing is left to be heard. */
export const listening: Effect.Effect<void, unknown, Service> = Effect.gen(function*() {
  const wakeUps = yield* WakeUps
  const heard = yield* Effect.fork(Effect.timeoutOption(wakeUps.next(forEver), "100 millis"))
  yield* Kit.enqueue("bell")
  if (Option.isNone(yield* Fiber.join(heard))) return yield* listening
  yield* Effect.flatMap(wakeUps.next(50), () => Effect.void)
})

/** Runs with the queue, the gates and the wake-ups of a tenant of its own. */
export const awake = <A, E>(effect: Effect.Effect<A, E, Service>) =>
  Effect.suspend(() => {
    const tenant = Kit.newTenant()
    const wakeUps = Layer.provide(WakeUpsInSql.layer, Layer.succeed(Tenant, tenant))
    return Effect.provide(effect, Layer.mergeAll(Kit.queueOf(tenant), wakeUps))
  })

const wokenBy = (cause: Effect.Effect<unknown, unknown, Service>) =>
  Effect.gen(function*() {
    const wakeUps = yield* WakeUps
    const waiting = yield* Effect.fork(wakeUps.next(forEver))
    yield* Effect.yieldNow()
    yield* cause
    const [elapsed] = yield* Effect.timed(Fiber.join(waiting))
    expect(Duration.toMillis(elapsed)).toBeLessThan(2000)
  })

/** What every back end's wake-ups do. */
export const wakeUps = (backend: Backend) =>
  describe(`wake-ups on ${backend.name}`, () => {
    layer(backend.fresh(all), { timeout: "60 seconds", excludeTestServices: true })((it) => {
      const test = <E>(name: string, body: () => Effect.Effect<void, E, Service>): void =>
        it.effect(name, (): Effect.Effect<void, E, SqlClient.SqlClient | Sessions> => awake(body()))

      test("an enqueued job wakes who waits", () => Effect.zipRight(listening, wokenBy(Kit.enqueue("pets"))))

      test("an opened gate wakes who waits", () =>
        Effect.gen(function*() {
          const gates = yield* Gates
          const gate = GateRef.make({ kind: "session", name: "backend" })
          yield* gates.close(gate, "sign-in", Option.none(), "")
          yield* listening
          yield* wokenBy(gates.open(gate))
        }))

      test("a hint that comes while nobody waits is kept for the next one", () =>
        Effect.gen(function*() {
          const wakeUps = yield* WakeUps
          yield* listening
          yield* Kit.enqueue("pets")
          yield* wakeUps.next(forEver)
        }))

      test("the first wait ends once hints are heard, since those before it were not", () =>
        Effect.gen(function*() {
          const wakeUps = yield* WakeUps
          const [elapsed] = yield* Effect.timed(wakeUps.next(forEver))
          expect(Duration.toMillis(elapsed)).toBeLessThan(5000)
        }))

      test("the wait ends when what it is told to wait for ends sooner", () =>
        Effect.gen(function*() {
          const wakeUps = yield* WakeUps
          yield* listening
          const ended = yield* Deferred.make<void>()
          const waiting = yield* Effect.fork(wakeUps.next(forEver, Deferred.await(ended)))
          yield* Effect.yieldNow()
          expect(yield* Fiber.poll(waiting)).toEqual(Option.none())
          yield* Deferred.succeed(ended, undefined)
          yield* Fiber.join(waiting)
        }))

      test("the wait ends by itself when nothing happens", () =>
        Effect.gen(function*() {
          const wakeUps = yield* WakeUps
          yield* listening
          const [elapsed] = yield* Effect.timed(wakeUps.next(200))
          expect(Duration.toMillis(elapsed)).toBeGreaterThan(150)
        }))

      test("another tenant's work wakes nobody", () =>
        Effect.gen(function*() {
          const wakeUps = yield* WakeUps
          yield* listening
          const waiting = yield* Effect.fork(Effect.timed(wakeUps.next(500)))
          yield* Effect.provide(Kit.enqueue("pets"), Kit.queueOf(Kit.newTenant()))
          const [elapsed] = yield* Fiber.join(waiting)
          expect(Duration.toMillis(elapsed)).toBeGreaterThan(450)
        }))

      test("waiting can be interrupted", () =>
        Effect.gen(function*() {
          const wakeUps = yield* WakeUps
          const waiting = yield* Effect.fork(wakeUps.next(forEver))
          yield* Effect.yieldNow()
          const [elapsed] = yield* Effect.timed(Fiber.interrupt(waiting))
          expect(Duration.toMillis(elapsed)).toBeLessThan(1000)
        }))
    })
  })
