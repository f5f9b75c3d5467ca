import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import { isBlinking, isStoreFailure, StoreUnavailable } from "../../../domain/store/StoreFailure.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"

/** From a quarter of a second to two, for two minutes: longer than a server needs to restart. */
const patience = Schedule.exponential("250 millis").pipe(
  Schedule.union(Schedule.spaced("2 seconds")),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurUpTo("2 minutes"))
)

/** What is left of the patience once who works is asked to stop. */
export const lastWords = Duration.seconds(2)

/** Ends when whoever works is asked to stop; none where an interruption asks. */
export class Stopping extends Context.Reference<Stopping>()("holdfast/Stopping", {
  defaultValue: Option.none<Effect.Effect<void>>
}) {}

const unanswered = new StoreUnavailable({ detail: "it gave no answer before the program had to stop" })

/** Ends with the last failure, as soon as the patience of whoever has to stop is over. A statement under way is left behind. */
const untilStopped = <A, E, R>(
  trying: (noted: (failure: E) => Effect.Effect<void>) => Effect.Effect<A, E, R>,
  stopping: Effect.Effect<void>
): Effect.Effect<A, E | StoreFailure, R> =>
  Effect.flatMap(Ref.make<E | StoreFailure>(unanswered), (last) =>
    Effect.raceFirst(
      Effect.interruptible(Effect.disconnect(trying((failure) => Ref.set(last, failure)))),
      Effect.interruptible(
        stopping.pipe(
          Effect.zipRight(Effect.sleep(lastWords)),
          Effect.zipRight(Effect.flatMap(Ref.get(last), Effect.fail))
        )
      )
    ))

/**
 * Try a write again while the database blinks: losing finished, paid work to that is the worst failure. Everything that is
 * written this way carries a fence, so that a write which did happen, or comes too late, changes nothing. Who is asked to stop
 * has two more seconds for it: the work is then left to its lease.
 */
export const patiently = <A, E, R>(write: Effect.Effect<A, E, R>): Effect.Effect<A, E | StoreFailure, R> =>
  Effect.flatMap(Stopping, (stopping) => {
    const tried = (attempt: Effect.Effect<A, E, R>) =>
      Effect.retry(attempt, {
        schedule: patience,
        while: (error) => isStoreFailure(error) && isBlinking(error)
      })
    return Option.match(stopping, {
      onNone: () => tried(write),
      onSome: (stop) => untilStopped((noted) => tried(Effect.tapError(write, noted)), stop)
    })
  })
