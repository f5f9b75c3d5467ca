import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Embedder } from "../../../domain/index/Embedder.js"
import * as Profile from "../../../domain/index/EmbedderProfile.js"
import * as ModelName from "../../../domain/index/ModelName.js"
import { StoreEmbedder } from "../../../domain/index/StoreEmbedder.js"
import { classify } from "../../../domain/failure/classify.js"
import type { Failure } from "../../../domain/failure/Failure.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import * as Storable from "../../../domain/text/Storable.js"

const shown = (name: string): string => Storable.cut(Storable.oneLine(name), 80)

/**
 * An adapter notices when its answers change their model, but a later process knows nothing of the answers before it. So the store
 * keeps the first name that answers carry, and the answers of each process are held against it. Where answers never name a model,
 * nothing can be told.
 */

/** Fails where the answers of this embedder are of another model than the store's vectors. True once that is known, or never will be. */
export const verified = Effect.fnUntraced(function*(embedder: Embedder["Type"]): Effect.fn.Return<
  boolean,
  Failure,
  StoreEmbedder | Tenant
> {
  if (embedder.answersAs === undefined) return true
  const store = yield* StoreEmbedder
  const name = yield* embedder.answersAs
  if (Option.isNone(name)) return false
  // A store that is away is asked at the next answer; what it does not take now is not stored either.
  const kept = yield* Effect.option(store.named(Profile.qualified(embedder), name.value))
  if (Option.isNone(kept)) return false
  if (!ModelName.isSame(embedder.model, kept.value, name.value)) {
    return yield* Effect.fail(classify({
      provider: embedder.provider,
      surface: "embed",
      auth: "none",
      setting: "embedder.model",
      contract: `the store's vectors are of the model ${shown(kept.value)} and the answers are of ${
        shown(name.value)
      }: another model stands behind embedder.url`
    }))
  }
  return true
})

/** The tenants whose store was found to have vectors of this embedder's model. */
export type Known = Set<string>

/** The embedder, whose first answers are held to the model that the vectors of the caller's tenant are of. */
export const heldTo = Effect.fnUntraced(function*(embedder: Embedder["Type"], known: Known) {
  const context = yield* Effect.context<StoreEmbedder | Tenant>()
  const tenant = yield* Tenant
  const check = Effect.suspend(() =>
    known.has(tenant)
      ? Effect.void
      : Effect.map(Effect.provide(verified(embedder), context), (isKnown) => {
        if (isKnown) known.add(tenant)
      })
  )
  return { ...embedder, embed: (texts) => Effect.zipLeft(embedder.embed(texts), check) } satisfies Embedder["Type"]
})
