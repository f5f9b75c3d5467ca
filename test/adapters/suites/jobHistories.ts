import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import { prepared } from "../../../src/adapters/postgres/driver/Prepared.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import * as JobRow from "../../../src/adapters/postgres/jobs/JobRow.js"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import { JobId } from "../../../src/domain/job/Job.js"
import type { Held } from "../../../src/domain/job/JobQueue.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import type { JobState } from "../../../src/domain/job/JobTransition.js"
import { WorkerId } from "../../../src/domain/lease/Lease.js"
import { Gates } from "../../../src/domain/session/Gates.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as Model from "../../support/JobModel.js"
import * as Kit from "./queueKit.js"

const key = "the key"

/** The claims so far, the newest first, and how often each kind of step changed something. */
interface Hands {
  claims: ReadonlyArray<Held>
}

/** A worker whose lock nobody holds has every lease of this tenant. */
const bury = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const tenant = yield* Tenant
  yield* sql`
    insert into holdfast.worker (tenant, id, lock_number, host, pid, kinds)
    values (${tenant}, 'dead', 2147483646, 'here', 1, '[]') on conflict do nothing`
  yield* sql`update holdfast.lease set worker = 'dead' where tenant = ${tenant}`
})

const enqueue = Effect.fnUntraced(function*(world: Model.World, pick: number) {
  const queue = yield* JobQueue
  const { asked, ifOver, version } = Model.requestOf(world, pick)
  const wait = DateTime.distanceDuration(world.now, asked.runAt)
  const sql = yield* SqlClient.SqlClient
  const [clock] = yield* sql<{ readonly now: Date }>`select now() as now`
  const now = DateTime.unsafeFromDate(clock?.now ?? new Date(0))
  yield* queue.enqueue({
    kind: Model.jobKind,
    ifRunning: asked.ifRunning,
    ifOver,
    jobs: [
      Kit.newJob(key, {
        ...asked.behind,
        payload: { version },
        version: String(version),
        priority: asked.priority,
        maxAttempts: asked.maxAttempts,
        runAt: Duration.toMillis(wait) === 0 ? null : DateTime.addDuration(now, wait)
      })
    ]
  })
})

/** The same step on the real queue. Refusals are expected: what counts is how the rows stand afterwards. */
const take = Effect.fnUntraced(function*(
  hands: Hands,
  { kind, pick }: Model.Step,
  before: Model.World,
  after: Model.World
) {
  const queue = yield* JobQueue
  const gates = yield* Gates
  const tenant = yield* Tenant
  const holder = hands.claims[Model.holderAt(pick, hands.claims.length)]
  const byHolder = (act: (held: Held) => Effect.Effect<unknown, unknown>) =>
    holder === undefined ? Effect.void : Effect.ignore(act(holder))
  const byNumber = (act: (id: JobId) => Effect.Effect<unknown, unknown, Tenant>) =>
    Effect.flatMap(newest, (row) => row === undefined ? Effect.void : Effect.ignore(act(JobId.make(row.id))))
  switch (kind) {
    case "claim": {
      const claimed = yield* queue.claim({
        worker: WorkerId.make("a"),
        slots: 5,
        duration: Model.lease,
        tenants: [tenant],
        kinds: [Model.wanted(pick)]
      })
      hands.claims = [...claimed, ...hands.claims]
      return
    }
    case "beat":
      return yield* byHolder((held) => queue.renew([held], Model.lease))
    case "persist":
      return yield* byHolder((held) => queue.fenced(held, Model.progressOf(pick), Effect.void))
    case "step":
      return yield* byHolder((held) => queue.storeStep(held, { name: Model.stepName(pick), result: pick, millis: 1 }))
    case "complete":
      return yield* byHolder((held) => queue.settle(held, Model.completion(pick)))
    case "fail":
      return yield* byHolder((held) => queue.settle(held, Model.failing(pick)))
    case "expire":
    case "wait":
      return yield* Kit.pass(DateTime.distanceDuration(before.now, after.now))
    case "look":
      return yield* queue.reclaim([tenant])
    case "crash":
      return yield* Effect.zipRight(bury, queue.reclaim([tenant]))
    case "enqueue":
      return yield* enqueue(before, pick)
    case "cancel":
      return yield* byNumber(queue.cancel)
    case "retry":
      return yield* byNumber(queue.retry)
    case "shut":
      return yield* gates.close(Model.gateOf(pick), "key", Option.none(), "")
    case "open":
      return yield* gates.open(Model.gateOf(pick))
  }
})

const minutesBetween = (from: DateTime.Utc, to: DateTime.Utc) =>
  Math.round((DateTime.toEpochMillis(to) - DateTime.toEpochMillis(from)) / 60_000) + 0

interface Row extends JobRow.JobRow {
  readonly now: Date
  readonly again: boolean
  readonly steps: ReadonlyArray<string>
  /** Rows of `pending` that do not agree with their jobs, and leases that outlived the last job under them. */
  readonly odd: number
}

/** The newest job with all that belongs to it, by one statement: a history looks after each of its steps. */
const newest = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const tenant = yield* Tenant
  const [row] = yield* sql<Row>`${prepared}
    select job.*, lease.worker, lease.expires_at as lease_expires_at, now() as now,
      array(
        select step.name from holdfast.job_step step
        where step.tenant = job.tenant and step.job = job.id and step.run = job.run order by step.name
      ) as steps,
      (select count(*) from holdfast.lease where lease.tenant = job.tenant and cardinality(lease.jobs) = 0)
        + (
          select count(*) from holdfast.job as one full join holdfast.pending
            on pending.tenant = one.tenant and pending.id = one.id and pending.run_at = one.run_at
              and (pending.kind, pending.provider, pending.session, pending.priority)
                = (one.kind, one.provider, one.session, one.priority) and one.status = 'pending'
          where coalesce(one.tenant, pending.tenant) = ${tenant}
            and (one.id is null or pending.id is null and one.status = 'pending')
        ) as odd
    from holdfast.job as job
    left join holdfast.lease
      on lease.tenant = job.tenant and lease.fence = job.fence and job.status = 'running'
    where job.tenant = ${tenant}`
  return row
})

/** What both worlds must agree on. Times are whole minutes ahead; what is due already is simply due. */
const seen = Effect.map(newest, (row) => {
  if (row === undefined) return undefined
  const job = JobRow.toJob(row)
  const clock = DateTime.unsafeFromDate(row.now)
  return {
    odd: row.odd,
    status: job.status,
    attempts: job.attempts,
    crashes: job.crashes,
    cooled: Duration.toMinutes(job.cooled),
    progress: { ...job.progress, detail: { ...job.progress.detail } },
    again: row.again,
    run: job.run,
    steps: row.steps,
    asked: job.version,
    payload: job.payload,
    behind: { provider: job.provider, session: job.session },
    priority: job.priority,
    output: job.output,
    lastError: Option.getOrNull(Option.map(job.lastError, ({ tag }) => tag)),
    due: job.status === "pending" ? Math.max(0, minutesBetween(clock, job.runAt)) : 0,
    lease: Option.getOrNull(Option.map(job.lease, ({ expiresAt }) => minutesBetween(clock, expiresAt)))
  }
})

const expected = (job: JobState, now: DateTime.Utc) => ({
  odd: 0,
  status: job.status,
  attempts: job.attempts,
  crashes: job.crashes,
  cooled: Duration.toMinutes(job.cooled),
  progress: { ...job.progress, detail: { ...job.progress.detail } },
  again: job.again,
  run: job.run,
  steps: [...job.steps].toSorted(),
  asked: job.asked,
  payload: { version: Number(job.asked) },
  behind: job.behind,
  priority: job.priority,
  output: job.output,
  lastError: Option.getOrNull(job.lastError),
  due: job.status === "pending" ? Math.max(0, minutesBetween(now, job.runAt)) : 0,
  lease: Option.getOrNull(Option.map(job.leaseUntil, (until) => minutesBetween(now, until)))
})

/** A history, step by step, in both worlds. */
export const replay = (steps: ReadonlyArray<Model.Step>) =>
  Kit.alone(Effect.gen(function*() {
    yield* Effect.flatMap(JobQueue, (queue) =>
      queue.enqueue({
        kind: Model.jobKind,
        ifRunning: "leave",
        ifOver: "leave",
        jobs: [Kit.newJob(key, {
          ...Model.first.behind,
          payload: { version: 0 },
          version: "0",
          maxAttempts: Model.maxAttempts
        })]
      }))
    const hands: Hands = { claims: [] }
    let world = Model.world
    for (const step of steps) {
      const before = world
      world = Model.take(world, step).world
      yield* take(hands, step, before, world)
      expect({ step, ...yield* seen }).toEqual({ step, ...expected(world.job, world.now) })
    }
  }))

const atOnce = 5

/** The SQL against the pure state machine, event by event, over generated histories. */
export const jobHistories = (backend: Backend, numRuns: number) =>
  describe(`histories of a job on ${backend.name}`, () => {
    it.layer(backend.fresh(all), { timeout: "60 seconds" })((it) => {
      it.effect(
        "end, step by step, as the pure state machine says",
        () =>
          Effect.flatMap(
            Effect.runtime<SqlClient.SqlClient | Tables>(),
            (runtime) =>
              Effect.promise(() => {
                const run = Runtime.runPromise(runtime)
                // Several at a time, each with a tenant of its own: most of a history is waiting.
                const together = FastCheck.array(Model.histories(25), { minLength: atOnce, maxLength: atOnce })
                return FastCheck.assert(
                  FastCheck.asyncProperty(
                    together,
                    (many) => run(Effect.forEach(many, replay, { concurrency: atOnce, discard: true }))
                  ),
                  { numRuns: numRuns / atOnce, endOnFailure: false }
                )
              })
          ),
        Math.max(240_000, numRuns * 500)
      )
    })
  })
