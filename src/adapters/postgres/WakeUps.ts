import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { WakeUps } from "../../domain/job/WakeUps.js"
import { Tenant } from "../../domain/store/Tenant.js"
import { channel } from "./jobQueue/wake.js"
import { Sessions } from "./Session.js"

/**
 * A bell that wakes all who wait; one that rings while nobody waits is kept for who comes next. A ring resumes the waiting
 * fiber itself: to race it against the end of the wait would cost a job that starts on an idle worker more than its claim.
 */
const makeBell = () => {
  const waiting = new Set<() => void>()
  let missed = false
  const ring = () => {
    missed = waiting.size === 0
    for (const wake of waiting) wake()
  }
  const next = (end: Effect.Effect<unknown>) =>
    Effect.acquireUseRelease(
      Effect.fork(Effect.interruptible(end)),
      (ending) =>
        Effect.async<void>((resume) => {
          const wake = () => {
            waiting.delete(wake)
            resume(Effect.void)
          }
          waiting.add(wake)
          ending.addObserver(wake)
          return Effect.sync(() => waiting.delete(wake))
        }),
      (ending) => Effect.sync(() => ending.unsafeInterruptAsFork(FiberId.none))
    )
  const nextOrMissed = (end: Effect.Effect<unknown>) =>
    Effect.suspend(() => {
      if (!missed) return next(end)
      missed = false
      return Effect.void
    })
  return { ring, next: nextOrMissed }
}

/** A lost session is opened anew: at once, then ever more rarely, up to every five seconds. */
const again = Schedule.exponential("50 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.resetAfter("1 minute")
)

/**
 * Listens on a session of its own from the first wait on, for as long as the layer lives: who only enqueues needs none. Hints
 * are lost while nobody listens, so the waiters are woken once somebody does, and once a session is known to be lost; the poll
 * is behind all of it.
 */
export const layer: Layer.Layer<WakeUps, never, Sessions> = Layer.scoped(
  WakeUps,
  Effect.gen(function*() {
    const sessions = yield* Sessions
    const tenant = yield* Tenant
    const bell = makeBell()
    const ring = Effect.sync(bell.ring)
    const hear = (payload: string) => {
      if (payload === tenant) bell.ring()
    }
    const listening = Effect.scoped(Effect.gen(function*() {
      const session = yield* sessions.open
      yield* session.listen(channel, hear)
      yield* ring
      yield* session.lost
    })).pipe(
      Effect.tapError((failure) => Effect.logDebug(`Hints are not heard for the moment: ${failure.message}`)),
      Effect.tapError(() => ring),
      Effect.retry(again)
    )
    const scope = yield* Effect.scope
    const begun = yield* Effect.once(Effect.forkIn(Effect.interruptible(listening), scope))
    return WakeUps.of({
      next: Effect.fnUntraced(function*(atMost: number, sooner: Effect.Effect<unknown> = Effect.never) {
        yield* begun
        yield* bell.next(Effect.raceFirst(Effect.sleep(atMost), sooner))
      })
    })
  })
)
