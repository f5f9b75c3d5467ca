import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Port from "../../../domain/job/JobQueue.js"
import { isStoreFailure } from "../../../domain/store/StoreFailure.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { bound, Tables } from "../driver/Tables.js"
import { transact } from "../driver/transact.js"
import { claim } from "./claim.js"
import * as Control from "./control.js"
import { disown } from "./disown.js"
import { enqueue } from "./enqueue.js"
import { guard } from "./guard.js"
import { lost } from "./lost.js"
import { find, list, nextReadyIn } from "./read.js"
import { isDue, reclaim } from "./reclaim.js"
import { renew } from "./renew.js"
import { settle, settleAll } from "./settle.js"
import * as Steps from "./steps.js"

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

/** The caller's services, and the transaction of whoever runs the effect. */
const within = <A, E, R>(effect: Effect.Effect<A, E, R>, caller: Context.Context<R>): Effect.Effect<A, E> =>
  Effect.mapInputContext(effect, (inner: Context.Context<never>) =>
    // An outer transaction of the caller's is the one that the inner one is a savepoint of.
    Context.merge(inner, Context.omit(SqlClient.TransactionConnection)(caller)) as Context.Context<R>)

/** The queue in SQL: every operation is one statement, or a few that need no transaction between them. */
export const layer: Layer.Layer<Port.JobQueue, never, SqlClient.SqlClient | Tables> = Layer.effect(
  Port.JobQueue,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const withClient = yield* bound
    const run = <A, E>(asked: Effect.Effect<A, E | SqlError, SqlClient.SqlClient | Tables>) =>
      tried(SqlFailure.renamed(withClient(asked)))
    const forTenant = <A, E>(
      asked: (tenant: string) => Effect.Effect<A, E | SqlError, SqlClient.SqlClient | Tables>
    ) => Effect.flatMap(Tenant, (tenant) => run(asked(tenant)))
    const fenced: typeof Port.JobQueue.Service.fenced = (held, progress, write) =>
      Effect.contextWithEffect((caller) =>
        withClient(transact(Effect.zipRight(guard(held, progress), within(write, caller))))
      )
    return Port.JobQueue.of({
      enqueue: (request) => forTenant((tenant) => enqueue(sql, t, tenant, request)),
      claim: (request) => tried(claim(sql, t, request)),
      renew: (held, duration) => run(renew(held, duration)),
      lost: (held) => run(lost(held)),
      disown: (request) => run(disown(request)),
      fenced,
      settle: (held, outcome) => run(settle(held, outcome)),
      settleAll: (ends) => tried(settleAll(sql, t, ends)),
      isReclaimDue: (tenants) => tried(isDue(sql, t, tenants)),
      reclaim: (tenants) => run(reclaim(tenants)),
      nextReadyIn: (wanted) => tried(nextReadyIn(sql, t, wanted)),
      stepNames: (held) => run(Steps.names(held)),
      stepResult: (held, name) => run(Steps.result(held, name)),
      storeStep: (held, step) => run(Steps.store(held, step)),
      steps: (id, limit) => forTenant((tenant) => Steps.list(tenant, id, limit)),
      find: (id) => forTenant((tenant) => find(tenant, id)),
      list: (filter) => forTenant((tenant) => list(tenant, filter)),
      retry: (id) => forTenant((tenant) => Control.retry(tenant, id)),
      cancel: (id) => forTenant((tenant) => Control.cancel(tenant, id)),
      countFor: (ask, filter) => forTenant((tenant) => Control.countFor(tenant, ask, filter)),
      askAll: (ask, filter) => forTenant((tenant) => Control.askAll(tenant, ask, filter))
    })
  })
)
