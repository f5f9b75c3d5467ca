import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** Hints that something changed. The table is the queue: a hint may be lost, and nothing depends on one. */
export class WakeUps extends Context.Tag("holdfast/WakeUps")<WakeUps, {
  /** Ends when a job became ready, a gate opened, `sooner` ended, or `atMost` passed (milliseconds). */
  readonly next: (atMost: number, sooner?: Effect.Effect<unknown>) => Effect.Effect<void>
}>() {}
