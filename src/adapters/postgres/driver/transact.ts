import * as SqlClient from "@effect/sql/SqlClient"
import type * as SqlError from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Store from "../../../domain/store/StoreFailure.js"
import * as SqlFailure from "./SqlFailure.js"

/**
 * Runs the effect in one transaction: all of its statements happen, or none. Inside another transaction it joins that one by
 * a savepoint. A refused COMMIT and a connection lost on the way are StoreFailures, never defects; where the effect itself
 * failed, its own failure is what comes out. After StoreUnavailable from the COMMIT the outcome is unknown. Nothing is tried
 * again here.
 */
export const transact = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, SqlError.SqlError> | Store.StoreFailure, R | SqlClient.SqlClient> =>
  Effect.suspend(() => {
    let inner = Option.none<Exit.Exit<A, E>>()
    const watched = Effect.onExit(effect, (exit) =>
      Effect.sync(() => {
        inner = Option.some(exit)
      }))
    const ended = (defect: unknown): Option.Option<Effect.Effect<never, E | Store.StoreFailure>> =>
      Option.map(SqlFailure.fromDefect(defect), (failure) =>
        Option.match(Option.filter(inner, Exit.isFailure), {
          onNone: () => Effect.fail(failure),
          onSome: (exit) => Effect.failCause(exit.cause)
        }))
    return Effect.flatMap(SqlClient.SqlClient, (sql) => sql.withTransaction(watched)).pipe(
      Effect.catchSomeDefect(ended),
      SqlFailure.renamed
    )
  }).pipe(Effect.withSpan("transact"))
