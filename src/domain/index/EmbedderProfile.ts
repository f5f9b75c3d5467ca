import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Embedder } from "./Embedder.js"
import type { VectorSpace } from "./IndexStore.js"

/**
 * What decides which vectors a store gets: who makes them, with which model, how long they are, and how texts are cut before.
 * The address is no part of it: a server that moves keeps its vectors.
 */
export class EmbedderProfile extends Schema.Class<EmbedderProfile>("EmbedderProfile")({
  provider: Schema.NonEmptyString,
  model: Schema.NonEmptyString,
  /** None until a first vector shows it. */
  dimension: Schema.OptionFromNullOr(Schema.Int.pipe(Schema.positive())),
  /** The longest chunk, in words. Other sizes make other chunks of the same texts. */
  chunkWords: Schema.Int.pipe(Schema.positive())
}) {}

/** The profile of an embedder as it is set up now. */
export const of = ({ chunkWords, dimension, model, provider }: Embedder["Type"]): EmbedderProfile =>
  EmbedderProfile.make({ provider, model, dimension, chunkWords })

/**
 * The model's name with its provider before it, as vectors are stored under it: two providers' models of one name (quantised
 * here, not there) need not make the same numbers. No two pairs have the same name.
 */
export const qualified = ({ model, provider }: Pick<EmbedderProfile, "provider" | "model">): string =>
  `${provider.replaceAll("%", "%25").replaceAll("/", "%2F")}/${model}`

/** The provider and the model of a qualified name; none of any other text. */
export const unqualified = (name: string): Option.Option<{ readonly provider: string; readonly model: string }> => {
  const at = name.indexOf("/")
  return at < 1 || at === name.length - 1 ? Option.none() : Option.some({
    provider: name.slice(0, at).replaceAll("%2F", "/").replaceAll("%25", "%"),
    model: name.slice(at + 1)
  })
}

/** The space that its vectors have in the store, once they have this dimension. */
export const spaceOf = (profile: EmbedderProfile, dimension: number): VectorSpace => ({
  model: qualified(profile),
  dimension,
  chunkWords: profile.chunkWords
})

/** Whether both make the same vectors of the same texts. A dimension that is not known yet contradicts none. */
export const matches = (a: EmbedderProfile, b: EmbedderProfile): boolean =>
  a.provider === b.provider && a.model === b.model && a.chunkWords === b.chunkWords &&
  Option.getOrElse(Option.zipWith(a.dimension, b.dimension, (one, other) => one === other), () => true)

/** The first with the dimension of the second, where it knows none of its own. */
export const completed = (profile: EmbedderProfile, by: EmbedderProfile): EmbedderProfile =>
  EmbedderProfile.make({ ...profile, dimension: Option.orElse(profile.dimension, () => by.dimension) })

/** The profile in a few words. */
export const describe = ({ chunkWords, dimension, model, provider }: EmbedderProfile): string => {
  const length = Option.match(dimension, { onNone: () => "", onSome: (known) => `${known} dimensions, ` })
  return `${provider} with ${model} (${length}chunks of ${chunkWords} words)`
}
