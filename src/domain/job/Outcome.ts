import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type { ReportPolicy } from "../failure/Consequence.js"
import type { GateReason, GateRef } from "../session/Gate.js"
import type { NewError } from "./Job.js"

/**
 * Every way in which one attempt at a job ends. It is decided first; only then is anything written. What follows from a failure
 * is decided once: the error as it is stored, and who hears of it, are carried here, and nobody asks again.
 */
export type Outcome = Data.TaggedEnum<{
  /** Done; `partial` where the kind left something out. `output` is JSON, null for none. */
  Completed: { readonly output: unknown; readonly partial: boolean }
  /** The attempt failed and another may help; it fails for good where the attempts are spent. */
  Retried: { readonly error: NewError; readonly report: ReportPolicy; readonly delay: Duration.Duration }
  /**
   * The provider cools down, for everyone; `refunded` where the attempt does not count. `provider` is null where everyone was told
   * when the refusal was heard.
   */
  Cooled: {
    readonly error: NewError
    readonly delay: Duration.Duration
    readonly refunded: boolean
    readonly provider: string | null
  }
  /** The gate closes; the attempt is refunded, and the job stands behind that gate from now on. */
  Parked: {
    readonly error: NewError
    readonly gate: GateRef
    readonly reason: GateReason
    readonly until: Option.Option<DateTime.Utc>
  }
  /** Trying again would not help, or the attempts are spent. */
  Halted: { readonly error: NewError; readonly report: ReportPolicy }
  /** The worker shuts down, or the job gives way to others; the attempt is refunded. */
  Released: {}
  /** A person stopped it, or what it was for is gone. */
  Cancelled: {}
}>
export const Outcome = Data.taggedEnum<Outcome>()
