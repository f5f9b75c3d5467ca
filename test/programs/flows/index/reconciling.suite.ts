import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import * as Failure from "../../../../src/domain/failure/Failure.js"
import { JobQueue } from "../../../../src/domain/job/JobQueue.js"
import { Tenant } from "../../../../src/domain/store/Tenant.js"
import { reconcile } from "../../../../src/programs/flows/index/Reconcile.js"
import { work, workOn } from "../../../../src/programs/flows/index/IndexWorker.js"
import type { Backend } from "../../../support/Databases.js"
import * as House from "../../../support/House.js"
import { catalog, freshTenant, put } from "../../../support/Indexing.js"
import { fail, script } from "../../../support/ScriptedEmbedder.js"
import type { Options, Script } from "../../../support/ScriptedEmbedder.js"

const working = House.settings({ pollInterval: Duration.millis(200) })

const house = (played: Script, options: Options = {}, tenant = freshTenant()) =>
  House.house(played, options, tenant, working)

const pets = catalog("pets", { a: "one text", b: "another text" })
const run = Effect.flatMap(put(pets, { provider: "scripted", maxAttempts: 3, force: false }), (job) => workOn(job.id))

const newest = Effect.flatMap(JobQueue, (queue) => Effect.map(queue.list({ limit: 1 }), ([job]) => job))

const loseVectors = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from holdfast.chunk where tenant = ${yield* Tenant} and item_id = 'a'`
})

const age = (by: Duration.DurationInput) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql`update holdfast.job
      set finished_at = finished_at - ${Duration.toMillis(by)}::float8 * interval '1 millisecond'
      where tenant = ${yield* Tenant}`
  })

/** How sources get their vectors back without anyone asking. */
export const reconciling = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute", excludeTestServices: true })(
    `The reconciler on ${backend.name}`,
    (it) => {
      it.effect("opens nothing where all vectors match", () =>
        Effect.gen(function*() {
          yield* run
          expect(yield* reconcile()).toBe(0)
        }).pipe(Effect.provide(house(script()))))

      it.effect("has a worker make what was lost as soon as it starts, with calls for nothing else", () => {
        const played = script()
        return Effect.gen(function*() {
          const first = yield* run
          yield* loseVectors
          const worker = yield* Effect.fork(work)
          const again = yield* Stream.repeatEffect(Effect.delay(newest, "50 millis")).pipe(
            Stream.filter((job) => job !== undefined && job.id !== first.id && job.status === "succeeded"),
            Stream.runHead
          )
          yield* Fiber.interrupt(worker)
          expect(Option.getOrUndefined(again)).toMatchObject({
            maxAttempts: 3,
            progress: { done: 2, total: 2, detail: { refused: 0 } }
          })
          expect(played.calls.length).toBe(1)
        }).pipe(Effect.provide(house(played)))
      })

      it.effect("indexes a source anew for a worker with another model", () => {
        const tenant = freshTenant()
        const other = script()
        return Effect.gen(function*() {
          yield* Effect.provide(run, house(script(), {}, tenant))
          yield* Effect.gen(function*() {
            expect(yield* reconcile()).toBe(1)
            expect(yield* reconcile()).toBe(0)
            const job = yield* newest
            if (job === undefined) return expect.unreachable()
            expect((yield* workOn(job.id)).status).toBe("succeeded")
            expect(other.calls.flat().toSorted()).toEqual(["another text", "one text"])
            expect(yield* reconcile()).toBe(0)
          }).pipe(Effect.provide(house(other, { model: "newer" }, tenant)))
        })
      })

      it.effect("leaves a source alone for a while after its job failed, but not a person who asks", () =>
        Effect.gen(function*() {
          expect((yield* run).status).toBe("failed")
          expect(yield* reconcile()).toBe(0)
          yield* age("5 minutes")
          expect(yield* reconcile()).toBe(1)
          const job = yield* newest
          if (job === undefined) return expect.unreachable()
          expect((yield* workOn(job.id)).status).toBe("failed")
          yield* age("5 minutes")
          expect(yield* reconcile()).toBe(0)
          expect((yield* run).status).toBe("failed")
        }).pipe(
          Effect.provide(
            house(script(() => fail(new Failure.ModelNotFound({ provider: "scripted", detail: "404", model: "m" }))))
          )
        ))
    }
  )
