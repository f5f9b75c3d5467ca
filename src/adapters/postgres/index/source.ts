import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { SourceRef } from "../../../domain/job/Job.js"

/**
 * Held until the transaction ends by whoever changes which items a source has: storing, completing, removing. It is taken
 * before any row lock, so that these never wait for each other in a circle, and heartbeats never wait for them.
 */
export const lock = Effect.fnUntraced(function*(tenant: string, source: SourceRef) {
  const sql = yield* SqlClient.SqlClient
  const name = JSON.stringify(["source", tenant, source.kind, source.id])
  yield* sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`
})
