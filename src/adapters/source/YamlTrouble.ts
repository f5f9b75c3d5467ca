import * as Data from "effect/Data"

/** Why a text is no YAML document that can be read. `offset` counts UTF-16 units from 0. */
export type Trouble = Data.TaggedEnum<{
  Broken: { readonly offset: number; readonly why: string }
  AliasBomb: {}
  TooDeep: {}
}>
export const Trouble = Data.taggedEnum<Trouble>()
