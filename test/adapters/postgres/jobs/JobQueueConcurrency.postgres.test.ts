import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Claim from "../../../../src/adapters/postgres/jobs/claim.js"
import { guard } from "../../../../src/adapters/postgres/jobs/guard.js"
import * as Pending from "../../../../src/adapters/postgres/jobs/pending.js"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { transact } from "../../../../src/adapters/postgres/driver/transact.js"
import { Tables } from "../../../../src/adapters/postgres/driver/Tables.js"
import type { Held } from "../../../../src/domain/job/JobQueue.js"
import { JobQueue } from "../../../../src/domain/job/JobQueue.js"
import { Outcome } from "../../../../src/domain/job/Outcome.js"
import { Tenant } from "../../../../src/domain/store/Tenant.js"
import { freshPostgres } from "../../../support/Databases.js"
import * as Kit from "../../suites/queueKit.js"
import * as Outcomes from "../../../support/Outcomes.js"

/** As many ready jobs, in one statement. */
const fill = Effect.fnUntraced(function*(count: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    with made as (
      insert into holdfast.job (tenant, kind, key, provider, max_attempts, run_at, payload)
      select ${yield* Tenant}, ${Kit.kind}, 'key-' || n, 'ollama', 3, now() - n * interval '1 millisecond', '{}'
      from generate_series(1, ${count}::integer) as n
      returning *
    )
    ${Pending.writing(sql, yield* Tables, "made")}`
})

/** Ends when this many sessions wait for a lock. */
const waitingForLock = (count: number): Effect.Effect<void, unknown, SqlClient.SqlClient> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const waiting = yield* sql`select pid from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`
    if (waiting.length < count) yield* waitingForLock(count)
  })

interface PlanNode {
  readonly "Node Type": string
  readonly "Relation Name"?: string
  readonly "Index Name"?: string
  readonly Plans?: ReadonlyArray<PlanNode>
}

interface Explained {
  readonly "QUERY PLAN": ReadonlyArray<{ readonly Plan: PlanNode }>
}

const nodes = (node: PlanNode): ReadonlyArray<PlanNode> => [node, ...(node.Plans ?? []).flatMap(nodes)]

describe("the job queue among many workers", () => {
  // A connection for each that acts at once: whoever waits for one longer than a connect may take fails.
  it.layer(freshPostgres(all, { maxConnections: 40 }), { timeout: "60 seconds" })((it) => {
    it.effect("never gives the same job to two of 20 claimers", () =>
      Kit.alone(Effect.gen(function*() {
        yield* fill(1000)
        const drain = (worker: string): Effect.Effect<ReadonlyArray<Held>, unknown, JobQueue | Tenant> =>
          Effect.flatMap(Kit.claim(7, worker), (held) =>
            held.length === 0
              ? Effect.succeed([])
              : Effect.map(drain(worker), (more) => [...held, ...more]))
        const taken = yield* Effect.all(Array.from({ length: 20 }, (_, n) => drain(`worker-${n}`)), {
          concurrency: "unbounded"
        })
        const ids = taken.flat().map(({ job }) => job.id)
        expect(new Set(ids).size).toBe(ids.length)
        const sql = yield* SqlClient.SqlClient
        const left = yield* sql`select id from holdfast.job where tenant = ${yield* Tenant} and status <> 'running'`
        // A claimer that meets only rows that others hold at that moment gives up; what it skipped is theirs.
        expect(ids.length + left.length).toBe(1000)
        expect(left.length).toBe(0)
      })))

    it.effect("frees a job once, however many look at once", () =>
      Kit.alone(Effect.gen(function*() {
        yield* fill(50)
        yield* Kit.claim(50)
        yield* Kit.pass(Duration.minutes(2))
        const counts = yield* Effect.all(Array.from({ length: 20 }, () => Kit.reclaim), { concurrency: "unbounded" })
        expect(counts.reduce((sum, { freed }) => sum + freed, 0)).toBe(50)
        const queue = yield* JobQueue
        const crashes = (yield* queue.list({ limit: 100 })).map((job) => job.crashes)
        expect(new Set(crashes)).toEqual(new Set([1]))
      })))

    it.effect("keeps one open job a key when many enqueue it at once", () =>
      Kit.alone(Effect.gen(function*() {
        const jobs = yield* Effect.all(Array.from({ length: 20 }, () => Kit.enqueue("pets")), {
          concurrency: "unbounded"
        })
        expect(new Set(jobs.map((job) => job.id)).size).toBe(1)
      })))

    it.effect("runs again when another wish commits while the completion waits for it", () =>
      Kit.alone(Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        const edited = yield* Deferred.make<void>()
        const commit = yield* Deferred.make<void>()
        const edit = yield* Effect.fork(transact(Effect.gen(function*() {
          yield* Kit.enqueue("pets", { version: "two" })
          yield* Deferred.succeed(edited, undefined)
          yield* Deferred.await(commit)
        })))
        yield* Deferred.await(edited)
        const completion = yield* Effect.fork(Kit.settle(held, Outcomes.completed))
        yield* waitingForLock(1)
        yield* Deferred.succeed(commit, undefined)
        yield* Fiber.join(edit)
        expect((yield* Fiber.join(completion)).status).toBe("pending")
      })))

    it.effect("opens a new job when the completion commits while another wish waits for it", () =>
      Kit.alone(Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        const completed = yield* Deferred.make<void>()
        const commit = yield* Deferred.make<void>()
        const completion = yield* Effect.fork(transact(Effect.gen(function*() {
          const settled = yield* Kit.settle(held, Outcomes.completed)
          yield* Deferred.succeed(completed, undefined)
          yield* Deferred.await(commit)
          return settled
        })))
        yield* Deferred.await(completed)
        const edit = yield* Effect.fork(transact(Kit.enqueue("pets", { version: "two" })))
        yield* waitingForLock(1)
        yield* Deferred.succeed(commit, undefined)
        expect((yield* Fiber.join(completion)).status).toBe("succeeded")
        const next = yield* Fiber.join(edit)
        expect([next.status, next.id === held.job.id]).toEqual(["pending", false])
      })))

    it.effect("lets no newer claim come between a guard and the end of its transaction", () =>
      Kit.alone(Effect.gen(function*() {
        const held = yield* Kit.begun("pets")
        yield* Kit.pass(Duration.minutes(2))
        const guarded = yield* Deferred.make<void>()
        const commit = yield* Deferred.make<void>()
        const persist = yield* Effect.fork(transact(Effect.gen(function*() {
          yield* guard(held, Option.none())
          yield* Deferred.succeed(guarded, undefined)
          yield* Deferred.await(commit)
        })))
        yield* Deferred.await(guarded)
        expect(yield* Kit.reclaim).toEqual({ freed: 0, failed: 0 })
        expect(yield* Kit.claim(1, "b")).toEqual([])
        yield* Deferred.succeed(commit, undefined)
        yield* Fiber.join(persist)
        expect(yield* Kit.reclaim).toEqual({ freed: 1, failed: 0 })
      })))

    it.effect("makes one job ready when many retry two jobs of one key", () =>
      Kit.alone(Effect.gen(function*() {
        const queue = yield* JobQueue
        const halted = Outcomes.halted(Kit.unavailable)
        const one = yield* Kit.begun("pets")
        yield* Kit.settle(one, halted)
        const two = yield* Kit.begun("pets")
        yield* Kit.settle(two, halted)
        const answers = yield* Effect.all(
          Array.from({ length: 20 }, (_, n) => queue.retry(n % 2 === 0 ? one.job.id : two.job.id)),
          { concurrency: "unbounded" }
        )
        expect(new Set(answers.map((job) => job.id)).size).toBe(1)
        expect((yield* queue.list({ status: ["pending"], limit: 9 })).length).toBe(1)
      })))

    it.effect(
      "lines up each pending job once, whatever many do to a few jobs at once",
      () =>
        Kit.alone(Effect.gen(function*() {
          const queue = yield* JobQueue
          const sql = yield* SqlClient.SqlClient
          yield* Effect.forEach(["a", "b", "c"], (id) => Kit.enqueue(id))
          const some = Effect.map(queue.list({ limit: 3 }), (jobs) => jobs.map(({ id }) => id))
          const late = ["JobStateConflict", "JobNotFound", "LeaseLost"]
          const act = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E, JobQueue | Tenant>) =>
            Effect.asVoid(Effect.catchIf(effect, (error) => late.includes(error._tag), () => Effect.void))
          const settled = (outcome: Outcome) =>
            act(Effect.flatMap(Kit.claim(2), Effect.forEach((held) => act(Kit.settle(held, outcome)))))
          const actors: ReadonlyArray<Effect.Effect<void, { readonly _tag: string }, JobQueue | Tenant>> = [
            settled(Outcomes.completed),
            settled(Outcome.Released()),
            act(Effect.forEach(["a", "b", "c"], (key) => Kit.enqueue(key))),
            act(queue.enqueue({ ...Kit.request("a"), jobs: ["c", "a", "b"].map((key) => Kit.newJob(key)) })),
            act(queue.askAll("cancel", { kind: Kit.kind })),
            act(queue.askAll("retry", { kind: Kit.kind })),
            act(Effect.flatMap(some, Effect.forEach((id) => act(queue.retry(id))))),
            act(Effect.flatMap(some, Effect.forEach((id) => act(queue.cancel(id)))))
          ]
          yield* Effect.forEach([...actors, ...actors, ...actors, ...actors], (actor) => Effect.repeatN(actor, 25), {
            concurrency: "unbounded",
            discard: true
          })
          const overlooked = yield* sql`
          select id from holdfast.job where tenant = ${yield* Tenant} and status = 'pending'
          except select id from holdfast.pending where tenant = ${yield* Tenant}`
          expect(overlooked).toEqual([])
          yield* Kit.claim(9)
          expect(yield* sql`select id from holdfast.pending where tenant = ${yield* Tenant}`).toEqual([])
        })),
      120_000
    )

    it.effect("claims from 20,000 jobs by index alone, whatever the statistics say", () =>
      Kit.alone(Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const tenant = yield* Tenant
        const t = yield* Tables
        const given = { ...Pending.sought(Kit.wantedOf(tenant)), worker: "a", slots: 100, millis: 60_000 }
        const planOf = Effect.map(
          sql<Explained>`explain (format json) ${Claim.statement(sql, t, given, sql``)}`,
          ([row]) => row?.["QUERY PLAN"][0]?.Plan ?? { "Node Type": "none" }
        )
        yield* fill(20_000)
        const stale = yield* planOf
        yield* sql`analyze holdfast.job, holdfast.pending`
        const known = yield* planOf
        for (const plan of [stale, known]) {
          const scans = nodes(plan).filter((node) => ["job", "pending"].includes(node["Relation Name"] ?? ""))
          expect(scans.length).toBeGreaterThan(4)
          expect(scans.filter((node) => node["Node Type"] === "Seq Scan")).toEqual([])
        }
      })))
  })
})
