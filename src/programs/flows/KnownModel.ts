import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { Embedder } from "../../domain/embedding/Embedder.js"
import * as ModelName from "../../domain/embedding/ModelName.js"
import { StoreEmbedder } from "../../domain/embedding/StoreEmbedder.js"
import { classify } from "../../domain/failure/classify.js"
import type { Failure } from "../../domain/failure/Failure.js"
import { Tenant } from "../../domain/store/Tenant.js"
import * as Storable from "../../domain/text/Storable.js"

const shown = (name: string): string => Storable.cut(Storable.oneLine(name), 80)

/**
 * The embedder, held to the model that the store's vectors are of: an adapter notices when its answers change their model, but a
 * later process knows nothing of the answers before it. The first name that answers carry is kept by the store, and the first
 * answer of each process is held against it. Where answers never name a model, nothing can be told.
 */
export const heldTo = Effect.fnUntraced(function*(embedder: Embedder["Type"]) {
  const store = yield* StoreEmbedder
  const tenant = yield* Tenant
  const isKnown = yield* Ref.make(false)
  const check = Effect.gen(function*(): Effect.fn.Return<void, Failure> {
    if (yield* Ref.get(isKnown)) return
    const name = yield* embedder.answersAs
    if (Option.isNone(name)) return
    // A store that is away is asked at the next answer; what it does not take now is not stored either.
    const kept = yield* Effect.option(Effect.provideService(store.named(name.value), Tenant, tenant))
    if (Option.isNone(kept)) return
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
    yield* Ref.set(isKnown, true)
  })
  return { ...embedder, embed: (texts) => Effect.zipLeft(embedder.embed(texts), check) } satisfies Embedder["Type"]
})
