import * as Either from "effect/Either"
import * as Storable from "../text/Storable.js"
import * as ModelName from "./ModelName.js"

/**
 * Of which model the vectors of an answer are. Vectors of two models never mix: what an answer tells of itself is held
 * against the settings and against the answers before it.
 */
export interface Origin {
  /** As the answer names it; null where it does not say. */
  readonly model: string | null
  readonly dimension: number
}

/** What answers are held against. */
export interface Expected {
  /** The model that is asked for; null where the server has but one and is not asked for it. */
  readonly model: string | null
  /** The name that answers carry, where it is known to be another. */
  readonly servedModel: string | null
  readonly dimension: number | null
}

/** A setting that the answer contradicts, and how. */
export interface Misfit {
  readonly setting: "embedder.model" | "embedder.dimension"
  readonly words: string
}

const misfit = (setting: Misfit["setting"], words: string) => Either.left({ setting, words })

const shown = (name: string): string => Storable.cut(Storable.oneLine(name), 80)

const moved = "another model stands behind embedder.url"

/** What is known of the origin after this answer, or what it contradicts. `seen` is what the answers before it told. */
export const admit = (
  expected: Expected,
  seen: Origin | null,
  answer: Origin
): Either.Either<Origin, Misfit> => {
  const { dimension, model } = answer
  const asked = expected.servedModel ?? expected.model
  const before = seen?.model ?? null
  if (model !== null && before !== null && !ModelName.isSame(asked, before, model)) {
    return misfit(
      "embedder.model",
      `the answers were of the model ${shown(before)} and are of ${shown(model)} now: ${moved}`
    )
  }
  if (model !== null && before === null && asked !== null && !ModelName.answersTo(asked, model)) {
    return misfit(
      "embedder.model",
      expected.servedModel === null
        ? `embedder.model is ${shown(asked)} but the answer is of ${
          shown(model)
        }: correct embedder.model, or set embedder.served_model to ${shown(model)} if the two are one`
        : `embedder.served_model is ${shown(asked)} but the answer is of ${shown(model)}`
    )
  }
  if (seen !== null && seen.dimension !== dimension) {
    return misfit(
      "embedder.model",
      `the model answered ${seen.dimension} dimensions and answers ${dimension} now: ${moved}`
    )
  }
  return expected.dimension !== null && expected.dimension !== dimension
    ? misfit("embedder.dimension", `embedder.dimension is ${expected.dimension} but the model answers ${dimension}`)
    : Either.right({ model: before ?? model, dimension })
}
