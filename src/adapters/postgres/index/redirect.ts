import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import { Tables } from "../driver/Tables.js"

/**
 * Open index jobs that wait for a provider which the store does not use wait for the one that it uses: nobody else may do them. A running
 * one is left to its worker, and gets the provider for its next attempt. Belongs inside a transaction; the rows of `pending` are
 * locked first, as everywhere (see pending.ts). Answers how many jobs were concerned.
 */
export const redirect = Effect.fnUntraced(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const used = sql`(select e.provider from ${t.embedder} e where e.tenant = ${tenant} and e.place = 0)`
  yield* sql`
    select p.id from ${t.pending} p where p.tenant = ${tenant} and p.kind = ${IndexJob.kind} and p.provider <> ${used} order by p.id for update`
  const jobs = yield* sql`
    update ${t.job} as job set provider = ${used}, session = ${used}
    where job.tenant = ${tenant} and job.kind = ${IndexJob.kind} and job.status in ('pending', 'running') and job.provider <> ${used}
    returning job.id`
  yield* sql`
    update ${t.pending} as p set provider = ${used}, session = ${used}
    where p.tenant = ${tenant} and p.kind = ${IndexJob.kind} and p.provider <> ${used}`
  if (jobs.length > 0) yield* sql`select pg_notify(${t.channel}, ${tenant})`
  return jobs.length
})
