import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Maintenance } from "../../../domain/job/Maintenance.js"

/** Keeps the queue right and small, beside the work: each task once over all processes. */

const repairEvery = Duration.minutes(5)
const pruneEvery = Duration.hours(1)

/** How long history is kept, and how much of it goes in one transaction. */
const keptFor = Duration.days(14)
const slice = 500

/** Remove the history that nobody needs any more, slice by slice. Answers how many jobs went. */
export const prune = Effect.fn("Maintain.prune")(function*() {
  const maintenance = yield* Maintenance
  let pruned = 0
  let last = slice
  while (last === slice) {
    last = yield* maintenance.prune(keptFor, slice)
    pruned += last
  }
  if (pruned > 0) yield* Effect.logInfo(`Pruned ${pruned} jobs older than ${Duration.format(keptFor)}`)
  return pruned
})

/** Mend what says when pending jobs are to be claimed. */
export const repairPending = Effect.gen(function*() {
  const overlooked = yield* (yield* Maintenance).repairPending
  if (overlooked > 0) yield* Effect.logWarning(`Repaired: ${overlooked} pending jobs had been overlooked`)
}).pipe(Effect.withSpan("Maintain.repairPending"))

/** A database that is away costs this task, not the loop. */
export const unlessAway = <A, E extends { readonly message: string }, R>(what: string, task: Effect.Effect<A, E, R>) =>
  Effect.catchAll(task, (failure) => Effect.logWarning(`${what} is put off: ${failure.message}`))

const claimed = (task: string, every: Duration.Duration) =>
  Effect.flatMap(Maintenance, (maintenance) => maintenance.claimTask(task, every))

/** Whoever of all processes asks first does the task; it is due again a moment before the next look. */
export const onceFor = <A, E, R>(task: string, every: Duration.Duration, effect: Effect.Effect<A, E, R>) =>
  Effect.whenEffect(effect, claimed(task, Duration.subtract(every, Duration.seconds(1))))

/** For as long as it runs: repairs at once, then every five minutes, and prunes every hour. Never fails. */
export const maintain = Effect.all([
  unlessAway("Repairing", repairPending).pipe(
    Effect.zipRight(
      Effect.forever(
        Effect.delay(unlessAway("Repairing", onceFor("repair", repairEvery, repairPending)), repairEvery)
      )
    )
  ),
  Effect.forever(Effect.zipLeft(unlessAway("Pruning", onceFor("prune", pruneEvery, prune())), Effect.sleep(pruneEvery)))
], { concurrency: "unbounded", discard: true }).pipe(Effect.withSpan("Maintain.maintain"))
