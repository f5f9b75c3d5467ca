import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { JobKinds } from "../../../domain/job/JobKinds.js"
import type { RunnableKind } from "../../../domain/job/JobKinds.js"
import { checked, Tenant } from "../../../domain/store/Tenant.js"
import { maintain } from "./Maintain.js"
import * as WorkerLoop from "./WorkerLoop.js"

export interface WorkOptions {
  /** Whose jobs are run. Default: those of the caller's Tenant. */
  readonly tenants?: ReadonlyArray<string> | undefined
  /** Kinds beside those that layers have registered. */
  readonly kinds?: ReadonlyArray<RunnableKind> | undefined
}

/**
 * Claim and run jobs of every kind that is registered until `over` ends, and answer what it says; what is under way then is stored
 * first. Beside it the queue is kept right and small.
 */
export const workUntil = Effect.fn("Worker.workUntil")(
  function*<A, E, R>(over: Effect.Effect<A, E, R>, { kinds = [], tenants }: WorkOptions = {}) {
    const own = yield* Tenant
    const of = tenants ?? [own]
    // Without a tenant, or with one that cannot be, it would run nothing and say nothing: a bug of whoever composed it.
    if (of.length === 0) return yield* Effect.dieMessage("A worker is given no tenants.")
    for (const tenant of of) yield* Effect.orDie(checked(tenant))
    const registered = yield* (yield* JobKinds).all
    yield* Effect.forEach(of, (tenant) => Effect.forkScoped(Effect.provideService(maintain, Tenant, tenant)), {
      discard: true
    })
    const said = yield* Deferred.make<A>()
    yield* WorkerLoop.work({
      tenants: of,
      kinds: [...registered, ...kinds],
      over: Effect.tap(over, (answer) => Deferred.succeed(said, answer))
    })
    return yield* Deferred.await(said)
  },
  Effect.scoped
)

/** Claim and run jobs of every kind that is registered, until interrupted. */
export const work = (options?: WorkOptions) => Effect.asVoid(workUntil(Effect.never, options))
