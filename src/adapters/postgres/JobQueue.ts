import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Port from "../../domain/job/JobQueue.js"
import { isStoreFailure } from "../../domain/store/StoreFailure.js"
import { Tenant } from "../../domain/store/Tenant.js"
import { claim, claimer } from "./jobQueue/claim.js"
import { cancel, retry } from "./jobQueue/control.js"
import { enqueue } from "./jobQueue/enqueue.js"
import { find, list, nextReadyIn } from "./jobQueue/read.js"
import { isDue, reclaim } from "./jobQueue/reclaim.js"
import { renew } from "./jobQueue/renew.js"
import { settle, settleAlike } from "./jobQueue/settle.js"
import * as SqlFailure from "./SqlFailure.js"
import { bound, Tables } from "./Tables.js"

/** How often a statement that lost a conflict is tried again. */
const conflicts = 3

/** In the caller's transaction a lost conflict is the caller's: that transaction is over. */
const againAlone = <A, E>(failure: E, again: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.flatMap(
    Effect.serviceOption(SqlClient.TransactionConnection),
    (transaction) => Option.isSome(transaction) ? Effect.fail(failure) : again
  )

/** A statement that lost a conflict changed nothing, and is tried again. */
const tried = <A, E>(effect: Effect.Effect<A, E>, tries = conflicts): Effect.Effect<A, E> =>
  Effect.catchIf(
    effect,
    (failure) => tries > 0 && isStoreFailure(failure) && failure._tag === "StoreConflict",
    (failure) => againAlone(failure, tried(effect, tries - 1))
  )

/** The queue in SQL: every operation is one statement, or a few that need no transaction between them. */
export const layer: Layer.Layer<Port.JobQueue, never, SqlClient.SqlClient | Tables> = Layer.effect(
  Port.JobQueue,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const tenant = yield* Tenant
    const withClient = yield* bound
    const run = <A, E>(effect: Effect.Effect<A, E | SqlError, SqlClient.SqlClient | Tables>) =>
      tried(SqlFailure.renamed(withClient(effect)))
    return Port.JobQueue.of({
      enqueue: (request) => tried(enqueue(sql, t, tenant, request)),
      claim: (request) => tried(claim(sql, t, tenant, request)),
      claimer: claimer(sql, t, tenant),
      renew: (held, duration) => run(renew(tenant, held, duration)),
      settle: (held, outcome) => run(settle(tenant, held, outcome)),
      settleAll: (held, outcome) => tried(settleAlike(sql, t, tenant, held, outcome)),
      isReclaimDue: tried(isDue(sql, t, tenant)),
      reclaim: run(reclaim(tenant)),
      nextReadyIn: tried(nextReadyIn(sql, t, tenant)),
      find: (id) => run(find(tenant, id)),
      list: (filter) => run(list(tenant, filter)),
      retry: (id) => run(retry(tenant, id)),
      cancel: (id) => run(cancel(tenant, id))
    })
  })
)
