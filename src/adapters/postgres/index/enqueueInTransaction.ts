import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { EmbedderKind } from "../../../domain/index/EmbedderConfig.js"
import type { Source } from "../../../domain/index/IndexJob.js"
import type { Enqueued } from "../../../domain/job/JobQueue.js"
import * as MaxAttempts from "../../../domain/job/MaxAttempts.js"
import * as Request from "../../../domain/request/RequestProblem.js"
import type { RequestProblem } from "../../../domain/request/RequestProblem.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { find } from "./embedderRecord.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { Tables } from "../driver/Tables.js"
import { enqueue } from "./enqueue.js"

export interface IndexJobRequest {
  readonly source: Source
  /**
   * The provider whose gate and cooldown the job obeys: the `provider` of the workers' Embedder. Refused where it is neither a
   * kind of embedder nor named by the store: no worker would ever claim the job.
   */
  readonly provider: string
  /** Embed all anew, also what is stored already. Default false. */
  readonly force?: boolean | undefined
  /** Default: what the settings say, else 5. */
  readonly maxAttempts?: number | undefined
}

const isKind = Schema.is(EmbedderKind)

/** The revision of a source, as its job's version; null where it is not there yet. */
const revisionOf = Effect.fnUntraced(function*(tenant: string, { id, kind }: Source) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [row] = yield* sql<{ readonly revision: string }>`
    select s.revision from ${t.source} s where s.tenant = ${tenant} and s.kind = ${kind} and s.id = ${id}`
  return row?.revision ?? null
})

/** Asks the store for a provider that is no kind of embedder only. Before its first index it may be anyone's. */
const known = Effect.fnUntraced(function*(provider: string) {
  if (isKind(provider)) return
  yield* Request.filled("provider", provider, "the provider of the workers' embedder")
  yield* Option.match(yield* find(yield* Tenant), {
    onNone: () => Either.void,
    onSome: ({ leaving, uses }) =>
      Request.oneOf("provider", provider, [...EmbedderKind.literals, ...[uses, ...leaving].map((one) => one.provider)])
  })
})

/**
 * Enqueue an index job inside the caller's own SQL transaction: it exists, and wakes a worker, when that transaction commits,
 * and never was when it is rolled back. Outside of a transaction it happens at once. The source's row must stand in the same
 * database by the time of the commit; a job without a source ends as cancelled.
 *
 *     sql.withTransaction(Effect.gen(function*() {
 *       yield* sql`insert into product ...`
 *       yield* enqueueInTransaction({ source, provider: "openai" })
 *     }))
 *
 * The client may be any PgClient of the caller's, with any search_path. Whose job it is, and in which schema, is always said:
 * `Tenancy` gives what the settings say, and `Effect.provideService(Tenant, ...)` another tenant for one call.
 *
 * A source has one open job: a pending one becomes ready, a running one runs again where its source was edited. The job's row
 * stays locked until the transaction ends, and a heartbeat waits for it: keep the transaction much shorter than a lease.
 */
export const enqueueInTransaction = Effect.fn("enqueueInTransaction")(function*(
  { force = false, maxAttempts: tries, provider, source }: IndexJobRequest
): Effect.fn.Return<Enqueued, RequestProblem | StoreFailure, SqlClient.SqlClient | Tables | Tenant> {
  const maxAttempts = yield* MaxAttempts.asked(tries)
  yield* known(provider)
  return yield* SqlFailure.renamed(Effect.gen(function*() {
    const tenant = yield* Tenant
    return yield* enqueue(tenant, { source, provider, force, maxAttempts, revision: yield* revisionOf(tenant, source) })
  }))
})
