import * as SqlClient from "@effect/sql/SqlClient"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { JobId } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import type { NewStep, Step } from "../../../domain/job/Step.js"
import { prepared } from "../driver/Prepared.js"
import { Tables } from "../driver/Tables.js"
import { guarding } from "./guard.js"
import { refuse } from "./staleWrite.js"

/** The names of the steps that a held job's run has finished. */
export const names = Effect.fnUntraced(function*({ job, tenant }: Held) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql<{ readonly name: string }>`${prepared}
    select step.name from ${t.jobStep} step
    where step.tenant = ${tenant} and step.job = ${job.id} and step.run = ${job.run}`
  return new Set(rows.map(({ name }) => name))
})

/** The stored result of one of them; null for one that is not there. */
export const result = Effect.fnUntraced(function*({ job, tenant }: Held, name: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [row] = yield* sql<{ readonly result: unknown }>`${prepared}
    select step.result from ${t.jobStep} step
    where step.tenant = ${tenant} and step.job = ${job.id} and step.run = ${job.run} and step.name = ${name}`
  return row?.result ?? null
})

/** One statement, which is its own transaction: the guard's row is locked before the step is written. */
export const store = Effect.fn("JobQueue.storeStep")(function*(held: Held, { millis, name, result }: NewStep) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql`${prepared}
    with guarded as (${guarding(sql, t, held, Option.none())})
    insert into ${t.jobStep} (tenant, job, run, name, attempt, result, started_at)
    select ${held.tenant}, guarded.id, ${held.job.run}::integer, ${name}, ${held.job.attempts}::integer,
      ${JSON.stringify(result) ?? "null"}::jsonb, now() - ${millis}::float8 * interval '1 millisecond'
    from guarded
    on conflict (tenant, job, run, name) do nothing
    returning job`
  if (rows.length > 0) return
  // No row: a newer claim exists, or this very statement was sent twice and has happened.
  if (!(yield* names(held)).has(name)) return yield* refuse(held)
})

interface Row {
  readonly name: string
  readonly attempt: number
  readonly started_at: Date
  readonly finished_at: Date
  readonly bytes: number
}

/** The finished steps of a job's present run, in the order in which they ended. */
export const list = Effect.fn("JobQueue.steps")(function*(tenant: string, id: JobId, limit: number) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql<Row>`
    select step.name, step.attempt, step.started_at, step.finished_at, octet_length(step.result::text) as bytes
    from ${t.jobAll} job
    join ${t.jobStep} step on step.tenant = job.tenant and step.job = job.id and step.run = job.run
    where job.tenant = ${tenant} and job.id = ${id}
    order by step.finished_at, step.name
    limit ${limit}`
  return rows.map((row): Step => ({
    name: row.name,
    attempt: row.attempt,
    startedAt: DateTime.unsafeFromDate(row.started_at),
    finishedAt: DateTime.unsafeFromDate(row.finished_at),
    bytes: row.bytes
  }))
})
