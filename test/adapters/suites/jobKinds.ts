import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import { noProgress } from "../../../src/domain/job/Job.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import type { Wanted } from "../../../src/domain/lease/Wanted.js"
import type { NewJob } from "../../../src/domain/job/JobQueue.js"
import { Outcome } from "../../../src/domain/job/Outcome.js"
import { WorkerId } from "../../../src/domain/lease/Lease.js"
import { GateRef } from "../../../src/domain/session/Gate.js"
import { Gates } from "../../../src/domain/session/Gates.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Outcomes from "../../support/Outcomes.js"
import * as Kit from "./queueKit.js"

const ask = (
  kind: string,
  jobs: ReadonlyArray<NewJob>,
  more: Partial<Pick<Parameters<JobQueue["Type"]["enqueue"]>[0], "ifOver" | "ifRunning">> = {}
) =>
  Effect.flatMap(
    JobQueue,
    (queue) => queue.enqueue({ kind, jobs, ifRunning: "again-if-changed", ifOver: "open-another", ...more })
  )

const claimed = (wanted: Wanted, slots = 100) =>
  Effect.map(
    Effect.flatMap(JobQueue, (queue) =>
      queue.claim({ worker: WorkerId.make("a"), slots, duration: Kit.minute, ...wanted })),
    (held) =>
      held.map(({ job, tenant }) => ({ tenant, kind: job.kind, key: job.key }))
  )

const keys = (wanted: Wanted, slots = 100) => Effect.map(claimed(wanted, slots), (jobs) => jobs.map(({ key }) => key))

const own = (...kinds: ReadonlyArray<string>) => Effect.map(Tenant, (tenant) => Kit.wantedOf(tenant, ...kinds))

/** What a queue of many kinds, tenants, providers and sessions keeps. */
export const jobKinds = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute" })(`A queue of many kinds on ${backend.name}`, (it) => {
    it.effect("gives a worker the kinds that it runs, and leaves the others alone", () =>
      Kit.alone(Effect.gen(function*() {
        yield* ask("digest", [Kit.newJob("a")])
        yield* ask("shell", [Kit.newJob("b")])
        const queue = yield* JobQueue
        expect(yield* claimed(yield* own("deliver"))).toEqual([])
        expect(Option.isNone(yield* queue.nextReadyIn(yield* own("deliver")))).toBe(true)
        expect(yield* keys(yield* own("shell", "deliver"))).toEqual(["b"])
        expect(yield* keys(yield* own("shell", "digest"))).toEqual(["a"])
      })))

    it.effect("gives a worker that runs a kind for one provider that provider's jobs", () =>
      Kit.alone(Effect.gen(function*() {
        yield* ask("embed", ["a", "b", "c", null].map((provider, n) => Kit.newJob(String(n), { provider })))
        const tenant = yield* Tenant
        const only = (provider: string) => ({
          tenants: [tenant],
          kinds: [{ kind: "embed", provider: Option.some(provider) }]
        })
        expect(yield* keys(only("b"))).toEqual(["1"])
        expect(yield* keys(only("bb"))).toEqual([])
        expect(yield* keys(only("c"))).toEqual(["2"])
      })))

    it.effect("keeps one open job for each kind and key", () =>
      Kit.alone(Effect.gen(function*() {
        const [first] = yield* ask("digest", [Kit.newJob("same")])
        const [other] = yield* ask("shell", [Kit.newJob("same")])
        const [again] = yield* ask("digest", [Kit.newJob("same", { payload: { n: 2 } })])
        expect(other?.id).not.toBe(first?.id)
        expect(again?.id).toBe(first?.id)
        const [one, two] = yield* ask("digest", [Kit.newJob(null), Kit.newJob(null)])
        expect(one?.id).not.toBe(two?.id)
        expect(one?.key).not.toBe(two?.key)
      })))

    it.effect("enqueues many in one statement, and answers in their order; of one key the last one counts", () =>
      Kit.alone(Effect.gen(function*() {
        const jobs = ["c", "a", "b", "a"].map((key, n) => Kit.newJob(key, { payload: { n } }))
        const answers = yield* ask("digest", jobs)
        expect(answers.map(({ key }) => key)).toEqual(["c", "a", "b", "a"])
        expect(answers[1]?.id).toBe(answers[3]?.id)
        const [a] = yield* (yield* JobQueue).list({ kind: "digest", key: "a", limit: 10 })
        expect(a?.payload).toEqual({ n: 3 })
      })))

    it.effect("takes what is ready by priority, then by time, over all kinds, providers and sessions", () =>
      Effect.gen(function*() {
        const job = FastCheck.record({
          kind: FastCheck.constantFrom("digest", "shell"),
          provider: FastCheck.constantFrom(null, "a", "b"),
          session: FastCheck.constantFrom(null, "s"),
          priority: FastCheck.integer({ min: -2, max: 2 })
        })
        const [sample = []] = FastCheck.sample(FastCheck.array(job, { minLength: 30, maxLength: 30 }), { numRuns: 1 })
        yield* Kit.alone(Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          for (const [n, { kind, ...more }] of sample.entries()) {
            yield* ask(kind, [Kit.newJob(String(n), more)])
            // Each was asked for a second after the one before it.
            yield* sql`update holdfast.pending set run_at = now() - ${
              100 - n
            } * interval '1 second' where id = (select max(id) from holdfast.pending where tenant = ${yield* Tenant})`
            yield* sql`update holdfast.job set run_at = now() - ${
              100 - n
            } * interval '1 second' where id = (select max(id) from holdfast.job where tenant = ${yield* Tenant})`
          }
          const expected = sample.map((one, n) => ({ ...one, n }))
            .toSorted((a, b) => b.priority - a.priority || a.n - b.n).map(({ n }) => String(n))
          const got: Array<string> = []
          while (got.length < sample.length) got.push(...yield* keys(yield* own("digest", "shell"), 7))
          expect(got).toEqual(expected)
        }))
      }))

    it.effect("holds a job back behind its session's gate and behind its provider's, and no other", () =>
      Kit.alone(Effect.gen(function*() {
        const gates = yield* Gates
        yield* ask("digest", [
          Kit.newJob("plain", { provider: "a" }),
          Kit.newJob("by session", { provider: "a", session: "s" }),
          Kit.newJob("other provider, same session", { provider: "b", session: "s" }),
          Kit.newJob("a session called like a provider", { provider: null, session: "a" })
        ])
        yield* gates.close(GateRef.make({ kind: "session", name: "s" }), "sign-in", Option.none(), "")
        expect((yield* keys(yield* own("digest"))).toSorted()).toEqual(["a session called like a provider", "plain"])
        yield* gates.open(GateRef.make({ kind: "session", name: "s" }))
        yield* gates.close(GateRef.make({ kind: "provider", name: "a" }), "key", Option.none(), "")
        expect(yield* keys(yield* own("digest"))).toEqual(["other provider, same session"])
      })))

    it.effect("stands a parked job behind the gate that closed, also where it had named none", () =>
      Kit.alone(Effect.gen(function*() {
        yield* ask("digest", [Kit.newJob("a", { provider: null })])
        const queue = yield* JobQueue
        const gate = GateRef.make({ kind: "session", name: "corp" })
        const [held] = yield* queue.claim({
          worker: WorkerId.make("a"),
          slots: 1,
          duration: Kit.minute,
          ...yield* own("digest")
        })
        yield* (yield* Gates).close(gate, "sign-in", Option.none(), "")
        if (held !== undefined) yield* queue.settle(held, Outcomes.parked(Kit.unavailable, gate, "sign-in"))
        expect(yield* claimed(yield* own("digest"))).toEqual([])
        yield* (yield* Gates).open(gate)
        expect(yield* keys(yield* own("digest"))).toEqual(["a"])
      })))

    it.effect("serves several tenants by one claim, and mixes nothing of theirs", () =>
      Effect.gen(function*() {
        const [one, two, three] = [Kit.newTenant(), Kit.newTenant(), Kit.newTenant()]
        const as = <A, E, R>(tenant: string, effect: Effect.Effect<A, E, R>) =>
          Effect.provide(effect, Kit.queueOf(tenant))
        for (const tenant of [one, two, three]) yield* as(tenant, ask("digest", [Kit.newJob("same")]))
        yield* as(
          two,
          Effect.flatMap(
            Gates,
            (gates) => gates.close(GateRef.make({ kind: "provider", name: "ollama" }), "key", Option.none(), "")
          )
        )
        yield* as(
          one,
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const wanted = { tenants: [one, two], kinds: Kit.wantedOf(one, "digest").kinds }
            const held = yield* queue.claim({ worker: WorkerId.make("a"), slots: 10, duration: Kit.minute, ...wanted })
            expect(held.map(({ tenant }) => tenant)).toEqual([one])
          })
        )
        yield* as(two, Effect.flatMap(Gates, (gates) => gates.open(GateRef.make({ kind: "provider", name: "ollama" }))))
        yield* as(
          three,
          Effect.gen(function*() {
            const queue = yield* JobQueue
            const wanted = { tenants: [two, three], kinds: Kit.wantedOf(one, "digest").kinds }
            const held = yield* queue.claim({ worker: WorkerId.make("a"), slots: 10, duration: Kit.minute, ...wanted })
            expect(held.map(({ tenant }) => tenant).toSorted()).toEqual([two, three].toSorted())
            expect((yield* queue.renew(held, Kit.minute)).size).toBe(2)
            for (const each of held) yield* queue.settle(each, Outcomes.completed)
          })
        )
        const states = yield* Effect.forEach([one, two, three], (tenant) =>
          as(
            tenant,
            Effect.map(
              Effect.flatMap(JobQueue, (queue) => queue.list({ limit: 9 })),
              (jobs) => jobs.map(({ status }) => status)
            )
          ))
        expect(states).toEqual([["running"], ["succeeded"], ["succeeded"]])
      }))

    it.effect("gives up a claim whose answer was lost, and neither what its worker knows nor what is on its way", () =>
      Kit.alone(Effect.gen(function*() {
        const queue = yield* JobQueue
        const tenant = yield* Tenant
        const known = yield* Kit.begun("known")
        yield* Kit.begun("lost")
        yield* Kit.enqueue("another's")
        yield* Kit.claim(1, "b")
        const disowned = queue.disown({ worker: known.worker, tenants: [tenant], held: [known], duration: Kit.minute })
        expect(yield* disowned).toBe(0)
        yield* Kit.pass("10 seconds")
        yield* Kit.begun("on its way")
        expect(yield* disowned).toBe(1)
        expect((yield* queue.reclaim([tenant])).freed).toBe(1)
        const states = (yield* queue.list({ limit: 9 })).map(({ key, status }) => `${key} ${status}`).toSorted()
        expect(states).toEqual(["another's running", "known running", "lost pending", "on its way running"])
      })))

    it.effect("keeps a job for a later time, and starts it once it has come", () =>
      Kit.alone(Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const [row] = yield* sql<{ readonly at: Date }>`select now() + interval '10 minutes' as at`
        yield* ask("digest", [Kit.newJob("a", { runAt: DateTime.unsafeFromDate(row?.at ?? new Date(0)) })])
        expect(yield* keys(yield* own("digest"))).toEqual([])
        yield* Kit.pass("10 minutes")
        expect(yield* keys(yield* own("digest"))).toEqual(["a"])
      })))

    it.effect("leaves a job that is over as it is, where that is asked: a tick runs once", () =>
      Kit.alone(Effect.gen(function*() {
        const [first] = yield* ask("tick", [Kit.newJob("08:00")])
        const queue = yield* JobQueue
        const [held] = yield* queue.claim({
          worker: WorkerId.make("a"),
          slots: 1,
          duration: Kit.minute,
          ...yield* own("tick")
        })
        if (held !== undefined) yield* queue.settle(held, Outcome.Completed({ output: { ran: true }, partial: false }))
        const [left] = yield* ask("tick", [Kit.newJob("08:00", { payload: { n: 2 } })], { ifOver: "leave" })
        expect([left?.id, left?.status]).toEqual([first?.id, "succeeded"])
        expect((yield* queue.find(left?.id ?? Kit.nobody)).output).toEqual({ ran: true })
        const [another] = yield* ask("tick", [Kit.newJob("08:00")])
        expect(another?.id).not.toBe(first?.id)
      })))

    it.effect("runs a write under the fence whole, or not at all", () =>
      Kit.alone(Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const queue = yield* JobQueue
        yield* sql`create table if not exists written (tenant text, n integer)`
        const tenant = yield* Tenant
        const write = (n: number) => Effect.orDie(sql`insert into written values (${tenant}, ${n})`)
        const written = Effect.map(
          sql<{ readonly n: number }>`select n from written where tenant = ${tenant} order by n`,
          (rows) => rows.map(({ n }) => n)
        )
        const held = yield* Kit.begun("a")
        yield* queue.fenced(held, Option.some({ ...noProgress, done: 1, total: 2 }), write(1))
        expect((yield* Kit.find(held)).progress).toMatchObject({ done: 1, total: 2 })
        yield* Effect.flip(queue.fenced(held, Option.none(), Effect.zipRight(write(2), Effect.fail("no"))))
        expect((yield* Kit.find(held)).progress).toMatchObject({ done: 1, total: 2 })
        yield* queue.cancel(held.job.id)
        const late = yield* Effect.flip(queue.fenced(held, Option.none(), write(3)))
        expect(late._tag).toBe("LeaseLost")
        expect(yield* written).toEqual([1])
      })))

    it.effect("stores a finished step under the fence, once, with its run", () =>
      Kit.alone(Effect.gen(function*() {
        const queue = yield* JobQueue
        const held = yield* Kit.begun("a")
        yield* queue.storeStep(held, { name: "draft", result: { words: 3 }, millis: 20 })
        yield* queue.storeStep(held, { name: "draft", result: { words: 4 }, millis: 20 })
        expect([...yield* queue.stepNames(held)]).toEqual(["draft"])
        expect(yield* queue.stepResult(held, "draft")).toEqual({ words: 3 })
        const [step] = yield* queue.steps(held.job.id, 10)
        expect(step).toMatchObject({ name: "draft", attempt: 1 })
        expect(DateTime.distance(step?.startedAt ?? DateTime.unsafeMake(0), step?.finishedAt ?? DateTime.unsafeMake(0)))
          .toBe(20)
        yield* queue.cancel(held.job.id)
        const late = yield* Effect.flip(queue.storeStep(held, { name: "save", result: null, millis: 0 }))
        expect(late._tag).toBe("LeaseLost")
      })))

    it.effect("retries and cancels many at once, says how many before, and leaves out what is not meant", () =>
      Kit.alone(Effect.gen(function*() {
        const queue = yield* JobQueue
        yield* ask("digest", ["a", "b", "c"].map((key) => Kit.newJob(key)))
        yield* ask("shell", [Kit.newJob("d")])
        const held = yield* queue.claim({
          worker: WorkerId.make("a"),
          slots: 9,
          duration: Kit.minute,
          ...yield* own("digest", "shell")
        })
        for (const one of held) {
          if (one.job.key !== "c") yield* queue.settle(one, Outcomes.halted(Kit.unavailable))
        }
        const failed = { kind: "digest", status: ["failed"] } as const
        expect(yield* queue.countFor("retry", failed)).toBe(2)
        expect(yield* queue.askAll("retry", failed)).toBe(2)
        expect(yield* queue.askAll("retry", failed)).toBe(0)
        expect(yield* queue.countFor("cancel", { status: ["pending", "running"] })).toBe(3)
        expect(yield* queue.askAll("cancel", { kind: "digest", status: ["pending", "running"] })).toBe(3)
        const states = (yield* queue.list({ limit: 9 })).map(({ key, status }) => `${key} ${status}`).toSorted()
        expect(states).toEqual(["a cancelled", "b cancelled", "c cancelled", "d failed"])
        // Whoever ran one of them hears of it at the next write.
        const running = held.find(({ job }) => job.key === "c")
        if (running !== undefined) expect((yield* Effect.flip(Kit.fenced(running)))._tag).toBe("LeaseLost")
      })))
  })
