import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as DateTime from "effect/DateTime"
import type { StoreFailure } from "../store/StoreFailure.js"
import type { ClosedGate, GateReason, GateRef } from "./Gate.js"
import type { Tenant } from "../store/Tenant.js"

/** A provider that asked everyone to wait. */
export interface Cooldown {
  readonly provider: string
  readonly until: DateTime.Utc
}

/** Gates and cooldowns, shared by all workers and processes. A cooldown begins with a refusal: see Pacer. */
export class Gates extends Context.Tag("holdfast/Gates")<Gates, {
  /** Close a gate; true for the one caller that closed it, false where it was closed already. */
  readonly close: (
    gate: GateRef,
    reason: GateReason,
    until: Option.Option<DateTime.Utc>,
    detail: string
  ) => Effect.Effect<boolean, StoreFailure, Tenant>
  /** Open a gate and wake what waited; false where it was open. */
  readonly open: (gate: GateRef) => Effect.Effect<boolean, StoreFailure, Tenant>
  /**
   * End a provider's cooldown, forget its pace, and make ready the jobs that wait for it; false where none stood. It begins anew
   * with the next refusal.
   */
  readonly endCooldown: (provider: string) => Effect.Effect<boolean, StoreFailure, Tenant>
  readonly closed: Effect.Effect<ReadonlyArray<ClosedGate>, StoreFailure, Tenant>
  readonly cooling: Effect.Effect<ReadonlyArray<Cooldown>, StoreFailure, Tenant>
}>() {}
