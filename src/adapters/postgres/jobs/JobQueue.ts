import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Port from "../../../domain/job/JobQueue.js"
import { isStoreFailure } from "../../../domain/store/StoreFailure.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { claim } from "./claim.js"
import { cancel, retry } from "./control.js"
import { enqueue } from "./enqueue.js"
import { find, list, nextReadyIn } from "./read.js"
import { isDue, reclaim } from "./reclaim.js"
import { renew } from "./renew.js"
import { settle, settleAlike } from "./settle.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { bound, Tables } from "../driver/Tables.js"

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
    const withClient = yield* bound
    const run = <A, E>(asked: (tenant: string) => Effect.Effect<A, E | SqlError, SqlClient.SqlClient | Tables>) =>
      Effect.flatMap(Tenant, (tenant) => tried(SqlFailure.renamed(withClient(asked(tenant)))))
    const send = <A>(asked: (tenant: string) => Effect.Effect<A, StoreFailure>) =>
      Effect.flatMap(Tenant, (tenant) => tried(asked(tenant)))
    return Port.JobQueue.of({
      enqueue: (request) => send((tenant) => enqueue(sql, t, tenant, request)),
      claim: (request) => send((tenant) => claim(sql, t, tenant, request)),
      renew: (held, duration) => run((tenant) => renew(tenant, held, duration)),
      settle: (held, outcome) => run((tenant) => settle(tenant, held, outcome)),
      settleAll: (held, outcome) => send((tenant) => settleAlike(sql, t, tenant, held, outcome)),
      isReclaimDue: send((tenant) => isDue(sql, t, tenant)),
      reclaim: run(reclaim),
      nextReadyIn: (provider) => send((tenant) => nextReadyIn(sql, t, tenant, provider ?? null)),
      find: (id) => run((tenant) => find(tenant, id)),
      list: (filter) => run((tenant) => list(tenant, filter)),
      retry: (id) => run((tenant) => retry(tenant, id)),
      cancel: (id) => run((tenant) => cancel(tenant, id))
    })
  })
)
