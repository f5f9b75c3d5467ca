import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import * as Failure from "../../../../src/domain/failure/Failure.js"
import * as JobKind from "../../../../src/domain/job/JobKind.js"
import { JobKinds } from "../../../../src/domain/job/JobKinds.js"
import { JobFailed } from "../../../../src/domain/job/Run.js"
import type { Run } from "../../../../src/domain/job/Run.js"
import { waitReason } from "../../../../src/domain/job/WaitReason.js"
import { WorkerLock } from "../../../../src/domain/lease/WorkerLock.js"
import { Gates } from "../../../../src/domain/session/Gates.js"
import { Tenant } from "../../../../src/domain/store/Tenant.js"
import * as Jobs from "../../../../src/programs/flows/work/Jobs.js"
import * as Worker from "../../../../src/programs/flows/work/Worker.js"
import type { Backend } from "../../../support/Databases.js"
import { house, settings } from "../../../support/House.js"
import { script } from "../../../support/ScriptedEmbedder.js"

const quick = settings({ workers: 4, pollInterval: Duration.millis(200), grace: Duration.millis(500) })

/** A house whose workers run what `handle` does. */
const running = <P, S, R>(
  kind: JobKind.JobKind<P, S>,
  handle: JobKind.Handler<P, S, R>,
  work = quick
) => Layer.provideMerge(kind.toLayer(handle), house(script(), {}, undefined, work))

const Note = Schema.Struct({ text: Schema.String })

const plain = (
  name: string,
  more: { readonly maxAttempts?: number; readonly timeLimit?: Duration.DurationInput } = {}
) =>
  JobKind.make(name, {
    payload: Schema.Struct({ n: Schema.Int }),
    success: Schema.String,
    key: ({ n }) => String(n),
    ...more
  })

/** Work of a user's own, as a worker on a real store does it. */
export const ownWork = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute", excludeTestServices: true })(
    `Work of one's own on ${backend.name}`,
    (it) => {
      it.effect("goes on from its finished steps after a failed attempt, and gives each step one key", () => {
        const calls: Array<string> = []
        const Digest = plain("digest")
        const handle = Effect.fnUntraced(function*({ n }: { readonly n: number }, { step }: Run) {
          const draft = yield* step("draft", Note, (key) => {
            calls.push(`draft ${key}`)
            return Effect.succeed({ text: `draft of ${n}` })
          })
          yield* step("send", Schema.Void, (key) => {
            calls.push(`send ${key}`)
            return calls.filter((call) => call.startsWith("send")).length < 3
              ? new Failure.ProviderUnavailable({ provider: "mail", detail: "503", status: 503 })
              : Effect.void
          })
          return draft.text
        })
        return Effect.gen(function*() {
          const { id } = yield* Digest.enqueue({ n: 7 })
          const job = yield* Worker.workUntil(Jobs.await(id))
          expect([job.status, job.attempts, job.output]).toEqual(["succeeded", 3, "draft of 7"])
          const sends = calls.filter((call) => call.startsWith("send"))
          expect(calls.length - sends.length).toBe(1)
          expect([sends.length, new Set(sends).size]).toEqual([3, 1])
          expect((yield* Jobs.steps(id)).map(({ attempt, name }) => [name, attempt])).toEqual([["draft", 1], [
            "send",
            3
          ]])
        }).pipe(Effect.provide(running(Digest, handle)))
      }, 30_000)

      it.effect("runs steps beside each other, and answers from the rows in any order", () => {
        const ran: Array<string> = []
        const Fan = plain("fan")
        const handle = Effect.fnUntraced(function*(_: { readonly n: number }, { job, step }: Run) {
          const part = (name: string) => step(name, Schema.Int, Effect.sync(() => ran.push(name)))
          const names = job.attempts === 1 ? ["a", "b", "c"] : ["c", "b", "a", "d"]
          const parts = yield* Effect.forEach(names, part, { concurrency: "unbounded" })
          if (job.attempts === 1) return yield* new JobFailed({ message: "once" })
          return parts.join(",")
        })
        return Effect.gen(function*() {
          const { id } = yield* Fan.enqueue({ n: 1 })
          const job = yield* Worker.workUntil(Jobs.await(id))
          expect(job.status).toBe("succeeded")
          expect(ran.toSorted()).toEqual(["a", "b", "c", "d"])
        }).pipe(Effect.provide(running(Fan, handle)))
      }, 30_000)

      it.effect(
        "fails clearly where a step is asked for twice, is too large, or does not fit its schema any more",
        () => {
          const Twice = plain("twice", { maxAttempts: 2 })
          const handle = Effect.fnUntraced(function*({ n }: { readonly n: number }, { job, step }: Run) {
            if (n === 1) {
              yield* step("same", Schema.Int, Effect.succeed(1))
              yield* step("same", Schema.Int, Effect.succeed(2))
            }
            if (n === 2) yield* step("large", Schema.String, Effect.succeed("x".repeat(1_100_000)))
            if (n === 3) {
              yield* job.attempts === 1
                ? Effect.zipRight(step("changed", Schema.Int, Effect.succeed(1)), new JobFailed({ message: "once" }))
                : step("changed", Note, Effect.succeed({ text: "" }))
            }
            return "done"
          })
          return Effect.gen(function*() {
            const asked = yield* Twice.enqueueAll([{ n: 1 }, { n: 2 }, { n: 3 }])
            const jobs = yield* Worker.workUntil(Effect.forEach(asked, ({ id }) => Jobs.await(id), { concurrency: 3 }))
            expect(jobs.map(({ lastError, status }) => [status, Option.getOrThrow(lastError).tag])).toEqual(
              Array.from({ length: 3 }, () => ["failed", "step"])
            )
            const said = jobs.map(({ lastError }) => Option.getOrThrow(lastError).message)
            expect(said[0]).toContain(`Step "same" was asked for twice in one attempt`)
            expect(said[1]).toContain(`The result of Step "large" is too large`)
            expect(said[2]).toContain(`The stored result of Step "changed" does not fit its schema any more`)
          }).pipe(Effect.provide(running(Twice, handle)))
        },
        30_000
      )

      it.effect("tries again what failed, fails at once what is permanent, and says why", () => {
        const Fails = plain("fails", { maxAttempts: 2 })
        const handle = ({ n }: { readonly n: number }) =>
          new JobFailed({ message: `no ${n}`, detail: "as asked", permanent: n === 2 })
        return Effect.gen(function*() {
          const first = yield* Fails.enqueue({ n: 1 })
          const asked = [first, yield* Fails.enqueue({ n: 2 })]
          const jobs = yield* Worker.workUntil(Effect.forEach(asked, ({ id }) => Jobs.await(id), { concurrency: 2 }))
          expect(jobs.map(({ attempts, status }) => [status, attempts])).toEqual([["failed", 2], ["failed", 1]])
          expect(jobs.map(({ lastError }) => Option.getOrThrow(lastError).message)).toEqual([
            "no 1 It was tried 2 times.",
            "no 2"
          ])
          const told = yield* Effect.flip(Jobs.result(Fails, first.id))
          expect(told).toMatchObject({ _tag: "JobUnfinished", status: "failed", tag: "job-failed" })
        }).pipe(Effect.provide(running(Fails, handle)))
      }, 30_000)

      it.effect("is stopped at its time limit, and tried again", () => {
        const Slow = plain("slow", { timeLimit: "5 seconds" })
        return Effect.gen(function*() {
          const seen = yield* Deferred.make<void>()
          const handle = (_: { readonly n: number }, { job }: Run) =>
            job.attempts === 1 ? Effect.never : Effect.as(Deferred.await(seen), "in time")
          yield* Effect.gen(function*() {
            const { id } = yield* Slow.enqueue({ n: 1 })
            const failed = Stream.filterMap(Jobs.follow(id), ({ lastError }) => lastError)
            const error = yield* Worker.workUntil(
              Stream.runHead(failed).pipe(
                Effect.tap(() => Deferred.succeed(seen, undefined)),
                Effect.zipLeft(Jobs.await(id))
              )
            )
            expect(Option.getOrThrow(error)).toMatchObject({
              tag: "timed-out",
              message: "The attempt took longer than 5s, so it was ended."
            })
            expect(yield* Jobs.result(Slow, id)).toBe("in time")
          }).pipe(Effect.provide(running(Slow, handle)))
        })
      }, 60_000)

      it.effect("is ended as stalled without progress, and goes on as long as it makes some", () => {
        const Stalls = plain("stalls")
        const handle = Effect.fnUntraced(function*({ n }: { readonly n: number }, { job, progress }: Run) {
          if (n === 1 && job.attempts === 1) return yield* Effect.never
          for (let done = 1; done <= 8; done++) {
            yield* Effect.sleep("500 millis")
            yield* progress({ done, total: 8, detail: { pages: done } })
          }
          return "done"
        })
        return Effect.gen(function*() {
          const asked = yield* Stalls.enqueueAll([{ n: 1 }, { n: 2 }])
          const [stalled, steady] = yield* Worker.workUntil(
            Effect.forEach(asked, ({ id }) => Jobs.await(id), { concurrency: 2 })
          )
          expect([stalled?.status, stalled?.attempts]).toEqual(["succeeded", 2])
          expect([steady?.status, steady?.attempts, steady?.progress.detail]).toEqual(["succeeded", 1, { pages: 8 }])
        }).pipe(Effect.provide(running(
          Stalls,
          handle,
          settings({
            workers: 4,
            stallAfter: Duration.seconds(3),
            pollInterval: Duration.millis(100)
          })
        )))
      }, 30_000)

      it.effect(
        "cools its provider for everyone where that asks to wait, and parks behind a gate that it had not named",
        () => {
          const Calls = plain("calls")
          const handle = ({ n }: { readonly n: number }, { job }: Run) =>
            n === 1
              ? new Failure.RateLimited({ provider: "openai", detail: "429", retryAfter: Duration.minutes(5) })
              : job.attempts === 1 && n === 2
              ? new Failure.AuthenticationFailed({ provider: "mail", detail: "401" })
              : Effect.succeed("sent")
          return Effect.gen(function*() {
            const asked = yield* Calls.enqueueAll([{ n: 1 }, { n: 2 }])
            const gates = yield* Gates
            const around = yield* Worker.workUntil(
              Effect.repeat(
                Effect.delay(Effect.all([gates.closed, gates.cooling]), "50 millis"),
                { until: ([closed, cooling]) => closed.length > 0 && cooling.length > 0 }
              ).pipe(Effect.zipRight(Effect.all([gates.closed, gates.cooling])))
            )
            expect(around[0].map(({ ref }) => `${ref.kind} ${ref.name}`)).toEqual(["provider mail"])
            expect(around[1].map(({ provider }) => provider)).toEqual(["openai"])
            const [limited, parked] = yield* Effect.forEach(asked, ({ id }) => Jobs.find(id))
            expect([limited?.status, limited?.attempts]).toEqual(["pending", 0])
            expect([parked?.status, parked?.attempts, parked?.provider]).toEqual(["pending", 0, "mail"])
          }).pipe(Effect.provide(running(Calls, handle)))
        },
        30_000
      )

      it.effect("is left alone by workers that do not know it, and says so", () => {
        const Known = plain("known")
        const Unknown = plain("unknown")
        return Effect.gen(function*() {
          const known = yield* Known.enqueue({ n: 1 })
          const unknown = yield* Unknown.enqueue({ n: 1 })
          const reason = yield* Worker.workUntil(Effect.gen(function*() {
            yield* Jobs.await(known.id)
            const job = yield* Jobs.find(unknown.id)
            expect(job.status).toBe("pending")
            const sql = yield* SqlClient.SqlClient
            const [row] = yield* sql<{ readonly now: Date }>`select now() as now`
            const workers = yield* (yield* WorkerLock).living
            return waitReason(job, {
              gates: [],
              cooldowns: [],
              workers: Option.some(workers),
              now: DateTime.unsafeFromDate(row?.now ?? new Date(0))
            })
          }))
          expect(Option.getOrThrow(reason)).toMatchObject({ _tag: "NoWorkerForKind", kind: "unknown" })
        }).pipe(Effect.provide(running(Known, () => Effect.succeed("done"))))
      }, 30_000)

      it.effect("ends whole what stands in one's own transaction with it, or leaves nothing", () => {
        const Mail = plain("mail")
        return Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* sql`create table if not exists outbox (tenant text, n integer)`
          const tenant = yield* Tenant
          const sent = (n: number) =>
            Effect.zipRight(sql`insert into outbox values (${tenant}, ${n})`, Mail.enqueue({ n }))
          yield* sql.withTransaction(sent(1))
          yield* Effect.flip(sql.withTransaction(Effect.zipRight(sent(2), Effect.fail("rolled back" as const))))
          expect((yield* Jobs.list({ kind: "mail" })).map(({ key }) => key)).toEqual(["1"])
          expect(yield* sql`select n from outbox where tenant = ${tenant}`).toEqual([{ n: 1 }])
        }).pipe(Effect.provide(running(Mail, () => Effect.succeed("sent"))))
      })

      it.effect("refuses a payload, an option or a second handler that cannot be", () => {
        const Strict = JobKind.make("strict", {
          payload: Schema.Struct({ n: Schema.Int.pipe(Schema.positive()), text: Schema.optional(Schema.String) })
        })
        return Effect.gen(function*() {
          const wrong = yield* Effect.flip(Strict.enqueue({ n: -1 }))
          expect(wrong.message).toContain(`The payload of "strict" is not what its schema says`)
          const unstorable = yield* Effect.flip(Strict.enqueue({ n: 1, text: "a\0b" }))
          expect(unstorable.message).toContain("null character")
          const Rate = JobKind.make("rate", { payload: Schema.Number })
          expect((yield* Effect.flip(Rate.enqueue(Number.NaN))).message).toContain("NaN or an infinite number")
          const urgent = yield* Effect.flip(Strict.enqueue({ n: 1 }, { priority: 1000 }))
          expect(urgent.message).toBe("priority is 1000; allowed is a whole number from -100 to 100.")
          const twice = yield* Effect.exit(Layer.build(Strict.toLayer(() => Effect.void)).pipe(Effect.scoped))
          expect(twice._tag).toBe("Failure")
          expect((yield* (yield* JobKinds).all).map(({ kind }) => kind)).toEqual(["strict"])
        }).pipe(Effect.provide(running(Strict, () => Effect.void)))
      })

      it.effect("is stopped long before the next heartbeat where a person cancels it", () => {
        const Endless = plain("endless")
        return Effect.gen(function*() {
          const begun = yield* Deferred.make<void>()
          const stopped = yield* Deferred.make<void>()
          const handle = () =>
            Deferred.succeed(begun, undefined).pipe(
              Effect.zipRight(Effect.never),
              Effect.onInterrupt(() => Deferred.succeed(stopped, undefined))
            )
          yield* Effect.gen(function*() {
            const { id } = yield* Endless.enqueue({ n: 1 })
            yield* Worker.workUntil(Effect.gen(function*() {
              yield* Deferred.await(begun)
              yield* Jobs.cancel(id)
              yield* Deferred.await(stopped)
            }))
            expect((yield* Jobs.find(id)).status).toBe("cancelled")
          }).pipe(Effect.provide(running(Endless, handle)))
        })
        // Leases last a minute here, and are renewed every twenty seconds.
      }, 15_000)

      it.effect("ends in a bug where it fails with what no type allows, interrupts itself, or counts in halves", () => {
        const Odd = plain("odd", { maxAttempts: 1 })
        // A user's effects may be of any type.
        const foreign = Effect.fail(new Error("not in the type")) as unknown as Effect.Effect<never, JobFailed>
        const handle = ({ n }: { readonly n: number }, { progress }: Run) =>
          n === 1
            ? foreign
            : n === 2
            ? Effect.interrupt
            : Effect.as(progress({ done: 0.5, total: 1, detail: {} }), "done")
        return Effect.gen(function*() {
          const asked = yield* Odd.enqueueAll([{ n: 1 }, { n: 2 }, { n: 3 }])
          const jobs = yield* Worker.workUntil(Effect.forEach(asked, ({ id }) => Jobs.await(id), { concurrency: 3 }))
          expect(jobs.map(({ attempts, status }) => [status, attempts])).toEqual([["failed", 1], ["failed", 1], [
            "failed",
            1
          ]])
          const errors = jobs.map(({ lastError }) => Option.getOrThrow(lastError))
          expect(errors.map(({ tag }) => tag)).toEqual(["bug", "bug", "bug"])
          expect(errors[0]?.detail).toContain("not in the type")
          expect(errors[1]?.detail).toContain("interrupted by itself")
          expect(errors[2]?.detail).toContain("whole numbers from 0 to 2147483647")
        }).pipe(Effect.provide(running(Odd, handle)))
      }, 30_000)

      it.effect("has time to store what it holds when its worker stops", () => {
        const Long = plain("long")
        return Effect.gen(function*() {
          const begun = yield* Deferred.make<void>()
          const handle = Effect.fnUntraced(function*(_: { readonly n: number }, { progress, stop }: Run) {
            yield* Deferred.succeed(begun, undefined)
            yield* stop
            yield* progress({ done: 3, total: 10, detail: {} })
            return yield* Effect.never
          })
          yield* Effect.gen(function*() {
            const { id } = yield* Long.enqueue({ n: 1 })
            yield* Worker.workUntil(Deferred.await(begun))
            const job = yield* Jobs.find(id)
            expect([job.status, job.attempts, job.progress.done]).toEqual(["pending", 0, 3])
          }).pipe(Effect.provide(running(Long, handle)))
        })
      }, 30_000)
    }
  )
