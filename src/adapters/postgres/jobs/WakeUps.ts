import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { WakeUps } from "../../../domain/job/WakeUps.js"
import { DedicatedConnections } from "../driver/DedicatedConnection.js"
import { Tables } from "../driver/Tables.js"

/** A lost session is opened anew: at once, then ever more rarely, up to every five seconds. */
const again = Schedule.exponential("50 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.resetAfter("1 minute")
)

/** Whose latch is opened by the hints of these tenants. */
interface Hearer {
  readonly tenants: ReadonlySet<string>
  readonly latch: Effect.Latch
}

/**
 * Listens on a session of its own from the first hearer on, for as long as the layer lives: who only enqueues needs none. Hints
 * are lost while nobody listens, so every latch is opened once somebody does, and once a session is known to be lost; the poll is
 * behind all of it.
 */
export const layer: Layer.Layer<WakeUps, never, DedicatedConnections | Tables> = Layer.scoped(
  WakeUps,
  Effect.gen(function*() {
    const sessions = yield* DedicatedConnections
    const { channel } = yield* Tables
    const hearers = new Set<Hearer>()
    const openAll = () => hearers.forEach(({ latch }) => latch.unsafeOpen())
    const opening = Effect.sync(openAll)
    const hear = (payload: string) => {
      for (const { latch, tenants } of hearers) if (tenants.has(payload)) latch.unsafeOpen()
    }
    const listening = Effect.scoped(Effect.gen(function*() {
      const session = yield* sessions.open
      yield* session.listen(channel, hear)
      yield* opening
      yield* session.lost
    })).pipe(
      Effect.tapError((failure) => Effect.logDebug(`Hints are not heard for the moment: ${failure.message}`)),
      Effect.tapError(() => opening),
      Effect.retry(again)
    )
    const scope = yield* Effect.scope
    const begun = yield* Effect.once(Effect.forkIn(Effect.interruptible(listening), scope))
    return WakeUps.of({
      hear: (tenants, latch) => {
        const hearing = Effect.acquireRelease(
          Effect.sync(() => {
            const own = { tenants: new Set(tenants), latch }
            hearers.add(own)
            return own
          }),
          (own) => Effect.sync(() => hearers.delete(own))
        )
        return Effect.zipRight(hearing, begun)
      }
    })
  })
)
