import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"
import * as DateTime from "effect/DateTime"
import * as Complete from "../../../src/adapters/postgres/jobs/complete.js"
import * as Control from "../../../src/adapters/postgres/jobs/control.js"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import type { Held } from "../../../src/domain/job/JobQueue.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"
import type { Backend } from "../../support/Databases.js"
import * as History from "../../support/JobHistory.js"
import * as Kit from "./queueKit.js"

interface Hands {
  readonly holder: Option.Option<Held>
  readonly sleeper: Option.Option<Held>
  readonly revision: Option.Option<number>
}

const orNothing = (held: Option.Option<Held>, act: (held: Held) => Effect.Effect<unknown, unknown, Service>) =>
  Option.match(held, { onNone: () => Effect.void, onSome: (held) => Effect.ignore(act(held)) })

type Service = JobQueue | Tenant | SqlClient.SqlClient | Tables

/** The same step on the real queue. Refusals are expected: what counts is how the row stands afterwards. */
const take = Effect.fnUntraced(function*(hands: Ref.Ref<Hands>, step: History.Step) {
  const queue = yield* JobQueue
  const tenant = yield* Tenant
  const now = yield* Ref.get(hands)
  const [newest] = yield* queue.list({ limit: 1 })
  const of = (who: History.Who) => who === "holder" ? now.holder : now.sleeper
  return yield* Match.value(step).pipe(
    Match.withReturnType<Effect.Effect<unknown, unknown, Service>>(),
    Match.tagsExhaustive({
      Claim: () =>
        Effect.flatMap(Kit.claim(1, "w", History.lease), ([held]) =>
          held === undefined
            ? Effect.void
            : Ref.set(hands, { ...now, holder: Option.some(held), sleeper: now.holder })),
      Beat: ({ who }) => orNothing(of(who), (held) => queue.renew([held], History.lease)),
      Persist: ({ refused, who }) =>
        orNothing(of(who), (held) => Complete.guard(tenant, held, History.progressOf(refused))),
      Settle: ({ outcome, who }) => orNothing(of(who), (held) => queue.settle(held, outcome)),
      Reclaim: () => queue.reclaim,
      Enqueue: ({ force }) => queue.enqueue(Kit.request("s", { force, maxAttempts: History.maxAttempts })),
      Edit: () => {
        const revision = Option.getOrElse(now.revision, () => 0) + 1
        return Effect.zipRight(
          Kit.putSource("s", String(revision)),
          Ref.set(hands, { ...now, revision: Option.some(revision) })
        )
      },
      Delete: () =>
        Effect.all([
          Control.cancelSource(tenant, Kit.source("s")),
          Kit.deleteSource("s"),
          Ref.set(hands, { ...now, revision: Option.none() })
        ]),
      Cancel: () => newest === undefined ? Effect.void : Effect.ignore(queue.cancel(newest.id)),
      Retry: () => newest === undefined ? Effect.void : Effect.ignore(queue.retry(newest.id)),
      Wait: ({ minutes }) => Kit.pass(Duration.minutes(minutes))
    })
  )
})

const minutesBetween = (from: DateTime.Utc, to: DateTime.Utc) =>
  Math.round((DateTime.toEpochMillis(to) - DateTime.toEpochMillis(from)) / 60_000) + 0

/** What both worlds must agree on. Times are whole minutes ahead; what is due already is simply due. */
const seen = Effect.gen(function*() {
  const queue = yield* JobQueue
  const sql = yield* SqlClient.SqlClient
  const [job] = yield* queue.list({ limit: 1 })
  const [{ now, again }] = (yield* sql<{ readonly now: Date; readonly again: boolean }>`
    select now() as now, (select again from holdfast.index_job where tenant = ${yield* Tenant}) as again
  `) as [{ readonly now: Date; readonly again: boolean }]
  if (job === undefined) return undefined
  // The table of pending jobs and the jobs themselves never disagree, and no lease outlives the last job under it.
  const odd = yield* sql`
    select job.id from holdfast.index_job as job full join holdfast.pending
      on pending.tenant = job.tenant and pending.id = job.id and pending.run_at = job.run_at
        and pending.provider = job.provider and job.status = 'pending'
    where coalesce(job.tenant, pending.tenant) = ${yield* Tenant}
      and (job.id is null or pending.id is null and job.status = 'pending')
    union all
    select lease.fence from holdfast.lease where lease.tenant = ${yield* Tenant} and cardinality(lease.jobs) = 0`
  expect(odd).toEqual([])
  const clock = DateTime.unsafeFromDate(now)
  return {
    status: job.status,
    attempts: job.attempts,
    crashes: job.crashes,
    cooled: Duration.toMinutes(job.cooled),
    refused: job.progress.refused,
    forced: Option.isSome(job.forcedAt),
    again,
    lastError: Option.getOrNull(Option.map(job.lastError, ({ tag }) => tag)),
    due: job.status === "pending" ? Math.max(0, minutesBetween(clock, job.runAt)) : 0,
    lease: Option.getOrNull(Option.map(job.lease, ({ expiresAt }) => minutesBetween(clock, expiresAt)))
  }
})

const expected = ({ job, now }: History.World) => ({
  status: job.status,
  attempts: job.attempts,
  crashes: job.crashes,
  cooled: Duration.toMinutes(job.cooled),
  refused: job.progress.refused,
  forced: job.forced,
  again: job.again,
  lastError: Option.getOrNull(job.lastError),
  due: job.status === "pending" ? Math.max(0, minutesBetween(now, job.runAt)) : 0,
  lease: Option.getOrNull(Option.map(job.leaseUntil, (until) => minutesBetween(now, until)))
})

const replay = (steps: ReadonlyArray<History.Step>) =>
  Kit.alone(Effect.gen(function*() {
    yield* Kit.putSource("s", "0")
    yield* Effect.flatMap(JobQueue, (queue) => queue.enqueue(Kit.request("s", { maxAttempts: History.maxAttempts })))
    const hands = yield* Ref.make<Hands>({ holder: Option.none(), sleeper: Option.none(), revision: Option.some(0) })
    let world = History.world
    for (const step of steps) {
      world = History.take(world, step)
      yield* take(hands, step)
      expect({ step: step._tag, ...yield* seen }).toEqual({ step: step._tag, ...expected(world) })
    }
  }))

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
              Effect.promise(() =>
                FastCheck.assert(
                  FastCheck.asyncProperty(History.histories(25), (steps) => Runtime.runPromise(runtime)(replay(steps))),
                  { numRuns, endOnFailure: false }
                )
              )
          ),
        120_000
      )
    })
  })
