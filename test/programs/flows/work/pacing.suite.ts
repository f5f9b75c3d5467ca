import { expect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { performance } from "node:perf_hooks"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { RateLimited } from "../../../../src/domain/failure/Failure.js"
import { isOpen } from "../../../../src/domain/job/Job.js"
import { JobQueue } from "../../../../src/domain/job/JobQueue.js"
import { Pacer } from "../../../../src/domain/retry/Pacer.js"
import { Gates } from "../../../../src/domain/session/Gates.js"
import { search } from "../../../../src/programs/flows/search/Search.js"
import { work, workOn } from "../../../../src/programs/flows/index/IndexWorker.js"
import type { Backend } from "../../../support/Databases.js"
import { house, settings } from "../../../support/House.js"
import { catalog, freshTenant, put } from "../../../support/Indexing.js"
import { fail, script, serve } from "../../../support/ScriptedEmbedder.js"
import type { Script } from "../../../support/ScriptedEmbedder.js"

const working = settings({ workers: 2, batchSize: 1, pollInterval: Duration.millis(200) })

/** One process of a tenant: stores and an embedder of its own, which do what the one script says. */
const process = (played: Script, tenant: string) => house(played, { concurrency: 2 }, tenant, working)

const numbered = (count: number, of: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`op${n}`, `text number ${n} of ${of}`]))

const provider = { provider: "scripted", maxAttempts: 5, force: false }
const limited = (retryAfter: Duration.DurationInput) =>
  fail(new RateLimited({ provider: "scripted", detail: "429", retryAfter: Duration.decode(retryAfter) }))

/** What a provider's refusals do to all workers on it. */
export const pacing = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute", excludeTestServices: true })(
    `The pace of a provider on ${backend.name}`,
    (it) => {
      it.effect("holds all processes back for a named wait, and then lets every job end without an attempt spent", () => {
        const tenant = freshTenant()
        const wait = 2000
        const told = Effect.runSync(Deferred.make<number>())
        const begun: Array<number> = []
        let refusedAt = Number.POSITIVE_INFINITY
        const played = script((_, call) => {
          const now = performance.now()
          begun.push(now)
          if (call < 8) return serve
          refusedAt = Math.min(refusedAt, now)
          return now < refusedAt + wait ? limited(wait) : serve
        })
        // The moment at which the first refusal stands in the database: a call that began before it is no offence.
        const watched = Effect.gen(function*() {
          const gates = yield* Gates
          while ((yield* gates.cooling).length === 0) yield* Effect.sleep("5 millis")
          yield* Deferred.succeed(told, performance.now())
        })
        return Effect.gen(function*() {
          const queue = yield* JobQueue
          const jobs = yield* Effect.forEach(["a", "b", "c"], (name) => put(catalog(name, numbered(6, name)), provider))
          const one = Effect.scoped(Effect.provide(work, process(played, tenant)))
          const processes = yield* Effect.forkAll([one, one, one])
          yield* Effect.fork(watched)
          while ((yield* Effect.forEach(jobs, ({ id }) => queue.find(id))).some(({ status }) => isOpen(status))) {
            yield* Effect.sleep("20 millis")
          }
          yield* Fiber.interrupt(processes)
          const ended = yield* Effect.forEach(jobs, ({ id }) => queue.find(id))
          expect(ended.map(({ attempts, status }) => [status, attempts])).toEqual(jobs.map(() => ["succeeded", 1]))
          // Time for a look that was under way when the refusal was written.
          const from = (yield* Deferred.await(told)) + 500
          expect(begun.filter((at) => at >= from && at < refusedAt + wait)).toEqual([])
          const texts = new Set(played.calls.flat())
          expect(texts.size).toBe(18)
          expect(played.calls.length).toBeLessThan(18 + 12)
        }).pipe(Effect.provide(process(played, tenant)))
      })

      it.effect("gives a job back at once, unspent, where the wait is long, and nobody takes it before its end", () => {
        const played = script((_, call) => call === 1 ? limited("10 minutes") : serve)
        return Effect.gen(function*() {
          const queue = yield* JobQueue
          const gates = yield* Gates
          const first = yield* put(catalog("a", numbered(6, "a")), provider)
          const second = yield* put(catalog("b", numbered(6, "b")), provider)
          const job = yield* workOn(first.id)
          expect(job).toMatchObject({ status: "pending", attempts: 0 })
          expect((yield* gates.cooling).map(({ provider }) => provider)).toEqual(["scripted"])
          const calls = played.calls.length
          expect(yield* workOn(second.id)).toMatchObject({ status: "pending", attempts: 0 })
          expect(played.calls.length).toBe(calls)
          expect((yield* queue.find(first.id)).status).toBe("pending")
        }).pipe(Effect.provide(process(played, freshTenant())))
      })

      it.effect("goes back to pending, unspent, where another's refusal begins a long wait in its midst", () => {
        const begun = Effect.runSync(Deferred.make<void>())
        const until = Effect.runSync(Deferred.make<void>())
        // Nobody is answered before the refusal has been seen, so that texts are left when it has.
        const played = script(() => ({ _tag: "Hold", begun, until }))
        return Effect.gen(function*() {
          const pacer = yield* Pacer
          const seen = yield* Deferred.make<void>()
          const isFree = (of: string) =>
            Effect.tap(pacer.isFree(of), (free) => free ? Effect.void : Deferred.succeed(seen, undefined))
          const job = yield* put(catalog("a", numbered(9, "a")), provider)
          const running = yield* Effect.fork(Effect.provideService(workOn(job.id), Pacer, { ...pacer, isFree }))
          yield* Deferred.await(begun)
          yield* pacer.throttled("scripted", 0, Duration.minutes(10))
          yield* Deferred.await(seen)
          yield* Deferred.succeed(until, undefined)
          expect(yield* Fiber.join(running)).toMatchObject({ status: "pending", attempts: 0, lastError: Option.none() })
          expect(played.calls.length).toBeLessThan(9)
        }).pipe(Effect.provide(process(played, freshTenant())))
      })

      it.effect("keeps a question from being asked, which the full text answers with the reason", () => {
        const played = script((texts) => texts.includes("slow") ? limited("10 minutes") : serve)
        return Effect.gen(function*() {
          const job = yield* put(catalog("a", numbered(3, "a")), provider)
          expect((yield* workOn(job.id)).status).toBe("succeeded")
          const question = { question: "slow", limit: 3 } as const
          const refused = yield* search(question)
          expect(refused.degraded?.reason).toContain("slow down")
          const calls = played.calls.length
          const kept = yield* search({ ...question, question: "text number 1" })
          expect(kept.degraded?.reason).toContain("slow down")
          expect(kept.hits.length).toBeGreaterThan(0)
          expect(played.calls.length).toBe(calls)
        }).pipe(Effect.provide(process(played, freshTenant())))
      })
    }
  )
