import * as SqlClient from "@effect/sql/SqlClient"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { randomUUID } from "node:crypto"
import * as GatesInSql from "../../../src/adapters/postgres/gates/Gates.js"
import * as PacerInSql from "../../../src/adapters/postgres/gates/Pacer.js"
import * as QueueInSql from "../../../src/adapters/postgres/jobs/JobQueue.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import { ProviderUnavailable } from "../../../src/domain/failure/Failure.js"
import type { Progress } from "../../../src/domain/job/Job.js"
import { JobId } from "../../../src/domain/job/Job.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import type { Wanted } from "../../../src/domain/lease/Wanted.js"
import type { EnqueueRequest, Held, NewJob } from "../../../src/domain/job/JobQueue.js"
import type { Outcome } from "../../../src/domain/job/Outcome.js"
import { WorkerId } from "../../../src/domain/lease/Lease.js"
import { Pacer } from "../../../src/domain/retry/Pacer.js"
import type { Gates } from "../../../src/domain/session/Gates.js"
import { Tenant } from "../../../src/domain/store/Tenant.js"

/** What tests of the queue say over and over. */

/** The queue and the gates of one tenant. */
export const queueOf = (
  tenant: string
): Layer.Layer<JobQueue | Gates | Pacer | Tenant, never, SqlClient.SqlClient | Tables> => {
  const own = Layer.succeed(Tenant, tenant)
  return Layer.mergeAll(QueueInSql.layer, GatesInSql.layer, PacerInSql.layer, own)
}

export const newTenant = () => `tenant-${randomUUID()}`

/** Runs a test with a queue of its own in a database that tests share: a tenant that nobody else has. */
export const alone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provide(effect, queueOf(newTenant())))

/** The kind of job that tests of the queue ask for. */
export const kind = "test"

/** What a test says of its job beside the key. */
export interface More extends Partial<Omit<NewJob, "key">>, Partial<Pick<EnqueueRequest, "ifRunning" | "ifOver">> {}

export const newJob = (key: string | null, more: Partial<Omit<NewJob, "key">> = {}): NewJob => ({
  key,
  payload: {},
  version: null,
  provider: "ollama",
  session: null,
  priority: 0,
  maxAttempts: 3,
  runAt: null,
  trace: null,
  ...more
})

export const request = (
  key: string,
  { ifOver = "open-another", ifRunning = "again-if-changed", ...more }: More = {}
): EnqueueRequest => ({ kind, jobs: [newJob(key, more)], ifRunning, ifOver })

/** Makes sure that the key has an open job. */
export const enqueue = (key: string, more: More = {}) =>
  Effect.flatMap(
    Effect.flatMap(JobQueue, (queue) => queue.enqueue(request(key, more))),
    ([job]) => job === undefined ? Effect.dieMessage("an enqueue answered no job") : Effect.succeed(job)
  )

/** Jobs of this kind, of the tenant of whoever asks. */
export const wantedOf = (tenant: string, ...kinds: ReadonlyArray<string>): Wanted => ({
  tenants: [tenant],
  kinds: (kinds.length === 0 ? [kind] : kinds).map((one) => ({ kind: one, provider: Option.none() }))
})

export const wanted = Effect.map(Tenant, (tenant) => wantedOf(tenant))

export const minute = Duration.minutes(1)

export const claim = (slots: number, worker = "a", duration: Duration.Duration = minute) =>
  Effect.flatMap(
    wanted,
    (own) =>
      Effect.flatMap(JobQueue, (queue) => queue.claim({ worker: WorkerId.make(worker), slots, duration, ...own }))
  )

/** Claims exactly one. */
export const claimOne = (worker = "a", duration: Duration.Duration = minute) =>
  Effect.flatMap(
    claim(1, worker, duration),
    ([held]) => held === undefined ? Effect.dieMessage("nothing to claim") : Effect.succeed(held)
  )

/** A job, and its claim. */
export const begun = (key: string, more: More = {}) => Effect.zipRight(enqueue(key, more), claimOne())

export const settle = (held: Held, outcome: Outcome) => Effect.flatMap(JobQueue, (queue) => queue.settle(held, outcome))

export const reclaim = Effect.flatMap(Tenant, (tenant) => Effect.flatMap(JobQueue, (queue) => queue.reclaim([tenant])))

export const isReclaimDue = Effect.flatMap(
  Tenant,
  (tenant) => Effect.flatMap(JobQueue, (queue) => queue.isReclaimDue([tenant]))
)

export const nextReadyIn = Effect.flatMap(wanted, (own) => Effect.flatMap(JobQueue, (queue) => queue.nextReadyIn(own)))

/** A write of nothing, under the fence. */
export const fenced = (held: Held, progress: Progress | undefined = undefined) =>
  Effect.flatMap(JobQueue, (queue) => queue.fenced(held, Option.fromNullable(progress), Effect.void))

export const find = (held: Held) => Effect.flatMap(JobQueue, (queue) => queue.find(held.job.id))

/** Lets time pass for the jobs, gates and cooldowns of this tenant: all that is stored lies further back. */
export const pass = Effect.fnUntraced(function*(time: Duration.DurationInput) {
  const sql = yield* SqlClient.SqlClient
  const tenant = yield* Tenant
  const by = sql`${Duration.toMillis(time)}::float8 * interval '1 millisecond'`
  yield* sql`update holdfast.job set run_at = run_at - ${by} where tenant = ${tenant}`
  yield* sql`update holdfast.pending set run_at = run_at - ${by} where tenant = ${tenant}`
  yield* sql`update holdfast.lease set expires_at = expires_at - ${by} where tenant = ${tenant}`
  yield* sql`update holdfast.gate set since = since - ${by}, until = until - ${by} where tenant = ${tenant}`
  yield* sql`
    update holdfast.cooldown set until = until - ${by}, pace = pace || jsonb_build_object(
      'since', (pace ->> 'since')::float8 - ${Duration.toMillis(time)}::float8,
      'last', (pace ->> 'last')::float8 - ${Duration.toMillis(time)}::float8
    ) where tenant = ${tenant}`
})

/** A call that took no turn was refused with this wait. */
export const cool = (provider: string, wait: Duration.DurationInput) =>
  Effect.flatMap(Pacer, (pacer) => pacer.throttled(provider, 0, Duration.decode(wait)))

/** How far away a time is by the machine's clock, in whole minutes. */
export const minutesFromNow = (time: DateTime.Utc) =>
  Effect.sync(() =>
    Math.round((DateTime.toEpochMillis(time) - DateTime.toEpochMillis(DateTime.unsafeNow())) / 60_000) + 0
  )

/** A number that no job has. */
export const nobody = JobId.make(999_999_999)

export const unavailable = new ProviderUnavailable({ provider: "ollama", detail: "503" })
