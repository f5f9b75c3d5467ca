import * as Option from "effect/Option"
import type { Catalog } from "../../domain/catalog/CatalogStore.js"
import { badge, sourceState } from "../../domain/index/SourceState.js"
import { written } from "../../domain/job/WaitReason.js"
import type { Surroundings } from "../../domain/job/WaitReason.js"
import * as Style from "./Style.js"

/** A catalog's state as a badge. */
export const state = (style: Style.Style, catalog: Catalog, around: Surroundings): string =>
  Style.badge(style, badge(sourceState(catalog, around)))

/** A catalog as JSON. */
export const json = (catalog: Catalog, around: Surroundings) => {
  const found = sourceState(catalog, around)
  return {
    name: catalog.name,
    title: catalog.title,
    version: catalog.version,
    location: catalog.location,
    revision: catalog.revision,
    state: found._tag,
    words: badge(found).words,
    items: catalog.items,
    indexed: catalog.indexed,
    refused: catalog.refused,
    model: Option.getOrNull(catalog.model),
    dimension: Option.getOrNull(catalog.dimension),
    job: Option.getOrNull(Option.map(catalog.job, ({ id }) => id)),
    updatedAt: written(catalog.updatedAt)
  }
}
