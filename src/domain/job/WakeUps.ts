import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Hints that something changed. The table is the queue: a hint may be lost, and nothing depends on one. */
export class WakeUps extends Context.Tag("holdfast/WakeUps")<WakeUps, {
  /** Until the scope ends, opens the latch when a job of these tenants became ready or a gate opened, and when hints may have been missed. */
  readonly hear: (tenants: ReadonlyArray<string>, latch: Effect.Latch) => Effect.Effect<void, never, Scope.Scope>
}>() {}
