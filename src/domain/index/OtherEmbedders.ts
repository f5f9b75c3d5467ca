import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Embedder } from "./Embedder.js"

/**
 * The embedders that this process can ask beside its own: a catalog that has not moved yet is searched in the space that it has.
 * There are none unless a layer gives some.
 */
export class OtherEmbedders extends Context.Reference<OtherEmbedders>()("holdfast/OtherEmbedders", {
  defaultValue: (): {
    /** The one of this provider with this model, in the scope; none where nobody told how it is reached. */
    readonly of: (
      wanted: Pick<Embedder["Type"], "provider" | "model">
    ) => Effect.Effect<Option.Option<Embedder["Type"]>, never, Scope.Scope>
  } => ({ of: () => Effect.succeedNone })
}) {}
