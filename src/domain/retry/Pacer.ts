import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { Tenant } from "../store/Tenant.js"

/** When a call may begin. */
export type Grant = Data.TaggedEnum<{
  /** At once: the provider never refused, or has long stopped refusing. */
  Free: {}
  /** After `wait`, if the grant still stands then: a refusal in between makes it void. */
  Given: { readonly wait: Duration.Duration; readonly cycle: number }
  /** Not yet known: the grants of others reach too far ahead. Ask again after `wait`. */
  Later: { readonly wait: Duration.Duration }
  /** The provider asked everyone to wait so long. */
  Cooling: { readonly wait: Duration.Duration }
}>
export const Grant = Data.taggedEnum<Grant>()

/** The cycle of a call that took no grant. */
export const unpaced = 0

/**
 * Paces the calls of all workers and processes to each provider, and keeps its cooldown: nobody calls before the time that a
 * provider named. All times are the database's.
 */
export class Pacer extends Context.Tag("holdfast/Pacer")<Pacer, {
  /** Whether nothing holds a call at this moment: one read, no lock. */
  readonly isFree: (provider: string) => Effect.Effect<boolean, StoreFailure, Tenant>
  /** Take the next grant. */
  readonly take: (provider: string) => Effect.Effect<Grant, StoreFailure, Tenant>
  /** Whether a grant that was given in this cycle may be used now. */
  readonly stands: (provider: string, cycle: number) => Effect.Effect<boolean, StoreFailure, Tenant>
  /**
   * A call of this cycle was refused: nobody calls the provider for `wait`, and all go on more slowly after it. A longer
   * cooldown that stands is kept; none lasts longer than a day.
   */
  readonly throttled: (
    provider: string,
    cycle: number,
    wait: Duration.Duration
  ) => Effect.Effect<void, StoreFailure, Tenant>
}>() {}
