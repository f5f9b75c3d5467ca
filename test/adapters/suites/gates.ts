import type * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import type { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { GateRef } from "../../../src/domain/session/Gate.js"
import { Gates } from "../../../src/domain/session/Gates.js"
import { RateLimited } from "../../../src/domain/failure/Failure.js"
import { Pacer } from "../../../src/domain/retry/Pacer.js"
import type { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Outcomes from "../../support/Outcomes.js"
import * as Kit from "./queueKit.js"

const slowDown = new RateLimited({ provider: "ollama", detail: "429" })

const ollama = GateRef.make({ kind: "provider", name: "ollama" })
const session = GateRef.make({ kind: "session", name: "backend" })

const later = (duration: Duration.DurationInput) =>
  Effect.sync(() => Option.some(DateTime.addDuration(DateTime.unsafeNow(), duration)))

const minutes = (duration: Option.Option<Duration.Duration>) =>
  Option.map(duration, (wait) => Math.ceil(Duration.toMinutes(wait)))

/** What every back end's gates do. */
export const gates = (backend: Backend) =>
  describe(`gates and cooldowns on ${backend.name}`, () => {
    it.layer(backend.fresh(all), { timeout: "60 seconds" })((it) => {
      const test = <E>(
        name: string,
        body: () => Effect.Effect<void, E, JobQueue | Gates | Pacer | Tenant | SqlClient.SqlClient | Tables>
      ) => it.effect(name, () => Kit.alone(body()))

      test("a gate is closed by one of many callers", () =>
        Effect.gen(function*() {
          const gates = yield* Gates
          const closers = Array.from({ length: 20 }, () => gates.close(session, "sign-in", Option.none(), "expired"))
          const answers = yield* Effect.all(closers, { concurrency: "unbounded" })
          expect(answers.filter((first) => first).length).toBe(1)
          expect((yield* gates.closed).map(({ detail, reason, ref }) => ({ detail, reason, ref }))).toEqual([
            { ref: session, reason: "sign-in", detail: "expired" }
          ])
        }))

      test("an opened gate can be closed anew, an open one cannot be opened", () =>
        Effect.gen(function*() {
          const gates = yield* Gates
          expect(yield* gates.open(ollama)).toBe(false)
          yield* gates.close(ollama, "key", Option.none(), "401")
          expect(yield* gates.open(ollama)).toBe(true)
          expect(yield* gates.open(ollama)).toBe(false)
          expect(yield* gates.closed).toEqual([])
          expect(yield* gates.close(ollama, "budget", Option.none(), "402")).toBe(true)
        }))

      test("work behind a closed gate is left out, other work is not", () =>
        Effect.gen(function*() {
          const gates = yield* Gates
          yield* Kit.enqueue("pets")
          yield* Kit.enqueue("cars", { provider: "openai" })
          yield* gates.close(ollama, "key", Option.none(), "401")
          expect((yield* Kit.claim(5)).map(({ job }) => job.key)).toEqual(["cars"])
          expect(yield* Kit.nextReadyIn).toEqual(Option.none())
          yield* gates.open(ollama)
          expect((yield* Kit.claim(5)).map(({ job }) => job.key)).toEqual(["pets"])
        }))

      test("a gate opens by itself when its time has passed", () =>
        Effect.gen(function*() {
          const gates = yield* Gates
          yield* Kit.enqueue("pets")
          yield* gates.close(ollama, "budget", yield* later("30 minutes"), "402")
          expect(yield* Kit.claim(1)).toEqual([])
          expect(minutes(yield* Kit.nextReadyIn)).toEqual(Option.some(30))
          yield* Kit.pass("31 minutes")
          expect(yield* gates.closed).toEqual([])
          expect(yield* gates.open(ollama)).toBe(false)
          expect((yield* Kit.claim(1)).length).toBe(1)
        }))

      test("a gate whose time has passed is closed anew by the next one who sees a reason", () =>
        Effect.gen(function*() {
          const gates = yield* Gates
          yield* gates.close(ollama, "budget", yield* later("1 minute"), "402")
          yield* Kit.pass("2 minutes")
          expect(yield* gates.close(ollama, "key", Option.none(), "401")).toBe(true)
          expect((yield* gates.closed).map(({ reason, until }) => [reason, until])).toEqual([["key", Option.none()]])
        }))

      test("a cooling provider's work is left out until the cooldown is over", () =>
        Effect.gen(function*() {
          const gates = yield* Gates
          yield* Kit.enqueue("pets")
          yield* Kit.cool("ollama", "10 minutes")
          expect(yield* Kit.claim(1)).toEqual([])
          expect(minutes(yield* Kit.nextReadyIn)).toEqual(Option.some(10))
          yield* Kit.pass("11 minutes")
          expect(yield* gates.cooling).toEqual([])
          expect((yield* Kit.claim(1)).length).toBe(1)
        }))

      test("the longer of two cooldowns stands, and none lasts longer than a day", () =>
        Effect.gen(function*() {
          const gates = yield* Gates
          yield* Kit.cool("ollama", "10 minutes")
          yield* Kit.cool("ollama", "5 minutes")
          yield* Kit.cool("openai", Duration.infinity)
          const left = yield* Effect.forEach(yield* gates.cooling, ({ until }) => Kit.minutesFromNow(until))
          expect(left).toEqual([10, 24 * 60])
        }))

      test("an ended cooldown holds nothing any more: neither calls, nor the jobs that it sent back", () =>
        Effect.gen(function*() {
          const gates = yield* Gates
          const pacer = yield* Pacer
          const [pets, cars] = [yield* Kit.begun("pets"), yield* Kit.begun("cars")]
          yield* Kit.cool("ollama", "10 hours")
          yield* Kit.settle(pets, Outcomes.cooled(slowDown, Duration.hours(10), false))
          yield* Kit.settle(cars, Outcomes.retried(Kit.unavailable, Duration.hours(1)))
          expect(yield* gates.endCooldown("openai")).toBe(false)
          expect(yield* gates.endCooldown("ollama")).toBe(true)
          expect(yield* gates.endCooldown("ollama")).toBe(false)
          expect(yield* gates.cooling).toEqual([])
          expect(yield* pacer.isFree("ollama")).toBe(true)
          expect(yield* Kit.nextReadyIn).toEqual(Option.some(Duration.zero))
          // What waits for its own backoff goes on waiting.
          expect((yield* Kit.claim(5)).map(({ job }) => job.key)).toEqual(["pets"])
        }))

      test("one tenant's gates and cooldowns mean nothing to another", () =>
        Effect.gen(function*() {
          const gates = yield* Gates
          yield* gates.close(ollama, "key", Option.none(), "401")
          yield* Kit.cool("ollama", "10 minutes")
          const elsewhere = Effect.gen(function*() {
            yield* Kit.enqueue("pets")
            expect((yield* Kit.claim(1)).length).toBe(1)
            return yield* Effect.flatMap(Gates, (gates) => gates.closed)
          })
          expect(yield* Effect.provide(elsewhere, Kit.queueOf(Kit.newTenant()))).toEqual([])
        }))
    })
  })
