import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type * as DateTime from "effect/DateTime"
import type { Report } from "../failure/Consequence.js"
import type { GateReason, GateRef } from "../session/Gate.js"
import type { NewError } from "./Job.js"

/**
 * Every way in which one attempt at a job ends. It is decided first; only then is anything written. What follows from a failure
 * is decided once: the error as it is stored, and who hears of it, are carried here, and nobody asks again.
 */
export type Outcome = Data.TaggedEnum<{
  /** All items have their vectors or their refusal. */
  Completed: {}
  /** The attempt failed and another may help; it fails for good where the attempts are spent. */
  Retried: { readonly error: NewError; readonly report: Report; readonly delay: Duration.Duration }
  /** The provider cools down, for everyone; `refunded` where the attempt does not count. */
  Cooled: { readonly error: NewError; readonly delay: Duration.Duration; readonly refunded: boolean }
  /** The gate closes; the attempt is refunded. */
  Parked: {
    readonly error: NewError
    readonly gate: GateRef
    readonly reason: GateReason
    readonly until: Option.Option<DateTime.Utc>
  }
  /** Trying again would not help, or the attempts are spent. */
  Halted: { readonly error: NewError; readonly report: Report }
  /** The worker shuts down, or yields to waiting jobs; the attempt is refunded. */
  Released: {}
  /** A person stopped it, or its source is gone. */
  Cancelled: {}
  /** A whole safety bound passed without progress. */
  Stalled: { readonly after: Duration.Duration }
}>
export const Outcome = Data.taggedEnum<Outcome>()
