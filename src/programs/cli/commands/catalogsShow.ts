import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { CatalogStore } from "../../../domain/catalog/CatalogStore.js"
import type { Catalog } from "../../../domain/catalog/CatalogStore.js"
import type { Surroundings } from "../../../domain/job/WaitReason.js"
import { count } from "../../../domain/text/count.js"
import { around } from "../surroundings.js"
import * as CatalogView from "../CatalogView.js"
import * as JobView from "../JobView.js"
import { commandResult } from "../CommandResult.js"
import * as Style from "../Style.js"
import { withStores } from "../provideLayers.js"

const rows = (style: Style.Style, catalog: Catalog, now: Surroundings): ReadonlyArray<readonly [string, string]> => [
  ["catalog", catalog.name],
  ["state", CatalogView.state(style, catalog, now)],
  ["title", `${Style.clean(catalog.title)} ${Style.clean(catalog.version)}`.trim()],
  ["location", Style.clean(catalog.location)],
  [
    "items",
    `${count(catalog.items)}, ${count(catalog.indexed)} indexed, ${count(catalog.refused)} refused`
  ],
  [
    "vectors",
    Option.match(Option.all([catalog.model, catalog.dimension]), {
      onNone: () => "none yet",
      onSome: ([model, dimension]) => `${Style.clean(model)}, ${dimension} dimensions`
    })
  ],
  ...Option.toArray(Option.map(catalog.job, ({ id, status }) => ["newest job", `${id}, ${status}`] as const)),
  ...Option.toArray(
    Option.map(Option.flatMap(catalog.job, JobView.errorLine), (error) => ["last error", Style.clean(error)] as const)
  ),
  ["revision", catalog.revision],
  ["updated", Style.time(catalog.updatedAt)]
]

export const run = ({ name }: { readonly name: string }) =>
  withStores(Effect.gen(function*() {
    const store = yield* CatalogStore
    const catalog = yield* store.find(name)
    const now = yield* around
    return commandResult({ catalog: CatalogView.json(catalog, now) }, (style) =>
      Style.prose(style, rows(style, catalog, now).map(([head, value]) => [Style.paint(style, "faint", head), value])))
  }))
