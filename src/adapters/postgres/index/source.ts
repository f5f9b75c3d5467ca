import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { Source } from "../../../domain/index/IndexJob.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { prepared } from "../driver/Prepared.js"
import { Tables } from "../driver/Tables.js"

const lockNamed = SqlFailure.statement((sql, _, { name }: { readonly name: string }) =>
  sql`${prepared} select pg_advisory_xact_lock(hashtextextended(${name}, 0))`
)

/**
 * Held until the transaction ends by whoever changes which items a source has: storing, completing, removing. It is taken
 * before any row lock, so that these never wait for each other in a circle, and heartbeats never wait for them.
 */
export const lock = (tenant: string, { id, kind }: Source) =>
  Effect.flatMap(
    Effect.all([SqlClient.SqlClient, Tables]),
    ([sql, t]) => lockNamed(sql, t, { name: JSON.stringify(["source", t.schema, tenant, kind, id]) })
  )
