import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { Sessions } from "../../../src/adapters/postgres/Session.js"
import type { Session } from "../../../src/adapters/postgres/Session.js"
import * as WakeUpsInSql from "../../../src/adapters/postgres/WakeUps.js"
import { WakeUps } from "../../../src/domain/job/WakeUps.js"
import { StoreUnavailable } from "../../../src/domain/store/StoreFailure.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"

/** Sessions that say nothing by themselves, and the test's hold on the latest. */
const scripted = Effect.gen(function*() {
  const lost = yield* Deferred.make<never, StoreUnavailable>()
  const script = { opened: 0, lost, say: (_payload: string) => {} }
  const session: Session = {
    query: () => Effect.succeed([]),
    listen: (_channel, hear) =>
      Effect.sync(() => {
        script.say = hear
      }),
    lost: Deferred.await(lost)
  }
  const open = Effect.sync(() => {
    script.opened += 1
    return script.opened === 1 ? session : { ...session, lost: Effect.never }
  })
  const wakeUps = yield* Layer.build(Layer.provide(WakeUpsInSql.layer, Layer.succeed(Sessions, { open })))
  return { script, next: Effect.provide(Effect.flatMap(WakeUps, (bell) => bell.next(3_600_000)), wakeUps) }
})

/** Lets every fiber go as far as it can without time or an outside event. */
const settled = TestClock.adjust(0)

describe("wake-ups by a session", () => {
  it.scoped("open none before somebody waits, and one for all who do", () =>
    Effect.gen(function*() {
      const { next, script } = yield* scripted
      yield* settled
      expect(script.opened).toBe(0)
      yield* next
      const waiting = yield* Effect.all([Effect.fork(next), Effect.fork(next)])
      yield* settled
      script.say(yield* Tenant)
      yield* Fiber.joinAll(waiting)
      expect(script.opened).toBe(1)
    }))

  it.scoped("ring when the session is lost, and again when another one listens", () =>
    Effect.gen(function*() {
      const { next, script } = yield* scripted
      yield* next
      const first = yield* Effect.fork(next)
      yield* settled
      yield* Deferred.fail(script.lost, new StoreUnavailable({ detail: "cut" }))
      yield* Fiber.join(first)
      const second = yield* Effect.fork(next)
      yield* settled
      expect(yield* Fiber.status(second)).toMatchObject({ _tag: "Suspended" })
      yield* TestClock.adjust("50 millis")
      yield* Fiber.join(second)
      expect(script.opened).toBe(2)
    }))

  it.scoped("keep a ring that comes while the one before wakes the waiter", () =>
    Effect.gen(function*() {
      const { next, script } = yield* scripted
      yield* next
      const waiting = yield* Effect.fork(next)
      yield* settled
      script.say(yield* Tenant)
      script.say(yield* Tenant)
      yield* Fiber.join(waiting)
      yield* next
    }))
})
