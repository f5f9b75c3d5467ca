import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Tenant } from "../store/Tenant.js"

/** Hints that something changed. The table is the queue: a hint may be lost, and nothing depends on one. */
export class WakeUps extends Context.Tag("holdfast/WakeUps")<WakeUps, {
  /**
   * Until the scope ends, calls `ring` when a job became ready or a gate opened, and when hints may have been missed. Plain, since
   * a job that starts on an idle worker waits for all that lies between its hint and its claim.
   */
  readonly hear: (ring: () => void) => Effect.Effect<void, never, Scope.Scope | Tenant>
}>() {}
