import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type * as DateTime from "effect/DateTime"
import type { Failure } from "../failure/Failure.js"
import type { GateReason, GateRef } from "../session/Gate.js"

/** Every way in which one attempt at a job ends. It is decided first; only then is anything written. */
export type Outcome = Data.TaggedEnum<{
  /** All items have their vectors or their refusal. */
  Completed: {}
  /** The attempt failed and another may help; none where the attempts are spent. */
  Retried: { readonly failure: Failure; readonly delay: Duration.Duration }
  /** The provider cools down, for everyone; `refunded` where the attempt does not count. */
  Cooled: { readonly failure: Failure; readonly delay: Duration.Duration; readonly refunded: boolean }
  /** The gate closes; the attempt is refunded. */
  Parked: {
    readonly failure: Failure
    readonly gate: GateRef
    readonly reason: GateReason
    readonly until: Option.Option<DateTime.Utc>
  }
  /** Trying again would not help, or the attempts are spent. */
  Halted: { readonly failure: Failure }
  /** The worker shuts down, or yields to waiting jobs; the attempt is refunded. */
  Released: {}
  /** A person stopped it, or its source is gone. */
  Cancelled: {}
  /** A whole safety bound passed without progress. */
  Stalled: { readonly after: Duration.Duration }
}>
export const Outcome = Data.taggedEnum<Outcome>()
