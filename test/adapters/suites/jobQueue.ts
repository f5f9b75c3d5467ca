import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import { transact } from "../../../src/adapters/postgres/driver/transact.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import { JobId } from "../../../src/domain/job/Job.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { Outcome } from "../../../src/domain/job/Outcome.js"
import { WorkerId } from "../../../src/domain/lease/Lease.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import { settlements } from "./jobQueueSettling.js"
import * as Kit from "./queueKit.js"
import * as Outcomes from "../../support/Outcomes.js"

const retried = Outcomes.retried(Kit.unavailable, Duration.minutes(10))
const halted = Outcomes.halted(Kit.unavailable)

const keys = (jobs: ReadonlyArray<{ readonly key: string }>) => jobs.map((job) => job.key)

/** What every back end's queue does. */
export const jobQueue = (backend: Backend) =>
  describe(`the job queue on ${backend.name}`, () => {
    it.layer(backend.fresh(all), { timeout: "60 seconds" })((it) => {
      const test = <E>(
        name: string,
        body: () => Effect.Effect<void, E, JobQueue | Tenant | SqlClient.SqlClient | Tables>
      ) => it.effect(name, () => Kit.alone(body()))

      describe("enqueue", () => {
        test("keeps one open job a key, however often it is asked for", () =>
          Effect.gen(function*() {
            const first = yield* Kit.enqueue("pets")
            const second = yield* Kit.enqueue("pets")
            expect(second.id).toBe(first.id)
            expect((yield* Kit.claim(5)).length).toBe(1)
          }))

        test("opens a new job beside the closed ones of the same key", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const held = yield* Kit.begun("pets")
            yield* Kit.settle(held, Outcomes.completed)
            const next = yield* Kit.enqueue("pets")
            expect(next.id).not.toBe(held.job.id)
            const jobs = yield* queue.list({ key: "pets", limit: 10 })
            expect(jobs.map((job) => job.status)).toEqual(["pending", "succeeded"])
          }))

        test("makes a job that backs off ready at once", () =>
          Effect.gen(function*() {
            yield* Kit.settle(yield* Kit.begun("pets"), retried)
            expect(yield* Kit.claim(1)).toEqual([])
            yield* Kit.enqueue("pets")
            expect((yield* Kit.claim(1)).length).toBe(1)
          }))

        test("happens or not with the caller's own transaction", () =>
          Effect.gen(function*() {
            const undone = transact(Effect.zipRight(Kit.enqueue("pets"), Effect.fail("no")))
            expect(yield* Effect.flip(undone)).toBe("no")
            expect(yield* Kit.claim(1)).toEqual([])
            yield* transact(Kit.enqueue("pets"))
            expect((yield* Kit.claim(1)).length).toBe(1)
          }))
      })

      describe("claim", () => {
        test("takes the longest ready first, as many as there are slots, under one fence", () =>
          Effect.gen(function*() {
            for (const id of ["a", "b", "c"]) yield* Kit.enqueue(id)
            const held = yield* Kit.claim(2)
            expect(held.map(({ job }) => job.key)).toEqual(["a", "b"])
            expect(new Set(held.map(({ fence }) => fence)).size).toBe(1)
            expect(held.map(({ job }) => job.attempts)).toEqual([1, 1])
            const stored = yield* Effect.forEach(held, Kit.find)
            expect(stored.map(({ attempts, status }) => [status, attempts])).toEqual([["running", 1], ["running", 1]])
            expect((yield* Kit.claim(2)).map(({ job }) => job.key)).toEqual(["c"])
          }))

        test("draws a greater fence each time", () =>
          Effect.gen(function*() {
            const first = yield* Kit.begun("pets")
            yield* Kit.settle(first, Outcome.Released())
            const second = yield* Kit.claimOne()
            expect(second.fence).toBeGreaterThan(first.fence)
          }))

        test("takes turns: a job that was given back goes behind those that wait", () =>
          Effect.gen(function*() {
            const huge = yield* Kit.begun("huge")
            yield* Kit.enqueue("small")
            yield* Kit.settle(huge, Outcome.Released())
            expect((yield* Kit.claimOne()).job.key).toBe("small")
            expect((yield* Kit.claimOne()).job.key).toBe("huge")
          }))

        test("takes one named job alone", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            yield* Kit.enqueue("a")
            const { id } = yield* Kit.enqueue("b")
            const worker = WorkerId.make("a")
            const held = yield* queue.claim({ worker, slots: 5, duration: Kit.minute, only: id, ...yield* Kit.wanted })
            expect(held.map(({ job }) => job.id)).toEqual([id])
          }))

        test("gives a lease that ends at the database's time plus the duration", () =>
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            yield* Kit.enqueue("pets")
            const held = yield* Kit.claimOne("a", Duration.minutes(7))
            const [row] = yield* sql<{ readonly left: number }>`
              select extract(epoch from lease_expires_at - now())::float8 as left from holdfast.job_all
              where tenant = ${yield* Tenant}`
            expect(row?.left).toBeGreaterThan(400)
            expect(row?.left).toBeLessThanOrEqual(420)
            expect(Option.map((yield* Kit.find(held)).lease, (lease) => lease.worker)).toEqual(Option.some("a"))
          }))

        test("takes nothing without a slot", () =>
          Effect.gen(function*() {
            yield* Kit.enqueue("pets")
            expect(yield* Kit.claim(0)).toEqual([])
          }))
      })

      describe("renew", () => {
        test("answers the jobs that are still held, of several claims at once", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const [one, two, three] = [yield* Kit.begun("a"), yield* Kit.begun("b"), yield* Kit.begun("c")]
            yield* queue.cancel(two.job.id)
            const still = yield* queue.renew([one, two, three], Duration.hours(1))
            expect(still).toEqual(new Set([one.job.id, three.job.id]))
            const job = yield* Kit.find(one)
            expect(yield* Kit.minutesFromNow(Option.getOrThrow(job.lease).expiresAt)).toBe(60)
          }))

        test("frees a job that its holder no longer names, while a sibling of its claim goes on", () =>
          Effect.gen(function*() {
            yield* Kit.enqueue("left")
            yield* Kit.enqueue("kept")
            const [left, kept] = yield* Kit.claim(2)
            if (left === undefined || kept === undefined) return yield* Effect.dieMessage("two jobs are ready")
            const queue = yield* JobQueue
            expect(yield* queue.renew([kept], Kit.minute)).toEqual(new Set([kept.job.id]))
            const freed = yield* Kit.find(left)
            expect([freed.status, freed.attempts, freed.crashes]).toEqual(["pending", 1, 1])
            // Its late end is refused, the sibling's is not, and the lease goes with it.
            expect((yield* Effect.flip(Kit.settle(left, Outcomes.completed)))._tag).toBe("LeaseLost")
            expect((yield* Kit.settle(kept, Outcomes.completed)).status).toBe("succeeded")
            yield* Kit.pass("2 minutes")
            expect(yield* Kit.isReclaimDue).toBe(false)
            expect((yield* Kit.claimOne()).job.id).toBe(left.job.id)
          }))

        test("fails a job whose holders left it too often without a word", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            yield* Kit.enqueue("left", { maxAttempts: 2 })
            for (const other of ["one", "two"]) {
              yield* Kit.enqueue(other)
              const claimed = yield* Kit.claim(2)
              yield* queue.renew(claimed.filter(({ job }) => job.key === other), Kit.minute)
            }
            const [job] = yield* queue.list({ key: "left", limit: 1 })
            expect(job?.status).toBe("failed")
            expect(Option.map(job?.lastError ?? Option.none(), ({ message }) => message)).toEqual(
              Option.some("The worker died 2 times while running this job.")
            )
          }))

        test("saves a lease that ran out and that nobody took", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const held = yield* Kit.begun("pets")
            yield* Kit.pass("2 minutes")
            expect((yield* queue.renew([held], Kit.minute)).size).toBe(1)
            expect(yield* Kit.reclaim).toEqual({ freed: 0, failed: 0 })
          }))
      })

      settlements(test)

      describe("retry and cancel", () => {
        test("starts a failed job anew, at once, with all its attempts", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const held = yield* Kit.begun("pets")
            yield* Kit.settle(held, halted)
            const job = yield* queue.retry(held.job.id)
            expect([job.status, job.attempts, job.crashes]).toEqual(["pending", 0, 0])
            expect((yield* Kit.claimOne()).job.id).toBe(job.id)
          }))

        test("ends the backoff of a pending job", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const held = yield* Kit.begun("pets")
            yield* Kit.settle(held, retried)
            expect((yield* queue.retry(held.job.id)).attempts).toBe(0)
            expect((yield* Kit.claimOne()).job.id).toBe(held.job.id)
          }))

        test("makes the key's open job ready instead of opening a second one", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const old = yield* Kit.begun("pets")
            yield* Kit.settle(old, halted)
            const newer = yield* Kit.begun("pets")
            const running = yield* queue.retry(old.job.id)
            expect([running.id, running.status]).toEqual([newer.job.id, "running"])
            yield* Kit.settle(newer, retried)
            const ready = yield* queue.retry(old.job.id)
            expect([ready.id, ready.status, ready.attempts]).toEqual([newer.job.id, "pending", 0])
          }))

        test("refuses to retry what runs and to cancel what is over", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const { job } = yield* Kit.begun("pets")
            expect((yield* Effect.flip(queue.retry(job.id))).message).toBe(
              `Job ${job.id} is running and cannot be retried.`
            )
            yield* queue.cancel(job.id)
            expect((yield* Effect.flip(queue.cancel(job.id))).message).toBe(
              `Job ${job.id} is cancelled and cannot be cancelled.`
            )
            expect((yield* queue.retry(job.id)).status).toBe("pending")
          }))

        test("runs a job that succeeded once more when a person asks", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const held = yield* Kit.begun("pets")
            yield* Kit.settle(held, Outcomes.completed)
            const job = yield* queue.retry(held.job.id)
            expect([job.status, job.finishedAt]).toEqual(["pending", Option.none()])
          }))

        test("knows no job of another number", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const id = JobId.make(999_999_999)
            for (const effect of [queue.find(id), queue.retry(id), queue.cancel(id)]) {
              expect((yield* Effect.flip(effect))._tag).toBe("JobNotFound")
            }
          }))
      })

      describe("reading", () => {
        test("lists newest first, by status, by kind and by key", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            for (const id of ["a", "b", "c"]) yield* Kit.enqueue(id)
            yield* Kit.claimOne()
            expect(keys(yield* queue.list({ limit: 2 }))).toEqual(["c", "b"])
            expect(keys(yield* queue.list({ status: ["running", "failed"], limit: 9 }))).toEqual(["a"])
            expect(keys(yield* queue.list({ key: "b", limit: 9 }))).toEqual(["b"])
            expect(keys(yield* queue.list({ kind: Kit.kind, key: "b", limit: 9 }))).toEqual(["b"])
            expect(keys(yield* queue.list({ kind: "other", limit: 9 }))).toEqual([])
          }))

        test("lists the newest job of each key alone where that is asked", () =>
          Effect.gen(function*() {
            const queue = yield* JobQueue
            yield* Kit.enqueue("a")
            const claimed = yield* Kit.claimOne()
            yield* queue.settle(claimed, Outcome.Cancelled())
            yield* Kit.enqueue("a")
            yield* Kit.enqueue("b")
            const listed = (newestOnly: boolean) =>
              Effect.map(queue.list({ newestOnly, limit: 9 }), (jobs) =>
                jobs.map(({ key, status }) => `${key} ${status}`))
            expect(yield* listed(false)).toEqual(["b pending", "a pending", "a cancelled"])
            expect(yield* listed(true)).toEqual(["b pending", "a pending"])
            expect(yield* queue.list({ status: ["cancelled"], newestOnly: true, limit: 9 })).toEqual([])
          }))

        test("says when the next job is due", () =>
          Effect.gen(function*() {
            expect(yield* Kit.nextReadyIn).toEqual(Option.none())
            const held = yield* Kit.begun("pets")
            expect(yield* Kit.nextReadyIn).toEqual(Option.none())
            yield* Kit.settle(held, retried)
            const wait = Option.getOrThrow(yield* Kit.nextReadyIn)
            expect(Math.ceil(Duration.toMinutes(wait))).toBe(10)
            yield* Kit.enqueue("other")
            expect(yield* Kit.nextReadyIn).toEqual(Option.some(Duration.zero))
          }))

        test("gives times as the database has them", () =>
          Effect.gen(function*() {
            const { id } = yield* Kit.enqueue("pets")
            const job = yield* Effect.flatMap(JobQueue, (queue) =>
              queue.find(id))
            expect(DateTime.Equivalence(job.createdAt, job.runAt)).toBe(true)
            expect(Math.abs(yield* Kit.minutesFromNow(job.createdAt))).toBe(0)
          }))
      })
    })
  })
