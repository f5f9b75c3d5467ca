import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { enqueueInTransaction } from "../../../src/adapters/postgres/jobs/enqueueInTransaction.js"
import * as GatesInSql from "../../../src/adapters/postgres/gates/Gates.js"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import * as PacerInSql from "../../../src/adapters/postgres/gates/Pacer.js"
import * as StoreEmbedderInSql from "../../../src/adapters/postgres/embedder/StoreEmbedder.js"
import * as UpkeepInSql from "../../../src/adapters/postgres/upkeep/Upkeep.js"
import * as WakeUpsInSql from "../../../src/adapters/postgres/jobs/WakeUps.js"
import * as WorkerLockInSql from "../../../src/adapters/postgres/jobs/WorkerLock.js"
import { CatalogStore } from "../../../src/domain/catalog/CatalogStore.js"
import { EmbedderProfile } from "../../../src/domain/index/EmbedderProfile.js"
import { IndexStore } from "../../../src/domain/index/IndexStore.js"
import { StoreEmbedder } from "../../../src/domain/index/StoreEmbedder.js"
import { noProgress } from "../../../src/domain/job/Job.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import type { Held } from "../../../src/domain/job/JobQueue.js"
import { Outcome } from "../../../src/domain/job/Outcome.js"
import { Upkeep } from "../../../src/domain/job/Upkeep.js"
import type { WakeUps } from "../../../src/domain/job/WakeUps.js"
import { WorkerId } from "../../../src/domain/lease/Lease.js"
import { WorkerLock } from "../../../src/domain/lease/WorkerLock.js"
import { Pacer } from "../../../src/domain/retry/Pacer.js"
import { SearchIndex } from "../../../src/domain/search/SearchIndex.js"
import { GateRef } from "../../../src/domain/session/Gate.js"
import { Gates } from "../../../src/domain/session/Gates.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend, Database } from "../../support/Databases.js"
import * as Indexing from "../../support/Indexing.js"
import * as Kit from "./queueKit.js"
import { rung } from "./wakeUps.js"

/** Every store, built once and for no tenant in particular. */
const stores = Layer.mergeAll(
  Indexing.stores,
  GatesInSql.layer,
  PacerInSql.layer,
  StoreEmbedderInSql.layer,
  UpkeepInSql.layer,
  WakeUpsInSql.layer,
  WorkerLockInSql.layer
)

type Services = Layer.Layer.Success<typeof stores> | Database

/** What the other tenant sees, operation by operation: a new one of the port does not compile without its line. */
type Walk<Port> = { readonly [Operation in keyof Port]: Effect.Effect<void, unknown, Services | Tenant> }

const pets = Indexing.catalog("pets", { a: "add a pet", b: "find a pet" })
const gate = GateRef.make({ kind: "provider", name: "fake" })
const minute = Kit.minute

/** Nobody else's names. */
const two = Effect.sync(() => [Indexing.freshTenant(), Indexing.freshTenant()] as const)

const as = (tenant: string) => Effect.provideService(Tenant, tenant)

const is = <A>(expected: A) => <B, E, R>(effect: Effect.Effect<B, E, R>) =>
  Effect.map(effect, (found) => expect(found).toEqual(expected))

const failsAs = (tag: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (failure) => expect(failure).toMatchObject({ _tag: tag }))

const catalogs = Effect.map(CatalogStore, (store): Walk<CatalogStore["Type"]> => ({
  list: is([])(store.list),
  find: failsAs("CatalogNotFound")(store.find("pets")),
  remove: failsAs("CatalogNotFound")(store.remove("pets")),
  put: Effect.gen(function*() {
    yield* store.put({ ...pets, items: pets.items.slice(1) }, Indexing.plain)
    expect((yield* store.list).map(({ items }) => items)).toEqual([1])
    yield* store.remove("pets")
  })
}))

const vectors = (held: Held) =>
  Effect.map(IndexStore, (store): Walk<IndexStore["Type"]> => ({
    dimensionOf: is(null)(store.dimensionOf(Indexing.space.model)),
    standing: is({ items: 0, current: 0, refused: 0 })(store.standing(held, Indexing.space)),
    pending: is([])(store.pending(held, Indexing.space, -1, 10)),
    known: is(new Set())(store.known(held, Indexing.space, [Indexing.sha("add a pet")])),
    refusals: is([])(store.refusals(Kit.source("pets"), 10)),
    persist: failsAs("LeaseLost")(
      store.persist(held, Indexing.space, {
        vectors: Indexing.vectorsOf("add a pet"),
        items: [{ id: "a", hash: Indexing.sha("add a pet"), chunks: [Indexing.sha("add a pet")] }],
        refusals: [],
        progress: noProgress
      })
    ),
    complete: failsAs("LeaseLost")(store.complete(held, Indexing.space, noProgress))
  }))

const legs = Effect.map(SearchIndex, (index): Walk<SearchIndex["Type"]> => ({
  lexical: is([])(index.lexical("pet", {}, 10)),
  semantic: is([])(index.semantic(Indexing.vectorOf("add a pet"), Indexing.space, {}, 10)),
  served: is([])(index.served(Indexing.space, {}))
}))

const embedder = EmbedderProfile.make({
  provider: "fake",
  model: "model",
  dimension: Option.some(4),
  chunkWords: 100
})
const another = EmbedderProfile.make({ ...embedder, model: "another" })

const embedders = Effect.map(StoreEmbedder, (store): Walk<StoreEmbedder["Type"]> => ({
  find: is(Option.none())(store.find),
  headway: is({ sources: 0, moved: 0, items: 0, done: 0, refused: 0, failed: 0 })(store.headway),
  estimate: is({ sources: 0, texts: 0, stored: 0 })(store.estimate(embedder)),
  redirect: is(0)(store.redirect),
  retire: is(true)(store.retire),
  adopt: is({ uses: another, leaving: [] })(store.adopt(another)),
  named: is("theirs")(store.named("fake/another", "theirs")),
  change: is({ uses: embedder, leaving: [another] })(store.change(embedder))
}))

const request = { worker: WorkerId.make("theirs"), slots: 5, duration: minute }

const queue = (ready: Held["job"]["id"], held: Held) =>
  Effect.map(JobQueue, (jobs): Walk<JobQueue["Type"]> => ({
    claim: is([])(jobs.claim(request)),
    renew: is(new Set())(jobs.renew([held], minute)),
    settle: failsAs("LeaseLost")(jobs.settle(held, Outcome.Completed())),
    settleAll: is(new Set())(jobs.settleAll([held], Outcome.Completed())),
    isReclaimDue: is(false)(jobs.isReclaimDue),
    reclaim: is({ freed: 0, failed: 0 })(jobs.reclaim),
    nextReadyIn: is(Option.none())(jobs.nextReadyIn()),
    find: failsAs("JobNotFound")(jobs.find(ready)),
    list: is([])(jobs.list({ limit: 10 })),
    retry: failsAs("JobNotFound")(jobs.retry(ready)),
    cancel: failsAs("JobNotFound")(jobs.cancel(ready)),
    enqueue: Effect.gen(function*() {
      const { id } = yield* jobs.enqueue(Kit.request("ready", { provider: "theirs" }))
      expect((yield* jobs.list({ limit: 10 })).map((job) => job.id)).toEqual([id])
    })
  }))

const gates = Effect.map(Gates, (shut): Walk<Gates["Type"]> => ({
  closed: is([])(shut.closed),
  cooling: is([])(shut.cooling),
  open: is(false)(shut.open(gate)),
  endCooldown: is(false)(shut.endCooldown("fake")),
  close: is(true)(shut.close(gate, "budget", Option.none(), ""))
}))

const paces = Effect.map(Pacer, (pacer): Walk<Pacer["Type"]> => ({
  isFree: is(true)(pacer.isFree("fake")),
  take: is({ _tag: "Free" })(pacer.take("fake")),
  stands: is(true)(pacer.stands("fake", 7)),
  refused: Effect.gen(function*() {
    yield* pacer.refused("fake", 0, Duration.seconds(1))
    expect(yield* pacer.take("fake")).toMatchObject({ _tag: "Cooling" })
  })
}))

const space = { ...Indexing.space, model: "another" }

const upkeep = Effect.map(Upkeep, (keep): Walk<Upkeep["Type"]> => ({
  isTurn: is(true)(keep.isTurn("reconcile", minute)),
  unmatched: is([])(keep.unmatched(space)),
  lineUp: is(0)(keep.lineUp),
  open: is(0)(keep.open([{ source: Kit.source("idle"), provider: "fake", maxAttempts: 3, after: null }])),
  prune: is(0)(keep.prune(Duration.zero, 10))
}))

const walked = <Port>(walk: Walk<Port>) =>
  Effect.forEach(Object.values<Effect.Effect<void, unknown, Services | Tenant>>(walk), (step) => step, {
    discard: true
  })

/** One process, one set of stores, two tenants: what one writes, the other neither sees nor changes. */
export const tenants = (backend: Backend) =>
  describe(`two tenants in one process on ${backend.name}`, () => {
    layer(Layer.provideMerge(stores, backend.fresh(all)), { timeout: "2 minutes", excludeTestServices: true })((it) => {
      it.effect("have catalogs, vectors and hits of their own", () =>
        Effect.gen(function*() {
          const [mine, theirs] = yield* two
          yield* as(mine)(Effect.flatMap(StoreEmbedder, (store) => store.adopt(embedder)))
          yield* as(mine)(Indexing.indexed(pets))
          const held = yield* as(mine)(Indexing.begin({ ...pets, revision: "two" }, Indexing.forced))
          yield* as(theirs)(Effect.gen(function*() {
            yield* walked(yield* vectors(held))
            yield* walked(yield* legs)
            yield* walked(yield* embedders)
            yield* walked(yield* catalogs)
          }))
          yield* as(mine)(Effect.gen(function*() {
            expect(yield* Indexing.embedSome(held)).toHaveLength(2)
            expect((yield* Indexing.finish(held)).status).toBe("succeeded")
            expect(yield* Indexing.served("add a pet")).toEqual(["a", "b"])
            expect(yield* (yield* StoreEmbedder).find).toEqual(Option.some({ uses: embedder, leaving: [] }))
          }))
        }), 120_000)

      it.effect("have jobs of their own, which no worker of the other takes, frees or ends", () =>
        Effect.gen(function*() {
          const [mine, theirs] = yield* two
          yield* as(mine)(Effect.asVoid(Kit.asked("late")))
          const [held] = yield* as(mine)(Kit.claim(1, "mine", Duration.zero))
          const { id } = yield* as(mine)(Kit.asked("ready"))
          if (held === undefined) return yield* Effect.dieMessage("nothing to claim")
          yield* as(theirs)(Effect.flatMap(queue(id, held), walked))
          yield* as(mine)(Effect.gen(function*() {
            const jobs = yield* JobQueue
            expect(yield* jobs.isReclaimDue).toBe(true)
            expect(yield* jobs.reclaim).toEqual({ freed: 1, failed: 0 })
            expect((yield* Kit.claim(5)).map(({ job }) => job.source.id).toSorted()).toEqual(["late", "ready"])
            expect((yield* jobs.find(id)).provider).toBe("ollama")
          }))
        }))

      it.effect("have gates, cooldowns and upkeep of their own", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const [mine, theirs] = yield* two
          yield* as(mine)(Effect.gen(function*() {
            yield* Effect.flatMap(Gates, (shut) => shut.close(gate, "key", Option.none(), "mine"))
            yield* Kit.cool("fake", "1 minute")
            yield* Kit.putSource("idle", "one")
            yield* Kit.putSource("done", "one")
            yield* Kit.settle(yield* Kit.begun("over", { provider: "free" }), Outcome.Completed())
            yield* Kit.enqueue("lost")
            yield* sql`delete from holdfast.pending where tenant = ${mine}`
            expect(yield* Effect.flatMap(Upkeep, (keep) => keep.isTurn("reconcile", minute))).toBe(true)
          }))
          yield* as(theirs)(Effect.gen(function*() {
            yield* walked(yield* gates)
            yield* walked(yield* paces)
            yield* walked(yield* upkeep)
          }))
          yield* as(mine)(Effect.gen(function*() {
            const keep = yield* Upkeep
            expect((yield* (yield* Gates).closed).map(({ detail }) => detail)).toEqual(["mine"])
            expect(yield* (yield* Pacer).isFree("fake")).toBe(false)
            expect(yield* keep.isTurn("reconcile", minute)).toBe(false)
            expect((yield* keep.unmatched(space)).map(({ source }) => source.id)).toContain("idle")
            expect(yield* keep.lineUp).toBe(1)
            expect(yield* keep.prune(Duration.zero, 10)).toBe(1)
          }))
        }))

      it.scoped("see and wake workers of their own", () =>
        Effect.gen(function*() {
          const [mine, theirs] = yield* two
          const lock = yield* WorkerLock
          const { id } = yield* as(mine)(lock.register)
          const walk: Walk<WorkerLock["Type"]> = {
            register: Effect.scoped(Effect.gen(function*() {
              const other = yield* lock.register
              expect([...yield* lock.living]).toEqual([other.id])
            })),
            living: is(new Set())(lock.living)
          }
          yield* as(theirs)(walked(walk))
          expect([...yield* as(mine)(lock.living)]).toEqual([id])

          const heard = (tenant: string) =>
            Effect.gen(function*() {
              const waiting = yield* Effect.fork(as(tenant)(rung("400 millis")))
              yield* Effect.yieldNow()
              yield* as(mine)(Kit.asked("bell"))
              return yield* waiting.await
            })
          const hears: Walk<WakeUps["Type"]> = {
            hear: Effect.gen(function*() {
              // The first hearer opens the session, which rings everyone once.
              while (yield* as(theirs)(rung("200 millis")));
              expect(yield* heard(mine)).toEqual(Exit.succeed(true))
              expect(yield* heard(theirs)).toEqual(Exit.succeed(false))
            })
          }
          yield* as(mine)(walked(hears))
        }))

      it.effect("enqueue in transactions of their own", () =>
        Effect.gen(function*() {
          const [mine, theirs] = yield* two
          const made = yield* as(mine)(enqueueInTransaction({ source: Kit.source("pets"), provider: "fake" }))
          const listed = Effect.flatMap(JobQueue, (jobs) => jobs.list({ limit: 10 }))
          expect((yield* as(mine)(listed)).map(({ id }) => id)).toEqual([made.id])
          expect(yield* as(theirs)(listed)).toEqual([])
        }))
    })
  })
