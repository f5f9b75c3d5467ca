import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** Hints that something changed. The table is the queue: a hint may be lost, and nothing depends on one. */
export class WakeUps extends Context.Tag("holdfast/WakeUps")<WakeUps, {
  /** Ends when a job became ready, a gate opened, or `atMost` passed (milliseconds). */
  readonly next: (atMost: number) => Effect.Effect<void>
}>() {}
