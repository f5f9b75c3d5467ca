import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Wait for a permit, and give it back with the scope. */
export const take = (permits: Effect.Semaphore): Effect.Effect<void, never, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.zipRight(restore(permits.take(1)), Effect.addFinalizer(() => permits.release(1)))
  )
