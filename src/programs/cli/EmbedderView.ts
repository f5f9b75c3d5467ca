import * as Option from "effect/Option"
import { describe } from "../../domain/index/EmbedderProfile.js"
import type { EmbedderProfile } from "../../domain/index/EmbedderProfile.js"
import { isChanging } from "../../domain/index/EmbedderUse.js"
import type { EmbedderUse } from "../../domain/index/EmbedderUse.js"
import type { Headway } from "../../domain/index/StoreEmbedder.js"
import { count } from "../../domain/text/count.js"
import { clean } from "./Style.js"

/** A profile as JSON. */
export const json = ({ chunkWords, dimension, model, provider }: EmbedderProfile) => ({
  provider,
  model,
  dimension: Option.getOrNull(dimension),
  chunkWords
})

/** A profile in words for a terminal. */
export const words = (profile: EmbedderProfile): string => clean(describe(profile))

/** How far a change is, in words. */
export const far = ({ done, failed, items, moved, sources }: Headway): string =>
  `${count(moved)} of ${count(sources)} catalogs, ${count(done)}/${count(items)} texts${
    failed === 0 ? "" : `, ${count(failed)} failed`
  }`

/** A change that is under way, in one line; none where there is none. */
export const change = (use: EmbedderUse, headway: Headway): Option.Option<string> =>
  isChanging(use)
    ? Option.some(
      `The store moves to ${words(use.uses)} from ${use.leaving.map(words).join(" and ")}: ${far(headway)}.`
    )
    : Option.none()
