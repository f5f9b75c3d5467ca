import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { enqueueInTransaction } from "../../../src/adapters/postgres/index/enqueueInTransaction.js"
import * as GatesInSql from "../../../src/adapters/postgres/gates/Gates.js"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import * as PacerInSql from "../../../src/adapters/postgres/gates/Pacer.js"
import * as StoreEmbedderInSql from "../../../src/adapters/postgres/embedder/StoreEmbedder.js"
import * as MaintenanceInSql from "../../../src/adapters/postgres/maintenance/Maintenance.js"
import * as ReconcilerInSql from "../../../src/adapters/postgres/index/Reconciler.js"
import * as WakeUpsInSql from "../../../src/adapters/postgres/jobs/WakeUps.js"
import * as WorkerLockInSql from "../../../src/adapters/postgres/jobs/WorkerLock.js"
import { CatalogStore } from "../../../src/domain/catalog/CatalogStore.js"
import { EmbedderProfile } from "../../../src/domain/index/EmbedderProfile.js"
import type { HeldSource } from "../../../src/domain/index/IndexJob.js"
import { IndexStore } from "../../../src/domain/index/IndexStore.js"
import { Reconciler } from "../../../src/domain/index/Reconciler.js"
import { StoreEmbedder } from "../../../src/domain/index/StoreEmbedder.js"
import { noProgress } from "../../../src/domain/job/Job.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import type { Held } from "../../../src/domain/job/JobQueue.js"
import { Maintenance } from "../../../src/domain/job/Maintenance.js"
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
import * as Outcomes from "../../support/Outcomes.js"
import * as Kit from "./queueKit.js"
import { rung } from "./wakeUps.js"

/** Every store, built once and for no tenant in particular. */
const stores = Layer.mergeAll(
  Indexing.stores,
  GatesInSql.layer,
  PacerInSql.layer,
  StoreEmbedderInSql.layer,
  MaintenanceInSql.layer,
  ReconcilerInSql.layer,
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

const vectors = (held: HeldSource) =>
  Effect.map(IndexStore, (store): Walk<IndexStore["Type"]> => ({
    dimensionOf: is(null)(store.dimensionOf(Indexing.space.model)),
    counts: is({ items: 0, current: 0, refused: 0 })(store.counts(held, Indexing.space)),
    pending: is([])(store.pending(held, Indexing.space, -1, 10)),
    known: is(new Set())(store.known(held, Indexing.space, [Indexing.sha("add a pet")])),
    refusals: is([])(store.refusals(Indexing.source("pets"), 10)),
    forgetRefusals: is(0)(store.forgetRefusals(Indexing.source("pets"))),
    persist: failsAs("LeaseLost")(
      store.persist(held, Indexing.space, {
        vectors: Indexing.vectorsOf("add a pet"),
        items: [{ id: "a", hash: Indexing.sha("add a pet"), chunks: [Indexing.sha("add a pet")] }],
        refusals: [],
        progress: noProgress
      })
    ),
    equalise: failsAs("LeaseLost")(store.equalise(held, Indexing.space, noProgress))
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

/** `theirs` is all that the other tenant can ask for, `held` what it could make of a job that it has heard of. */
const queue = (theirs: string, ready: Held["job"]["id"], held: Held) =>
  Effect.map(JobQueue, (jobs): Walk<JobQueue["Type"]> => {
    const wanted = Kit.wantedOf(theirs)
    return {
      claim: is([])(jobs.claim({ worker: WorkerId.make("theirs"), slots: 5, duration: minute, ...wanted })),
      renew: is(new Set())(jobs.renew([held], minute)),
      lost: is(new Set())(jobs.lost([held])),
      disown: is(0)(jobs.disown({ worker: held.worker, tenants: [held.tenant], held: [], duration: minute })),
      fenced: failsAs("LeaseLost")(jobs.fenced(held, Option.none(), Effect.dieMessage("nothing is written"))),
      settle: failsAs("LeaseLost")(jobs.settle(held, Outcomes.completed)),
      settleAll: is(new Set())(jobs.settleAll([{ held, outcome: Outcomes.completed }])),
      stepNames: is(new Set())(jobs.stepNames(held)),
      stepResult: is<unknown>(null)(jobs.stepResult(held, "one")),
      storeStep: failsAs("LeaseLost")(jobs.storeStep(held, { name: "two", result: 2, millis: 0 })),
      steps: is([])(jobs.steps(held.job.id, 10)),
      isReclaimDue: is(false)(jobs.isReclaimDue(wanted.tenants)),
      reclaim: is({ freed: 0, failed: 0 })(jobs.reclaim(wanted.tenants)),
      nextReadyIn: is(Option.none())(jobs.nextReadyIn(wanted)),
      find: failsAs("JobNotFound")(jobs.find(ready)),
      list: is([])(jobs.list({ limit: 10 })),
      retry: failsAs("JobNotFound")(jobs.retry(ready)),
      cancel: failsAs("JobNotFound")(jobs.cancel(ready)),
      countFor: is(0)(jobs.countFor("cancel", {})),
      askAll: is(0)(jobs.askAll("cancel", {})),
      enqueue: Effect.gen(function*() {
        const [made] = yield* jobs.enqueue(Kit.request("ready", { provider: "theirs" }))
        expect((yield* jobs.list({ limit: 10 })).map((job) => job.id)).toEqual([made?.id])
      })
    }
  })

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
  throttled: Effect.gen(function*() {
    yield* pacer.throttled("fake", 0, Duration.seconds(1))
    expect(yield* pacer.take("fake")).toMatchObject({ _tag: "Cooling" })
  })
}))

const space = { ...Indexing.space, model: "another" }

const maintenance = Effect.map(Maintenance, (keep): Walk<Maintenance["Type"]> => ({
  claimTask: is(true)(keep.claimTask("reconcile", minute)),
  repairPending: is(0)(keep.repairPending),
  prune: is(0)(keep.prune(Duration.zero, 10))
}))

const reconciler = Effect.map(Reconciler, (keep): Walk<Reconciler["Type"]> => ({
  unmatched: is([])(keep.unmatched(space)),
  open: is(0)(keep.open([{ source: Indexing.source("idle"), provider: "fake", maxAttempts: 3, after: null }]))
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
            yield* walked(yield* vectors({ ...held, tenant: theirs }))
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
          yield* as(mine)(Effect.asVoid(Kit.enqueue("late")))
          const [held] = yield* as(mine)(Kit.claim(1, "mine", Duration.zero))
          const { id } = yield* as(mine)(Kit.enqueue("ready"))
          if (held === undefined) return yield* Effect.dieMessage("nothing to claim")
          const jobs = yield* JobQueue
          yield* jobs.storeStep(held, { name: "one", result: 1, millis: 0 })
          yield* as(theirs)(Effect.flatMap(queue(theirs, id, { ...held, tenant: theirs }), walked))
          yield* as(mine)(Effect.gen(function*() {
            expect((yield* jobs.steps(held.job.id, 10)).map(({ name }) => name)).toEqual(["one"])
            expect(yield* Kit.isReclaimDue).toBe(true)
            expect(yield* Kit.reclaim).toEqual({ freed: 1, failed: 0 })
            expect((yield* Kit.claim(5)).map(({ job }) => job.key).toSorted()).toEqual(["late", "ready"])
            expect((yield* jobs.find(id)).provider).toBe("ollama")
          }))
        }))

      it.effect("have gates, cooldowns and maintenance of their own", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const [mine, theirs] = yield* two
          yield* as(mine)(Effect.gen(function*() {
            yield* Effect.flatMap(Gates, (shut) => shut.close(gate, "key", Option.none(), "mine"))
            yield* Kit.cool("fake", "1 minute")
            yield* Indexing.putSource("idle")
            yield* Kit.settle(yield* Kit.begun("over", { provider: "free" }), Outcomes.completed)
            yield* Kit.enqueue("lost")
            yield* sql`delete from holdfast.pending where tenant = ${mine}`
            expect(yield* Effect.flatMap(Maintenance, (keep) => keep.claimTask("reconcile", minute))).toBe(true)
          }))
          yield* as(theirs)(Effect.gen(function*() {
            yield* walked(yield* gates)
            yield* walked(yield* paces)
            yield* walked(yield* maintenance)
            yield* walked(yield* reconciler)
          }))
          yield* as(mine)(Effect.gen(function*() {
            const keep = yield* Maintenance
            expect((yield* (yield* Gates).closed).map(({ detail }) => detail)).toEqual(["mine"])
            expect(yield* (yield* Pacer).isFree("fake")).toBe(false)
            expect(yield* keep.claimTask("reconcile", minute)).toBe(false)
            expect((yield* (yield* Reconciler).unmatched(space)).map(({ source }) => source.id)).toContain("idle")
            expect(yield* keep.repairPending).toBe(1)
            expect(yield* keep.prune(Duration.zero, 10)).toBe(1)
          }))
        }))

      it.scoped("see and wake workers of their own", () =>
        Effect.gen(function*() {
          const [mine, theirs] = yield* two
          const lock = yield* WorkerLock
          const registered = Effect.flatMap(Kit.wanted, lock.register)
          const { id } = yield* as(mine)(registered)
          const walk: Walk<WorkerLock["Type"]> = {
            register: Effect.scoped(Effect.gen(function*() {
              const other = yield* registered
              expect((yield* lock.living).map((one) => one.id)).toEqual([other.id])
            })),
            living: is([])(lock.living)
          }
          yield* as(theirs)(walked(walk))
          expect((yield* as(mine)(lock.living)).map((one) => one.id)).toEqual([id])

          const heard = (tenant: string) =>
            Effect.gen(function*() {
              const waiting = yield* Effect.fork(as(tenant)(rung("400 millis")))
              yield* Effect.yieldNow()
              yield* as(mine)(Kit.enqueue("bell"))
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
          const made = yield* as(mine)(enqueueInTransaction({ source: Indexing.source("pets"), provider: "fake" }))
          const listed = Effect.flatMap(JobQueue, (jobs) => jobs.list({ limit: 10 }))
          expect((yield* as(mine)(listed)).map(({ id }) => id)).toEqual([made.id])
          expect(yield* as(theirs)(listed)).toEqual([])
        }))
    })
  })
