import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Store from "../../../domain/store/StoreFailure.js"

/**
 * One connection of its own, outside the pool, for what belongs to a session of the server: advisory locks that last, and
 * LISTEN. Statements run one after another.
 */
export interface DedicatedConnection {
  readonly query: (
    sql: string,
    params?: ReadonlyArray<unknown>
  ) => Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>, Store.StoreFailure>
  /** Succeeds once the server tells what is said on the channel; `hear` is called with each payload until the scope ends. */
  readonly listen: (
    channel: string,
    hear: (payload: string) => void
  ) => Effect.Effect<void, Store.StoreFailure, Scope.Scope>
  /** Never succeeds; fails once, as soon as the connection is known to be dead. Its locks are free from then on. */
  readonly lost: Effect.Effect<never, Store.StoreFailure>
}

/** Opens sessions; each ends with its scope. */
export class DedicatedConnections extends Context.Tag("holdfast/DedicatedConnections")<
  DedicatedConnections,
  { readonly open: Effect.Effect<DedicatedConnection, Store.StoreFailure, Scope.Scope> }
>() {}
