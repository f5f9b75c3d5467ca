import * as Effect from "effect/Effect"
import { CatalogStore } from "../../../domain/catalog/CatalogStore.js"
import { commandResult } from "../CommandResult.js"
import { withStores } from "../provideLayers.js"

export const run = ({ name }: { readonly name: string }) =>
  withStores(Effect.gen(function*() {
    const store = yield* CatalogStore
    yield* store.remove(name)
    return commandResult({ removed: name }, () => [`Removed ${name}, with its vectors.`])
  }))
