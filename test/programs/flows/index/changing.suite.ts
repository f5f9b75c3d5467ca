import { expect, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { Embedder } from "../../../../src/domain/index/Embedder.js"
import * as Profile from "../../../../src/domain/index/EmbedderProfile.js"
import { OtherEmbedders } from "../../../../src/domain/index/OtherEmbedders.js"
import { StoreEmbedder } from "../../../../src/domain/index/StoreEmbedder.js"
import { ModelNotFound } from "../../../../src/domain/failure/Failure.js"
import { JobQueue } from "../../../../src/domain/job/JobQueue.js"
import * as Admission from "../../../../src/programs/flows/index/Admission.js"
import * as ChangeEmbedder from "../../../../src/programs/flows/index/ChangeEmbedder.js"
import { reconcile } from "../../../../src/programs/flows/index/Reconcile.js"
import { search } from "../../../../src/programs/flows/search/Search.js"
import { work, workOn } from "../../../../src/programs/flows/index/IndexWorker.js"
import type { Backend } from "../../../support/Databases.js"
import * as House from "../../../support/House.js"
import { catalog, freshTenant, put, rows } from "../../../support/Indexing.js"
import { fail, script, scripted } from "../../../support/ScriptedEmbedder.js"
import type { Options, Script } from "../../../support/ScriptedEmbedder.js"

const working = House.settings({ pollInterval: Duration.millis(200) })

const house = (played: Script, tenant: string, options: Options = {}) => House.house(played, options, tenant, working)

const pets = catalog("pets", { a: "one text", b: "another text" })
const cars = catalog("cars", { c: "a third text", d: "another text" })

/** Index a catalog as `index` does: the first one decides which embedder the store uses. */
const index = (stored: typeof pets) =>
  Effect.zipRight(
    Admission.adopted,
    Effect.flatMap(put(stored, { provider: "scripted", maxAttempts: 3, force: false }), (job) => workOn(job.id))
  )

const asked = (played: Script) => played.calls.flat().toSorted()

const move = Effect.gen(function*() {
  const { to } = yield* ChangeEmbedder.plan()
  yield* ChangeEmbedder.begin(to)
  return yield* ChangeEmbedder.carryOut(() => Effect.void)
})

const uses = Effect.flatMap(StoreEmbedder, (store) => store.find)

const question = (mode: "semantic" | "hybrid") => search({ question: "one text", mode, limit: 9 })

const found = (mode: "semantic" | "hybrid") =>
  Effect.map(question(mode), ({ degraded, hits }) => ({
    hits: hits.filter(({ scores }) => scores.semantic !== undefined).map(({ id }) => id).toSorted(),
    degraded: degraded?.reason ?? null
  }))

const jobs = Effect.flatMap(JobQueue, (queue) => queue.list({ limit: 100 }))

/** What an embedder that is asked for the change has in its settings. */
const newer: Options = { model: "newer", dimension: 4 }

/** How a store moves to another embedder, and what others may do meanwhile. */
export const changing = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "2 minutes", excludeTestServices: true })(
    `A change of the embedder on ${backend.name}`,
    (it) => {
      it.effect("is refused to whoever just comes with another one, and nothing is done for them", () => {
        const tenant = freshTenant()
        const other = script()
        other.dimension = 4
        return Effect.gen(function*() {
          yield* Effect.provide(index(pets), house(script(), tenant))
          yield* Effect.gen(function*() {
            const refused = [yield* Effect.flip(work), yield* Effect.flip(reconcile()), yield* Effect.flip(index(cars))]
            expect(new Set(refused.map(({ _tag }) => _tag))).toEqual(new Set(["EmbedderMismatch"]))
          }).pipe(Effect.provide(house(other, tenant, newer)))
          yield* Effect.gen(function*() {
            expect(other.calls).toEqual([])
            expect((yield* jobs).map(({ status }) => status)).toEqual(["succeeded"])
            expect(yield* reconcile()).toBe(0)
          }).pipe(Effect.provide(house(script(), tenant)))
        })
      })

      it.effect("makes each new vector once, and lets nothing of the old ones stay", () => {
        const tenant = freshTenant()
        const other = script()
        other.dimension = 4
        return Effect.gen(function*() {
          yield* Effect.provide(Effect.zipRight(index(pets), index(cars)), house(script(), tenant))
          yield* Effect.gen(function*() {
            const { estimate, step } = yield* ChangeEmbedder.plan()
            expect([step, estimate]).toEqual(["change", { sources: 2, texts: 3, stored: 0 }])
            other.calls.length = 0
            expect(yield* move).toMatchObject({ sources: 2, moved: 2, items: 4, done: 4, isOver: true })
            expect(asked(other).filter((text) => text.endsWith("text"))).toEqual([
              "a third text",
              "another text",
              "one text"
            ])
            expect(yield* rows("embedding")).toBe(3)
            expect((yield* ChangeEmbedder.plan()).step).toBe("none")
            expect(yield* found("semantic")).toEqual({ hits: ["a", "b", "c", "d"], degraded: null })
          }).pipe(Effect.provide(house(other, tenant, newer)))
        })
      })

      it.effect("asks for nothing again on the way there and back", () => {
        const tenant = freshTenant()
        const first = script()
        const begun = Effect.runSync(Deferred.make<void>())
        const until = Effect.runSync(Deferred.make<void>())
        const other = script((texts) =>
          texts.includes("a third text") ? { _tag: "Hold", begun, until } : { _tag: "Serve" }
        )
        other.dimension = 4
        return Effect.gen(function*() {
          yield* Effect.provide(Effect.zipRight(index(cars), index(pets)), house(first, tenant))
          const before = first.calls.length
          // One catalog has moved when the person goes back.
          yield* Effect.gen(function*() {
            const moving = yield* Effect.fork(move)
            yield* Deferred.await(begun)
            yield* Deferred.succeed(until, undefined)
            yield* Stream.repeatEffect(
              Effect.delay(Effect.flatMap(StoreEmbedder, (store) => store.headway), "20 millis")
            ).pipe(
              Stream.filter(({ moved }) => moved > 0),
              Stream.runHead
            )
            yield* Fiber.interrupt(moving)
          }).pipe(Effect.provide(house(other, tenant, newer)))
          yield* Effect.gen(function*() {
            const { estimate, step } = yield* ChangeEmbedder.plan()
            expect([step, estimate.texts - estimate.stored]).toEqual(["change", 0])
            expect(yield* move).toMatchObject({ moved: 2, isOver: true })
            expect(first.calls.slice(before).flat().filter((text) => text.endsWith("text"))).toEqual([])
            expect(yield* found("semantic")).toEqual({ hits: ["a", "b", "c", "d"], degraded: null })
          }).pipe(Effect.provide(house(first, tenant)))
        })
      })

      it.effect("asks each catalog in the space that it has, and names those that it cannot ask", () => {
        const tenant = freshTenant()
        const first = script()
        const other = script()
        other.dimension = 4
        return Effect.gen(function*() {
          yield* Effect.provide(Effect.zipRight(index(pets), index(cars)), house(first, tenant))
          yield* Effect.gen(function*() {
            const { to } = yield* ChangeEmbedder.plan()
            yield* ChangeEmbedder.begin(to)
            const [job] = (yield* jobs).filter(({ key, status }) => key === "catalog/cars" && status === "pending")
            if (job === undefined) return expect.unreachable()
            yield* workOn(job.id)
            expect(yield* found("hybrid")).toEqual({
              hits: ["c", "d"],
              degraded:
                "only the full text of pets was searched: indexed with scripted/scripted, which the settings do not name"
            })
            const reach = Layer.succeed(OtherEmbedders, {
              of: (wanted: { readonly model: string }) =>
                wanted.model === "scripted"
                  ? Effect.map(Layer.build(scripted(first)), (made) => Option.some(Context.get(made, Embedder)))
                  : Effect.succeedNone
            })
            expect(yield* Effect.provide(found("semantic"), reach)).toEqual({
              hits: ["a", "b", "c", "d"],
              degraded: null
            })
          }).pipe(Effect.provide(house(other, tenant, newer)))
          expect(yield* Effect.provide(found("hybrid"), house(first, tenant))).toEqual({
            hits: ["a", "b"],
            degraded:
              "only the full text of cars was searched: indexed with scripted/newer, which the settings do not name"
          })
        })
      })

      it.effect("ends a worker that the store moves away from, after what is under way was stored", () => {
        const tenant = freshTenant()
        const begun = Effect.runSync(Deferred.make<void>())
        const until = Effect.runSync(Deferred.make<void>())
        const slow = script((texts) =>
          texts.includes("a third text") ? { _tag: "Hold", begun, until } : { _tag: "Serve" }
        )
        const other = script()
        other.dimension = 4
        return Effect.gen(function*() {
          yield* Effect.gen(function*() {
            yield* index(pets)
            yield* put(cars, { provider: "scripted", maxAttempts: 3, force: false })
            const worker = yield* Effect.fork(work)
            yield* Deferred.await(begun)
            yield* Effect.provide(
              Effect.flatMap(ChangeEmbedder.plan(), ({ to }) => ChangeEmbedder.begin(to)),
              scripted(other, newer)
            )
            yield* Deferred.succeed(until, undefined)
            expect(yield* Effect.flip(Fiber.join(worker))).toMatchObject({ _tag: "EmbedderMismatch", isLeft: true })
          }).pipe(Effect.provide(house(slow, tenant)))
          yield* Effect.gen(function*() {
            expect((yield* jobs).map(({ status }) => status).filter((status) => status === "running")).toEqual([])
            expect(yield* move).toMatchObject({ moved: 2, isOver: true })
          }).pipe(Effect.provide(house(other, tenant, newer)))
        })
      })

      it.effect("cuts the texts anew for another size of chunks, and asks for the new chunks alone", () => {
        const tenant = freshTenant()
        const coarse = script()
        const fine = script()
        const long = catalog("long", { a: "one two three four. five six seven eight.", b: "one text" })
        return Effect.gen(function*() {
          yield* Effect.provide(index(long), house(coarse, tenant, { chunkWords: 20 }))
          expect(asked(coarse)).toEqual(["one text", "one two three four. five six seven eight."])
          yield* Effect.gen(function*() {
            expect((yield* Effect.flip(work))._tag).toBe("EmbedderMismatch")
            const { estimate, to } = yield* ChangeEmbedder.plan()
            expect(estimate.sources).toBe(1)
            fine.calls.length = 0
            yield* ChangeEmbedder.begin(to)
            expect(yield* ChangeEmbedder.carryOut(() => Effect.void)).toMatchObject({ isOver: true })
            expect(asked(fine)).toEqual(["five six seven eight.", "one two three four."])
            expect(yield* rows("chunk")).toBe(3)
          }).pipe(Effect.provide(house(fine, tenant, { chunkWords: 5 })))
        })
      })

      it.effect("is no change where another model answers under the same name: nothing of it is stored", () => {
        const tenant = freshTenant()
        const [first, later, back] = [script(), script(), script()]
        return Effect.gen(function*() {
          yield* Effect.provide(index(pets), house(first, tenant, { answersAs: "bge-m3" }))
          const refused = yield* Effect.provide(index(cars), house(later, tenant, { answersAs: "e5-large" }))
          expect([refused.status, refused.attempts]).toEqual(["failed", 1])
          expect(Option.getOrThrow(refused.lastError).message).toContain("embedder.model")
          expect(Option.getOrThrow(refused.lastError).detail).toContain(
            "of the model bge-m3 and the answers are of e5-large"
          )
          yield* Effect.gen(function*() {
            expect(yield* rows("embedding")).toBe(2)
            expect((yield* index(cars)).status).toBe("succeeded")
          }).pipe(Effect.provide(house(back, tenant, { answersAs: "BAAI/bge-m3" })))
        })
      })

      it.effect("is no change where a search, or the call before a change, meets another model under the same name", () => {
        const tenant = freshTenant()
        const other: Options = { answersAs: "e5-large" }
        return Effect.gen(function*() {
          yield* Effect.provide(index(pets), house(script(), tenant, { answersAs: "bge-m3" }))
          yield* Effect.gen(function*() {
            expect(yield* Effect.flip(question("semantic"))).toMatchObject({
              _tag: "InvalidRequest",
              setting: "embedder.model",
              detail: expect.stringContaining("of the model bge-m3 and the answers are of e5-large")
            })
            const { degraded, hits } = yield* found("hybrid")
            expect([degraded, hits]).toEqual([expect.stringContaining("embedder.model"), []])
          }).pipe(Effect.provide(house(script(), tenant, other)))
          const cutOtherwise = house(script(), tenant, { ...other, chunkWords: 5 })
          expect(yield* Effect.flip(Effect.provide(ChangeEmbedder.plan(), cutOtherwise))).toMatchObject({
            _tag: "InvalidRequest",
            setting: "embedder.model"
          })
          const unknown = house(script(), tenant, { ...other, model: "e5" })
          expect((yield* Effect.provide(ChangeEmbedder.plan(), unknown)).step).toBe("change")
        })
      })

      it.effect("is no change where answers have another dimension than the store: the first one ends the job", () => {
        const tenant = freshTenant()
        const other = script()
        other.dimension = 4
        return Effect.gen(function*() {
          yield* Effect.provide(index(pets), house(script(), tenant, { dimension: null }))
          const refused = yield* Effect.provide(index(cars), house(other, tenant, { dimension: null }))
          expect([refused.status, refused.attempts, other.calls.length]).toEqual(["failed", 1, 1])
          expect(Option.getOrThrow(refused.lastError)).toMatchObject({
            tag: "InvalidRequest",
            detail: expect.stringContaining("have 8 dimensions and the answers 4: another model")
          })
        })
      })

      it.effect("is not begun with an embedder that does not answer", () => {
        const tenant = freshTenant()
        const broken = script(() => fail(new ModelNotFound({ provider: "scripted", detail: "404", model: "m" })))
        return Effect.gen(function*() {
          yield* Effect.provide(index(pets), house(script(), tenant))
          yield* Effect.gen(function*() {
            expect((yield* Effect.flip(ChangeEmbedder.plan()))._tag).toBe("ModelNotFound")
            expect(Option.map(yield* uses, ({ uses }) => Profile.qualified(uses))).toEqual(
              Option.some("scripted/scripted")
            )
          }).pipe(Effect.provide(house(broken, tenant, newer)))
        })
      })

      it.effect("says what is left where a catalog fails for good, and goes on from there", () => {
        const tenant = freshTenant()
        let mended = false
        const other = script((texts) =>
          !mended && texts.includes("a third text")
            ? fail(new ModelNotFound({ provider: "scripted", detail: "404", model: "m" }))
            : { _tag: "Serve" }
        )
        other.dimension = 4
        return Effect.gen(function*() {
          yield* Effect.provide(Effect.zipRight(index(pets), index(cars)), house(script(), tenant))
          yield* Effect.gen(function*() {
            expect(yield* move).toMatchObject({ sources: 2, moved: 1, failed: 1, isOver: false })
            mended = true
            expect((yield* ChangeEmbedder.plan()).step).toBe("resume")
            expect(yield* move).toMatchObject({ moved: 2, failed: 0, isOver: true })
          }).pipe(Effect.provide(house(other, tenant, newer)))
        })
      })
    }
  )
