import * as Array from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Predicate } from "effect/Predicate"
import { qualified } from "../../../domain/index/EmbedderProfile.js"
import type { EmbedderMismatch } from "../../../domain/index/EmbedderUse.js"
import { StoreEmbedder } from "../../../domain/index/StoreEmbedder.js"
import * as Reconciliation from "../../../domain/index/Reconciliation.js"
import { Upkeep } from "../../../domain/job/Upkeep.js"
import type { Opening } from "../../../domain/job/Upkeep.js"
import * as RetryPolicy from "../../../domain/retry/RetryPolicy.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { admitted } from "./Admission.js"

/** How often sources are compared with their vectors, and the history is pruned: each once over all processes. */
const reconcileEvery = Duration.minutes(5)
const pruneEvery = Duration.hours(1)

/** How long history is kept, and how much of it goes in one transaction. */
const keptFor = Duration.days(14)
const slice = 500

/** Jobs opened in one transaction. */
const openedAtOnce = 500

/** Open a job for each of those sources that `isWanted`, whose vectors are not those of the embedder that the store uses. */
const opened = Effect.fnUntraced(function*(isWanted: Predicate<Reconciliation.Unmatched>) {
  const profile = yield* admitted
  const upkeep = yield* Upkeep
  const unmatched = yield* upkeep.unmatched({
    model: qualified(profile),
    dimension: Option.getOrNull(profile.dimension),
    chunkWords: profile.chunkWords
  })
  const openings = unmatched.filter(isWanted).map(({ last, source }): Opening => ({
    source,
    provider: profile.provider,
    maxAttempts: Option.match(last, {
      onNone: () => RetryPolicy.job.maxAttempts,
      onSome: ({ maxAttempts }) => maxAttempts
    }),
    after: Option.getOrNull(Option.map(last, ({ id }) => id))
  }))
  const counts = yield* Effect.forEach(Array.chunksOf(openings, openedAtOnce), upkeep.open)
  return counts.reduce((sum, one) => sum + one, 0)
})

/** Open a job for every source whose vectors do not match, whatever became of its last one: a person asks. Answers how many. */
export const reindexAll = opened(() => true).pipe(Effect.withSpan("Reconcile.reindexAll"))

/**
 * Open a job for every source whose stored vectors do not match its items by hash, or the embedder that the store uses. What
 * failed is left alone for a while, what a person cancelled until a person asks. Answers how many. Fails with EmbedderMismatch,
 * and changes nothing, where this process has another embedder.
 */
export const reconcile = Effect.fn("Reconcile.reconcile")(function*() {
  yield* admitted
  const upkeep = yield* Upkeep
  const store = yield* StoreEmbedder
  const redirected = yield* store.redirect
  if (redirected > 0) yield* Effect.logWarning(`Reconciled: ${redirected} jobs waited for another embedder`)
  const overlooked = yield* upkeep.lineUp
  if (overlooked > 0) yield* Effect.logWarning(`Reconciled: ${overlooked} pending jobs had been overlooked`)
  const count = yield* opened(Reconciliation.isDue)
  if (count > 0) yield* Effect.logInfo(`Reconciled: ${count} sources are indexed again`)
  // Whoever moved the last source may have died before the old vectors were removed.
  yield* store.retire
  return count
})

/** Remove the history that nobody needs any more, slice by slice. Answers how many jobs went. */
export const prune = Effect.fn("Reconcile.prune")(function*() {
  const upkeep = yield* Upkeep
  let pruned = 0
  let last = slice
  while (last === slice) {
    last = yield* upkeep.prune(keptFor, slice)
    pruned += last
  }
  if (pruned > 0) yield* Effect.logInfo(`Pruned ${pruned} jobs older than ${Duration.format(keptFor)}`)
  return pruned
})

/** A database that is away costs this turn, not the loop; so does a store that moved on, which the worker itself notices. */
const unlessAway = <A, R>(what: string, task: Effect.Effect<A, StoreFailure | EmbedderMismatch, R>) =>
  Effect.catchAll(task, (failure) => Effect.logWarning(`${what} is put off: ${failure.message}`))

const inTurn = <A, E, R>(task: string, every: Duration.Duration, work: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Upkeep, (upkeep) => Effect.whenEffect(work, upkeep.isTurn(task, every)))

const reconcileInTurn = inTurn("reconcile", Duration.subtract(reconcileEvery, Duration.seconds(1)), reconcile())

/** Reconcile at once, then every five minutes, and prune every hour, for as long as it runs. Never fails. */
export const upkeep = Effect.all([
  unlessAway("Reconciling", reconcile()).pipe(
    Effect.zipRight(Effect.forever(Effect.delay(unlessAway("Reconciling", reconcileInTurn), reconcileEvery)))
  ),
  Effect.forever(Effect.zipLeft(
    unlessAway("Pruning", inTurn("prune", Duration.subtract(pruneEvery, Duration.seconds(1)), prune())),
    Effect.sleep(pruneEvery)
  ))
], { concurrency: "unbounded", discard: true }).pipe(Effect.withSpan("Reconcile.upkeep"))
