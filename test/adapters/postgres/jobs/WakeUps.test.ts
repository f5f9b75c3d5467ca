import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { DedicatedConnections } from "../../../../src/adapters/postgres/driver/DedicatedConnection.js"
import type { DedicatedConnection } from "../../../../src/adapters/postgres/driver/DedicatedConnection.js"
import * as WakeUpsInSql from "../../../../src/adapters/postgres/jobs/WakeUps.js"
import { named, Tables } from "../../../../src/adapters/postgres/driver/Tables.js"
import { WakeUps } from "../../../../src/domain/job/WakeUps.js"
import { StoreUnavailable } from "../../../../src/domain/store/StoreFailure.js"
import { notingLatch } from "../../../support/NotingLatch.js"

const own = "own"

/** DedicatedConnections that say nothing by themselves, and the test's hold on the latest. */
const scripted = Effect.gen(function*() {
  const lost = yield* Deferred.make<never, StoreUnavailable>()
  const script = { opened: 0, lost, say: (_payload: string) => {} }
  const session: DedicatedConnection = {
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
  const wakeUps = yield* Layer.build(Layer.provide(WakeUpsInSql.layer, [
    Layer.succeed(DedicatedConnections, { open }),
    Layer.succeed(Tables, named("holdfast"))
  ]))
  const rings: Array<string> = []
  const hear = (name: string, tenants: ReadonlyArray<string> = [own]) =>
    Effect.flatMap(WakeUps, (wakeUps) => wakeUps.hear(tenants, notingLatch(() => rings.push(name)))).pipe(
      Effect.provide(wakeUps)
    )
  return { script, rings, hear }
})

/** Lets every fiber go as far as it can without time or an outside event. */
const settled = TestClock.adjust(0)

describe("wake-ups by a session", () => {
  it.scoped("open none before somebody hears, and one for all who do", () =>
    Effect.gen(function*() {
      const { hear, rings, script } = yield* scripted
      yield* settled
      expect(script.opened).toBe(0)
      yield* hear("one")
      yield* hear("two")
      yield* settled
      expect(rings).toEqual(["one", "two"])
      script.say(own)
      expect(rings).toEqual(["one", "two", "one", "two"])
      expect(script.opened).toBe(1)
    }))

  it.scoped("ring whose tenant they name, and nobody else", () =>
    Effect.gen(function*() {
      const { hear, rings, script } = yield* scripted
      yield* hear("one")
      yield* hear("two", ["another", "third"])
      yield* settled
      rings.length = 0
      script.say("another")
      expect(rings).toEqual(["two"])
      script.say("third")
      expect(rings).toEqual(["two", "two"])
      script.say("nobody")
      expect(rings).toEqual(["two", "two"])
    }))

  it.scoped("ring when the session is lost, and again when another one listens", () =>
    Effect.gen(function*() {
      const { hear, rings, script } = yield* scripted
      yield* hear("one")
      yield* settled
      expect(rings.length).toBe(1)
      yield* Deferred.fail(script.lost, new StoreUnavailable({ detail: "cut" }))
      yield* settled
      expect(rings.length).toBe(2)
      yield* TestClock.adjust("50 millis")
      expect([rings.length, script.opened]).toEqual([3, 2])
    }))

  it.scoped("open each latch for as long as its scope lasts", () =>
    Effect.gen(function*() {
      const { hear, rings, script } = yield* scripted
      yield* hear("one")
      yield* Effect.scoped(Effect.gen(function*() {
        yield* hear("one")
        yield* settled
        rings.length = 0
        script.say(own)
        expect(rings.length).toBe(2)
      }))
      script.say(own)
      expect(rings.length).toBe(3)
    }))

  it.scoped("ring for nobody where another tenant is told of", () =>
    Effect.gen(function*() {
      const { hear, rings, script } = yield* scripted
      yield* hear("one")
      yield* settled
      script.say("another")
      expect(rings.length).toBe(1)
    }))
})
