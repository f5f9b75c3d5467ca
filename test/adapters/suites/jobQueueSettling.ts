import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Control from "../../../src/adapters/postgres/jobs/control.js"
import { writesRefused } from "../../../src/adapters/postgres/jobs/staleWrite.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import { MalformedResponse } from "../../../src/domain/failure/Failure.js"
import { Progress } from "../../../src/domain/job/Job.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { Outcome } from "../../../src/domain/job/Outcome.js"
import { GateRef } from "../../../src/domain/session/Gate.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import * as Kit from "./queueKit.js"
import * as Outcomes from "../../support/Outcomes.js"

const progress = Progress.make({ done: 2, total: 3, detail: { read: 1 } })
const retried = Outcomes.retried(Kit.unavailable, Duration.minutes(10))
const broken = new MalformedResponse({ provider: "ollama", detail: "no vectors" })
const halted = Outcomes.halted(Kit.unavailable)
const parked = Outcomes.parked(Kit.unavailable, GateRef.make({ kind: "provider", name: "ollama" }), "key")
const cooled = (refunded: boolean) => Outcomes.cooled(Kit.unavailable, Duration.minutes(5), refunded)

type Test = <E>(
  name: string,
  body: () => Effect.Effect<void, E, JobQueue | Tenant | SqlClient.SqlClient | Tables>
) => void

/** How attempts end, in words or without one. */
export const settlements = (test: Test) => {
  describe("settle", () => {
    test("ends a complete job as succeeded, or as partial where its kind left something out, and keeps its output", () =>
      Effect.gen(function*() {
        const whole = yield* Kit.begun("whole")
        const output = { sent: ["a", null, 1.5], by: "post" }
        expect((yield* Kit.settle(whole, Outcome.Completed({ output, partial: false }))).status).toBe("succeeded")
        expect((yield* Kit.find(whole)).output).toEqual(output)
        const most = yield* Kit.begun("most")
        yield* Kit.fenced(most, progress)
        expect((yield* Kit.settle(most, Outcome.Completed({ output: null, partial: true }))).status).toBe("partial")
        const stored = yield* Kit.find(most)
        expect([stored.progress, stored.output]).toEqual([progress, null])
      }))

    test("keeps since when a provider is down, over all failures of that kind in a row", () =>
      Effect.gen(function*() {
        const down = Effect.map(Effect.flatMap(JobQueue, (queue) => queue.list({ limit: 1 })), ([job]) =>
          Option.getOrThrow(job?.lastError ?? Option.none()))
        const tryAgain = Effect.zipRight(Kit.pass("20 minutes"), Kit.claimOne())
        yield* Kit.settle(yield* Kit.begun("pets", { maxAttempts: 9 }), retried)
        const { at, since } = yield* down
        expect(since).toEqual(at)
        yield* Kit.settle(yield* tryAgain, retried)
        const second = yield* down
        expect(second.at).not.toEqual(at)
        expect(second.since).toEqual(at)
        yield* Kit.settle(yield* tryAgain, Outcomes.retried(broken, Duration.minutes(10)))
        expect((yield* down).since).toBe(undefined)
        yield* Kit.settle(yield* tryAgain, retried)
        const anew = yield* down
        expect(anew.since).toEqual(anew.at)
        const held = yield* tryAgain
        yield* Kit.fenced(held, progress)
        yield* Kit.settle(held, retried)
        const afterProgress = yield* down
        expect(afterProgress.since).toEqual(afterProgress.at)
      }))

    test("ends all the complete jobs of one claim in one statement, each with its own output", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        for (const key of ["a", "b", "c"]) yield* Kit.enqueue(key)
        const [first, ...others] = yield* Kit.claim(3)
        if (first === undefined) return expect.fail("nothing was claimed")
        yield* queue.cancel(first.job.id)
        const ends = [first, ...others].map((held) => ({
          held,
          outcome: Outcome.Completed({ output: held.job.key === "b" ? "it is b" : null, partial: false })
        }))
        expect(yield* queue.settleAll(ends)).toEqual(new Set(others.map(({ job }) => job.id)))
        const stored = yield* Effect.forEach(others, Kit.find)
        expect(stored.map(({ output, status }) => [status, output])).toEqual([
          ["succeeded", "it is b"],
          ["succeeded", null]
        ])
      }))

    test("sends what its holder could not end back to pending, ready at once, and takes no attempt", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        expect((yield* Kit.settle(held, Outcome.Released())).status).toBe("pending")
        const again = yield* Kit.claimOne()
        expect([again.job.id, again.job.attempts]).toEqual([held.job.id, 1])
      }))

    for (
      const [what, change] of [
        ["its version", { version: "two" }],
        ["its payload", { payload: { text: "two" } }]
      ] as const
    ) {
      test(`runs a job once more, as another run, where ${what} changed meanwhile and was asked for`, () =>
        Effect.gen(function*() {
          const first = { version: "one", payload: { text: "one" } }
          const held = yield* Kit.begun("pets", first)
          expect((yield* Kit.enqueue("pets", { ...first, ...change })).status)
            .toBe(
              "running"
            )
          expect((yield* Kit.settle(held, Outcome.Completed({ output: "old", partial: false }))).status).toBe("pending")
          const again = yield* Kit.claimOne()
          expect([again.job.attempts, again.job.run]).toEqual([1, held.job.run + 1])
          expect(yield* Kit.find(again)).toMatchObject({ ...first, output: null, ...change })
          expect((yield* Kit.settle(again, Outcomes.completed)).status).toBe("succeeded")
        }))
    }

    test("runs again what was asked for once more while it ran, though nothing changed", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        expect((yield* Kit.enqueue("pets", { ifRunning: "again" })).status).toBe("running")
        expect((yield* Kit.settle(held, Outcomes.completed)).status).toBe("pending")
        expect((yield* Kit.settle(yield* Kit.claimOne(), Outcomes.completed)).status).toBe("succeeded")
      }))

    test("does not run again what was only asked for twice", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        yield* Kit.enqueue("pets")
        expect((yield* Kit.settle(held, Outcomes.completed)).status).toBe("succeeded")
      }))

    test("runs a job that failed again where something else was asked for meanwhile", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        yield* Kit.enqueue("pets", { version: "two" })
        expect((yield* Kit.settle(held, halted)).status).toBe("pending")
        const again = yield* Kit.claimOne()
        expect(again.job.attempts).toBe(1)
        expect((yield* Kit.settle(again, halted)).status).toBe("failed")
      }))

    test("waits the delay of a retry, keeps the error, and fails where the attempts are spent", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets", { maxAttempts: 2 })
        expect((yield* Kit.settle(held, retried)).status).toBe("pending")
        const job = yield* Kit.find(held)
        expect(yield* Kit.minutesFromNow(job.runAt)).toBe(10)
        expect(Option.map(job.lastError, ({ detail, tag }) => ({ detail, tag }))).toEqual(
          Option.some({ tag: "ProviderUnavailable", detail: "503" })
        )
        expect(yield* Kit.claim(1)).toEqual([])
        yield* Kit.pass("11 minutes")
        const last = yield* Kit.claimOne()
        expect((yield* Kit.settle(last, retried)).status).toBe("failed")
        expect((yield* Kit.find(last)).attempts).toBe(2)
      }))

    test("gives the attempt back where the provider or the worker is to blame", () =>
      Effect.gen(function*() {
        for (const outcome of [cooled(true), parked, Outcome.Released()]) {
          const held = yield* Kit.begun(outcome._tag)
          expect((yield* Kit.settle(held, outcome)).status).toBe("pending")
          const job = yield* Kit.find(held)
          expect([outcome._tag, job.attempts]).toEqual([outcome._tag, 0])
          expect(yield* Kit.minutesFromNow(job.runAt)).toBe(outcome._tag === "Cooled" ? 5 : 0)
          yield* Effect.flatMap(JobQueue, (queue) => queue.cancel(job.id))
        }
      }))

    test("adds up the waits that the provider named, until there is progress", () =>
      Effect.gen(function*() {
        yield* Kit.settle(yield* Kit.begun("pets"), cooled(true))
        yield* Kit.pass("6 minutes")
        const second = yield* Kit.claimOne()
        yield* Kit.settle(second, cooled(true))
        expect(Duration.toMinutes((yield* Kit.find(second)).cooled)).toBe(10)
        yield* Kit.pass("6 minutes")
        const third = yield* Kit.claimOne()
        yield* Kit.fenced(third, progress)
        expect(Duration.toMinutes((yield* Kit.find(third)).cooled)).toBe(0)
        yield* Kit.settle(third, cooled(false))
        const job = yield* Kit.find(third)
        expect([Duration.toMinutes(job.cooled), job.attempts]).toEqual([0, 1])
      }))

    test("puts a parked job behind the gate that closed, whatever it stood behind before", () =>
      Effect.gen(function*() {
        const session = GateRef.make({ kind: "session", name: "backend" })
        const held = yield* Kit.begun("pets")
        yield* Kit.settle(held, Outcomes.parked(Kit.unavailable, session, "sign-in"))
        expect(yield* Kit.find(held)).toMatchObject({ provider: "ollama", session: "backend" })
        const other = GateRef.make({ kind: "provider", name: "openai" })
        yield* Kit.settle(yield* Kit.claimOne(), Outcomes.parked(Kit.unavailable, other, "key"))
        expect(yield* Kit.find(held)).toMatchObject({ provider: "openai", session: "backend" })
      }))

    test("ends halted and cancelled jobs for good", () =>
      Effect.gen(function*() {
        const one = yield* Kit.begun("a")
        expect(yield* Kit.settle(one, halted)).toEqual({ status: "failed", runAt: Option.none() })
        const two = yield* Kit.begun("b")
        expect(yield* Kit.settle(two, Outcome.Cancelled())).toEqual({ status: "cancelled", runAt: Option.none() })
        expect(Option.isSome((yield* Kit.find(two)).finishedAt)).toBe(true)
        expect(yield* Kit.claim(5)).toEqual([])
      }))
  })

  describe("the fence", () => {
    test("lets a worker that slept through its lease change nothing, and counts its writes", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        const sleeper = yield* Kit.begun("pets")
        yield* Kit.pass("2 minutes")
        expect(yield* Kit.reclaim).toEqual({ freed: 1, failed: 0 })
        const successor = yield* Kit.claimOne("b")
        const before = yield* Kit.find(successor)
        const { count } = yield* Metric.value(writesRefused)
        for (const outcome of [Outcomes.completed, retried, halted, Outcome.Released(), Outcome.Cancelled()]) {
          expect((yield* Effect.flip(Kit.settle(sleeper, outcome)))._tag).toBe("LeaseLost")
        }
        expect((yield* Effect.flip(Kit.fenced(sleeper, progress)))._tag).toBe("LeaseLost")
        expect((yield* queue.settleAll([{ held: sleeper, outcome: Outcomes.completed }])).size).toBe(0)
        expect((yield* Effect.flip(queue.storeStep(sleeper, { name: "one", result: 1, millis: 0 })))._tag).toBe(
          "LeaseLost"
        )
        expect((yield* queue.renew([sleeper], Duration.hours(9))).size).toBe(0)
        expect(yield* Kit.find(successor)).toEqual(before)
        expect((yield* Metric.value(writesRefused)).count).toBe(count + 9)
        expect((yield* Kit.settle(successor, Outcomes.completed)).status).toBe("succeeded")
      }))

    test("refuses the holder of a job that was cancelled", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        const held = yield* Kit.begun("pets")
        expect((yield* queue.cancel(held.job.id)).status).toBe("cancelled")
        expect((yield* Effect.flip(Kit.settle(held, Outcomes.completed)))._tag).toBe("LeaseLost")
        const { count } = yield* Metric.value(writesRefused)
        expect((yield* queue.renew([held], Kit.minute)).size).toBe(0)
        expect((yield* Metric.value(writesRefused)).count).toBe(count + 1)
      }))

    test("refuses the holder of a job whose key is cancelled, by whoever removes what it was for", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        yield* Control.cancelKey(yield* Tenant, Kit.kind, "pets")
        expect((yield* Kit.find(held)).status).toBe("cancelled")
        expect((yield* Effect.flip(Kit.settle(held, retried)))._tag).toBe("LeaseLost")
      }))
  })

  describe("reclaim", () => {
    test("counts a crash, and fails the job when its worker died too often", () =>
      Effect.gen(function*() {
        yield* Kit.enqueue("pets", { maxAttempts: 3 })
        const crash = Effect.gen(function*() {
          const held = yield* Kit.claimOne()
          yield* Kit.pass("2 minutes")
          yield* Kit.reclaim
          return yield* Kit.find(held)
        })
        const first = yield* crash
        expect([first.status, first.crashes, first.attempts]).toEqual(["pending", 1, 1])
        yield* crash
        const last = yield* crash
        expect([last.status, last.crashes]).toEqual(["failed", 3])
        expect(Option.map(last.lastError, ({ message, tag }) => ({ message, tag }))).toEqual(
          Option.some({ tag: "crashed", message: "The worker died 3 times while running this job." })
        )
      }))

    test("forgives crashes, and the attempts that they spent, upon progress", () =>
      Effect.gen(function*() {
        yield* Kit.enqueue("pets", { maxAttempts: 3 })
        for (const _ of [1, 2]) {
          yield* Kit.claimOne()
          yield* Kit.pass("2 minutes")
          yield* Kit.reclaim
        }
        const held = yield* Kit.claimOne()
        expect([(yield* Kit.find(held)).crashes, held.job.attempts]).toEqual([2, 3])
        yield* Kit.fenced(held, progress)
        const job = yield* Kit.find(held)
        expect([job.crashes, job.attempts]).toEqual([0, 1])
      }))

    test("leaves a live lease alone", () =>
      Effect.gen(function*() {
        yield* Kit.begun("pets")
        expect(yield* Kit.reclaim).toEqual({ freed: 0, failed: 0 })
      }))

    test("frees the job of a worker without its lock at once, and then forgets the worker", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const tenant = yield* Tenant
        yield* sql`insert into holdfast.worker (tenant, id, lock_number, host, pid, kinds)
          values (${tenant}, 'a', 987654, 'h', 1, '[]')`
        const held = yield* Kit.begun("pets")
        expect(yield* Kit.reclaim).toEqual({ freed: 1, failed: 0 })
        expect((yield* Kit.find(held)).status).toBe("pending")
        yield* Kit.reclaim
        expect(yield* sql`select id from holdfast.worker where tenant = ${tenant}`).toEqual([])
      }))

    test("waits for the lease of a worker that has no lock to lose", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        yield* sql`insert into holdfast.worker (tenant, id, host, pid, kinds)
          values (${yield* Tenant}, 'a', 'h', 1, '[]')`
        yield* Kit.begun("pets")
        expect(yield* Kit.reclaim).toEqual({ freed: 0, failed: 0 })
      }))
  })
}
