import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { WakeUps } from "../../domain/job/WakeUps.js"
import { Tenant } from "../../domain/store/Tenant.js"
import { channel } from "./jobQueue/wake.js"
import { Sessions } from "./Session.js"

/** A bell that wakes all who wait; one that rings while nobody waits is kept for who comes next. */
const makeBell = Effect.sync(() => {
  const waiting = new Set<Deferred.Deferred<void>>()
  let missed = false
  const ring = Effect.sync(() => {
    missed = waiting.size === 0
    for (const waiter of waiting) Deferred.unsafeDone(waiter, Effect.void)
  })
  const heard = Effect.acquireUseRelease(
    Effect.tap(Deferred.make<void>(), (waiter) => Effect.sync(() => waiting.add(waiter))),
    Deferred.await,
    (waiter) => Effect.sync(() => waiting.delete(waiter))
  )
  const next = Effect.suspend(() => {
    if (!missed) return heard
    missed = false
    return Effect.void
  })
  return { ring, next }
})

/** A lost session is opened anew: at once, then ever more rarely, up to every five seconds. */
const again = Schedule.exponential("50 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.resetAfter("1 minute")
)

/**
 * Listens on a session of its own for as long as the layer lives. Hints are lost while the session is away, so the waiters
 * are woken once it is known to be lost; the poll is behind all of it.
 */
export const layer: Layer.Layer<WakeUps, never, Sessions> = Layer.scoped(
  WakeUps,
  Effect.gen(function*() {
    const sessions = yield* Sessions
    const tenant = yield* Tenant
    const bell = yield* makeBell
    const listening = Effect.scoped(Effect.gen(function*() {
      const session = yield* sessions.open
      yield* session.listen(channel).pipe(
        Stream.filter((payload) => payload === tenant),
        Stream.runForEach(() => bell.ring)
      )
    }))
    yield* listening.pipe(
      Effect.tapError((failure) => Effect.logDebug(`Hints are not heard for the moment: ${failure.message}`)),
      Effect.tapError(() => bell.ring),
      Effect.retry(again),
      Effect.forkScoped
    )
    return WakeUps.of({
      next: Effect.fn("WakeUps.next")((atMost: number) => Effect.asVoid(Effect.timeoutOption(bell.next, atMost)))
    })
  })
)
