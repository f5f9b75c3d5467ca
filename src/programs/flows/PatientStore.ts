import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { isBlinking, isStoreFailure } from "../../domain/store/StoreFailure.js"

/** From a quarter of a second to five, for two minutes: longer than a server needs to restart. */
const patience = Schedule.exponential("250 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurUpTo("2 minutes"))
)

/**
 * Try a write again while the database blinks: losing finished, paid work to that is the worst failure. Everything that is
 * written this way carries a fence, so that a write which did happen, or comes too late, changes nothing.
 */
export const patiently = <A, E, R>(write: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(write, {
    schedule: patience,
    while: (error) => isStoreFailure(error) && isBlinking(error)
  })
