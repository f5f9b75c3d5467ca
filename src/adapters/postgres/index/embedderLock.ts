import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as SqlFailure from "../driver/SqlFailure.js"
import { prepared } from "../driver/Prepared.js"
import { Tables } from "../driver/Tables.js"

/**
 * Who completes a job holds this shared, who changes which embedder the store uses holds it alone: no source is served anew by an
 * embedder that was left meanwhile. It comes before every other lock of a transaction.
 */
const nameOf = (schema: string, tenant: string): string => JSON.stringify(["embedder", schema, tenant])

const shared = SqlFailure.statement((sql, _, { name }: { readonly name: string }) =>
  sql`${prepared} select pg_advisory_xact_lock_shared(hashtextextended(${name}, 0))`
)

/** What is used stays what it is until the transaction ends. */
export const lockShared = (tenant: string) =>
  Effect.flatMap(
    Effect.all([SqlClient.SqlClient, Tables]),
    ([sql, t]) => shared(sql, t, { name: nameOf(t.schema, tenant) })
  )

/** Nobody completes a job, and nobody else changes what is used, until the transaction ends. */
export const lock = Effect.fnUntraced(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`select pg_advisory_xact_lock(hashtextextended(${nameOf(t.schema, tenant)}, 0))`
})
