import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Complete from "../../../src/adapters/postgres/jobs/complete.js"
import * as Control from "../../../src/adapters/postgres/jobs/control.js"
import { writesRefused } from "../../../src/adapters/postgres/jobs/staleWrite.js"
import { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import { MalformedResponse } from "../../../src/domain/failure/Failure.js"
import { Progress } from "../../../src/domain/job/Job.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { Outcome } from "../../../src/domain/job/Outcome.js"
import { GateRef } from "../../../src/domain/session/Gate.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import * as Kit from "./queueKit.js"
import * as Outcomes from "../../support/Outcomes.js"

const progress = Progress.make({ items: 3, embedded: 2, reused: 1, refused: 0 })
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
    test("ends a complete job as succeeded, or partial where items were refused", () =>
      Effect.gen(function*() {
        const tenant = yield* Tenant
        const whole = yield* Kit.begun("whole")
        expect((yield* Complete.complete(tenant, whole, progress)).status).toBe("succeeded")
        const most = yield* Kit.begun("most")
        const counts = Progress.make({ ...progress, refused: 1 })
        expect((yield* Complete.complete(tenant, most, counts)).status).toBe("partial")
        expect((yield* Kit.find(most)).progress).toEqual(counts)
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
        yield* Complete.guard(yield* Tenant, held, progress)
        yield* Kit.settle(held, retried)
        const afterProgress = yield* down
        expect(afterProgress.since).toEqual(afterProgress.at)
      }))

    test("counts refused items of the stored progress too", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        yield* Complete.guard(yield* Tenant, held, Progress.make({ ...progress, refused: 2 }))
        expect((yield* Kit.settle(held, Outcome.Completed())).status).toBe("partial")
      }))

    test("ends all the complete jobs of one claim in one statement", () =>
      Effect.gen(function*() {
        for (const id of ["a", "b", "c"]) yield* Kit.enqueue(id)
        const [first, ...others] = yield* Kit.claim(3)
        if (first === undefined) return expect.fail("nothing was claimed")
        yield* Effect.flatMap(JobQueue, (queue) => queue.cancel(first.job.id))
        const rows = yield* Complete.completeAll(yield* SqlClient.SqlClient, yield* Tables, yield* Tenant, {
          fence: first.fence,
          ids: [first, ...others].map(({ job }) => job.id),
          progress: Option.none(),
          again: false
        })
        expect(rows.map(({ status }) => status)).toEqual(["succeeded"])
        expect(new Set(rows.flatMap(({ ids }) => ids))).toEqual(new Set(others.map(({ job }) => job.id)))
      }))

    test("sends a complete job back to pending where its holder found it incomplete", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        expect((yield* Complete.complete(yield* Tenant, held, progress, true)).status).toBe("pending")
        expect((yield* Kit.claimOne()).job.id).toBe(held.job.id)
      }))

    test("sends a job whose source was edited meanwhile back to pending, ready at once", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        yield* Kit.putSource("pets", "two")
        expect((yield* Kit.settle(held, Outcome.Completed())).status).toBe("pending")
        const again = yield* Kit.claimOne()
        expect(again.job.attempts).toBe(1)
        expect((yield* Kit.settle(again, Outcome.Completed())).status).toBe("succeeded")
      }))

    test("runs again what was asked for by force while it ran", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        const held = yield* Kit.begun("pets")
        const asked = yield* queue.enqueue(Kit.request("pets", { force: true }))
        expect(asked.status).toBe("running")
        expect((yield* Kit.settle(held, Outcome.Completed())).status).toBe("pending")
        const again = yield* Kit.claimOne()
        expect(Option.isSome((yield* Kit.find(again)).forcedAt)).toBe(true)
        expect((yield* Kit.settle(again, Outcome.Completed())).status).toBe("succeeded")
      }))

    test("does not run again what was only asked for twice", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        yield* Kit.enqueue("pets")
        expect((yield* Kit.settle(held, Outcome.Completed())).status).toBe("succeeded")
      }))

    test("runs a job that failed again where its source was edited and enqueued meanwhile", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        const held = yield* Kit.begun("pets")
        yield* Kit.putSource("pets", "two")
        yield* queue.enqueue(Kit.request("pets"))
        expect((yield* Kit.settle(held, halted)).status).toBe("pending")
        const again = yield* Kit.claimOne()
        expect(again.job.attempts).toBe(1)
        expect((yield* Kit.settle(again, halted)).status).toBe("failed")
      }))

    test("ends as cancelled what lost its source", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        yield* Kit.deleteSource("pets")
        expect((yield* Kit.settle(held, Outcome.Completed())).status).toBe("cancelled")
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
        yield* Complete.guard(yield* Tenant, third, progress)
        expect(Duration.toMinutes((yield* Kit.find(third)).cooled)).toBe(0)
        yield* Kit.settle(third, cooled(false))
        const job = yield* Kit.find(third)
        expect([Duration.toMinutes(job.cooled), job.attempts]).toEqual([0, 1])
      }))

    test("charges an attempt that stood still", () =>
      Effect.gen(function*() {
        const stalled = Outcome.Stalled({ after: Duration.hours(1) })
        const held = yield* Kit.begun("pets", { maxAttempts: 2 })
        expect((yield* Kit.settle(held, stalled)).status).toBe("pending")
        const last = yield* Kit.claimOne()
        expect((yield* Kit.settle(last, stalled)).status).toBe("failed")
        const error = Option.getOrThrow((yield* Kit.find(last)).lastError)
        expect(error.tag).toBe("stalled")
        expect(error.message).toContain("1h")
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
        const tenant = yield* Tenant
        const sleeper = yield* Kit.begun("pets")
        yield* Kit.pass("2 minutes")
        expect(yield* Kit.reclaim).toEqual({ freed: 1, failed: 0 })
        const successor = yield* Kit.claimOne("b")
        const before = yield* Kit.find(successor)
        const { count } = yield* Metric.value(writesRefused)
        for (const outcome of [Outcome.Completed(), retried, halted, Outcome.Released(), Outcome.Cancelled()]) {
          expect((yield* Effect.flip(Kit.settle(sleeper, outcome)))._tag).toBe("LeaseLost")
        }
        expect((yield* Effect.flip(Complete.guard(tenant, sleeper, progress)))._tag).toBe("LeaseLost")
        expect((yield* Effect.flip(Complete.complete(tenant, sleeper, progress)))._tag).toBe("LeaseLost")
        expect((yield* queue.renew([sleeper], Duration.hours(9))).size).toBe(0)
        expect(yield* Kit.find(successor)).toEqual(before)
        expect((yield* Metric.value(writesRefused)).count).toBe(count + 8)
        expect((yield* Kit.settle(successor, Outcome.Completed())).status).toBe("succeeded")
      }))

    test("refuses the holder of a job that was cancelled", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        const held = yield* Kit.begun("pets")
        expect((yield* queue.cancel(held.job.id)).status).toBe("cancelled")
        expect((yield* Effect.flip(Kit.settle(held, Outcome.Completed())))._tag).toBe("LeaseLost")
        const { count } = yield* Metric.value(writesRefused)
        expect((yield* queue.renew([held], Kit.minute)).size).toBe(0)
        expect((yield* Metric.value(writesRefused)).count).toBe(count + 1)
      }))

    test("refuses the holder of a job whose source is being removed", () =>
      Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        yield* Control.cancelSource(yield* Tenant, Kit.source("pets"))
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
        yield* Complete.guard(yield* Tenant, held, progress)
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
        yield* sql`insert into holdfast.worker (tenant, id, lock_number, host, pid) values (${tenant}, 'a', 987654, 'h', 1)`
        const held = yield* Kit.begun("pets")
        expect(yield* Kit.reclaim).toEqual({ freed: 1, failed: 0 })
        expect((yield* Kit.find(held)).status).toBe("pending")
        yield* Kit.reclaim
        expect(yield* sql`select id from holdfast.worker where tenant = ${tenant}`).toEqual([])
      }))

    test("waits for the lease of a worker that has no lock to lose", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        yield* sql`insert into holdfast.worker (tenant, id, host, pid) values (${yield* Tenant}, 'a', 'h', 1)`
        yield* Kit.begun("pets")
        expect(yield* Kit.reclaim).toEqual({ freed: 0, failed: 0 })
      }))
  })
}
