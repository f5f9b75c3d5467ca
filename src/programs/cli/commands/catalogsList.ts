import * as Effect from "effect/Effect"
import { CatalogStore } from "../../../domain/catalog/CatalogStore.js"
import { count } from "../../../domain/text/count.js"
import { around } from "../surroundings.js"
import * as CatalogView from "../CatalogView.js"
import { commandResult } from "../CommandResult.js"
import * as Style from "../Style.js"
import { withStores } from "../provideLayers.js"

export const run = () =>
  withStores(Effect.gen(function*() {
    const store = yield* CatalogStore
    const now = yield* around
    const catalogs = yield* store.list
    return commandResult({ catalogs: catalogs.map((catalog) => CatalogView.json(catalog, now)) }, (style) =>
      catalogs.length === 0
        ? ["There are no catalogs yet. Add one: holdfast index <file|url>"]
        : Style.table(
          style,
          ["catalog", "items", "state", "title", "location"],
          catalogs.map((catalog) => [
            catalog.name,
            count(catalog.items),
            CatalogView.state(style, catalog, now),
            Style.clean(catalog.title),
            Style.clean(catalog.location)
          ]),
          [0, 3, 4]
        ))
  })).pipe(
    Effect.catchTag("StoreMissing", ({ message }) =>
      Effect.succeed(commandResult({ catalogs: [] }, () => [`There are no catalogs yet. ${message}`])))
  )
