import * as Array from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Predicate } from "effect/Predicate"
import { qualified } from "../../../domain/index/EmbedderProfile.js"
import { StoreEmbedder } from "../../../domain/index/StoreEmbedder.js"
import * as Reconciliation from "../../../domain/index/Reconciliation.js"
import { Reconciler } from "../../../domain/index/Reconciler.js"
import type { Opening } from "../../../domain/index/Reconciler.js"
import * as RetryPolicy from "../../../domain/retry/RetryPolicy.js"
import { onceFor, unlessAway } from "../work/Maintain.js"
import { admitted } from "./Admission.js"

/** How often sources are compared with their vectors: once over all processes. */
const reconcileEvery = Duration.minutes(5)

/** Jobs opened in one transaction. */
const openedAtOnce = 500

/** Open a job for each of those sources that `isWanted`, whose vectors are not those of the embedder that the store uses. */
const opened = Effect.fnUntraced(function*(isWanted: Predicate<Reconciliation.Unmatched>) {
  const profile = yield* admitted
  const reconciler = yield* Reconciler
  const unmatched = yield* reconciler.unmatched({
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
  const counts = yield* Effect.forEach(Array.chunksOf(openings, openedAtOnce), reconciler.open)
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
  const store = yield* StoreEmbedder
  const redirected = yield* store.redirect
  if (redirected > 0) yield* Effect.logWarning(`Reconciled: ${redirected} jobs waited for another embedder`)
  const count = yield* opened(Reconciliation.isDue)
  if (count > 0) yield* Effect.logInfo(`Reconciled: ${count} sources are indexed again`)
  // Whoever moved the last source may have died before the old vectors were removed.
  yield* store.retire
  return count
})

/**
 * Reconcile at once, then every five minutes, for as long as it runs. Never fails: a store that is away, or moved on, costs this
 * time.
 */
export const reconciling = unlessAway("Reconciling", reconcile()).pipe(
  Effect.zipRight(
    Effect.forever(
      Effect.delay(unlessAway("Reconciling", onceFor("reconcile", reconcileEvery, reconcile())), reconcileEvery)
    )
  ),
  Effect.withSpan("Reconcile.reconciling")
)
