import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Embedder } from "../../../domain/index/Embedder.js"
import * as Profile from "../../../domain/index/EmbedderProfile.js"
import type { EmbedderProfile } from "../../../domain/index/EmbedderProfile.js"
import * as EmbedderUse from "../../../domain/index/EmbedderUse.js"
import type { EmbedderMismatch } from "../../../domain/index/EmbedderUse.js"
import { StoreEmbedder } from "../../../domain/index/StoreEmbedder.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { Tenant } from "../../../domain/store/Tenant.js"

/** Whether this process's embedder may work for the store: asked before anything is claimed, enqueued or reconciled. */

/** Its profile, with the dimension that the store knows. Fails where the store uses another one. */
export const admitted = Effect.gen(function*() {
  const came = Profile.of(yield* Embedder)
  return yield* EmbedderUse.admitted(yield* (yield* StoreEmbedder).find, came)
}).pipe(Effect.withSpan("Admission.admitted"))

/** The same for whoever brings the store a source: the first one decides which embedder the store uses. */
export const adopted = Effect.gen(function*() {
  const came = Profile.of(yield* Embedder)
  return yield* EmbedderUse.admitted(Option.some(yield* (yield* StoreEmbedder).adopt(came)), came)
}).pipe(Effect.withSpan("Admission.adopted"))

/** How long an answer counts (milliseconds): small jobs come by the hundreds, and each asks. */
const counts = 1000

/** `admitted`, unless it answered a moment ago. A dimension that is not known yet is asked for each time. */
export const remembered = Effect.sync(() => {
  const last = new Map<string, { readonly at: number; readonly profile: EmbedderProfile }>()
  return Effect.gen(function*(): Effect.fn.Return<
    EmbedderProfile,
    EmbedderMismatch | StoreFailure,
    Embedder | StoreEmbedder | Tenant
  > {
    const at = yield* Clock.currentTimeMillis
    const tenant = yield* Tenant
    const known = last.get(tenant)
    if (known !== undefined && at - known.at < counts) return known.profile
    const profile = yield* admitted
    if (Option.isSome(profile.dimension)) last.set(tenant, { at, profile })
    return profile
  })
})
