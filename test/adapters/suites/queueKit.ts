import * as SqlClient from "@effect/sql/SqlClient"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomUUID } from "node:crypto"
import * as GatesInSql from "../../../src/adapters/postgres/gates/Gates.js"
import * as PacerInSql from "../../../src/adapters/postgres/gates/Pacer.js"
import * as QueueInSql from "../../../src/adapters/postgres/jobs/JobQueue.js"
import type { Tables } from "../../../src/adapters/postgres/driver/Tables.js"
import { ProviderUnavailable } from "../../../src/domain/failure/Failure.js"
import { SourceRef } from "../../../src/domain/job/Job.js"
import { JobQueue } from "../../../src/domain/job/JobQueue.js"
import type { EnqueueRequest, Held } from "../../../src/domain/job/JobQueue.js"
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
  return Layer.mergeAll(Layer.provide(Layer.mergeAll(QueueInSql.layer, GatesInSql.layer, PacerInSql.layer), own), own)
}

export const newTenant = () => `tenant-${randomUUID()}`

/** Runs a test with a queue of its own in a database that tests share: a tenant that nobody else has. */
export const alone = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provide(effect, queueOf(newTenant())))

export const source = (id: string) => SourceRef.make({ kind: "catalog", id })

/** Stores the source, or edits it: its items are not needed here. */
export const putSource = Effect.fnUntraced(function*(id: string, revision: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    insert into holdfast.source (tenant, kind, id, location, title, version, revision)
    values (${yield* Tenant}, 'catalog', ${id}, 'here', 'title', '1', ${revision})
    on conflict (tenant, kind, id) do update set revision = excluded.revision`
})

export const deleteSource = Effect.fnUntraced(function*(id: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`delete from holdfast.source where tenant = ${yield* Tenant} and id = ${id}`
})

export const request = (id: string, more: Partial<EnqueueRequest> = {}): EnqueueRequest => ({
  source: source(id),
  provider: "ollama",
  maxAttempts: 3,
  force: false,
  ...more
})

/** Asks for the source's job, and puts nothing before it. */
export const asked = (id: string, more: Partial<EnqueueRequest> = {}) =>
  Effect.flatMap(JobQueue, (queue) => queue.enqueue(request(id, more)))

/** A source with an open job. */
export const enqueue = Effect.fnUntraced(function*(id: string, more: Partial<EnqueueRequest> = {}) {
  yield* putSource(id, "one")
  return yield* asked(id, more)
})

export const minute = Duration.minutes(1)

export const claim = (slots: number, worker = "a", duration: Duration.Duration = minute) =>
  Effect.flatMap(JobQueue, (queue) => queue.claim({ worker: WorkerId.make(worker), slots, duration }))

/** Claims exactly one. */
export const claimOne = (worker = "a", duration: Duration.Duration = minute) =>
  Effect.flatMap(
    claim(1, worker, duration),
    ([held]) => held === undefined ? Effect.dieMessage("nothing to claim") : Effect.succeed(held)
  )

/** A source, its job, and its claim. */
export const begun = (id: string, more: Partial<EnqueueRequest> = {}) => Effect.zipRight(enqueue(id, more), claimOne())

export const settle = (held: Held, outcome: Outcome) => Effect.flatMap(JobQueue, (queue) => queue.settle(held, outcome))

export const reclaim = Effect.flatMap(JobQueue, (queue) => queue.reclaim)

export const find = (held: Held) => Effect.flatMap(JobQueue, (queue) => queue.find(held.job.id))

/** Lets time pass for the jobs, gates and cooldowns of this tenant: all that is stored lies further back. */
export const pass = Effect.fnUntraced(function*(time: Duration.DurationInput) {
  const sql = yield* SqlClient.SqlClient
  const tenant = yield* Tenant
  const by = sql`${Duration.toMillis(time)}::float8 * interval '1 millisecond'`
  yield* sql`update holdfast.index_job set run_at = run_at - ${by} where tenant = ${tenant}`
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
  Effect.flatMap(Pacer, (pacer) => pacer.refused(provider, 0, Duration.decode(wait)))

/** How far away a time is by the machine's clock, in whole minutes. */
export const minutesFromNow = (time: DateTime.Utc) =>
  Effect.sync(() =>
    Math.round((DateTime.toEpochMillis(time) - DateTime.toEpochMillis(DateTime.unsafeNow())) / 60_000) + 0
  )

export const unavailable = new ProviderUnavailable({ provider: "ollama", detail: "503" })
