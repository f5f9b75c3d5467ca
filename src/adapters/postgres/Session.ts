import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Store from "../../domain/store/StoreFailure.js"

/**
 * One connection of its own, outside the pool, for what belongs to a session of the server: advisory locks that last, and
 * LISTEN. Statements run one after another.
 */
export interface Session {
  readonly query: (
    sql: string,
    params?: ReadonlyArray<unknown>
  ) => Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>, Store.StoreFailure>
  /** Payloads of one channel from the moment the stream starts; it fails when the session is lost. */
  readonly listen: (channel: string) => Stream.Stream<string, Store.StoreFailure>
  /** Never succeeds; fails once, as soon as the connection is known to be dead. Its locks are free from then on. */
  readonly lost: Effect.Effect<never, Store.StoreFailure>
}

/** Opens sessions; each ends with its scope. */
export class Sessions extends Context.Tag("holdfast/Sessions")<
  Sessions,
  { readonly open: Effect.Effect<Session, Store.StoreFailure, Scope.Scope> }
>() {}
