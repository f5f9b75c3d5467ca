import * as Schema from "effect/Schema"
import type { Vector } from "../../domain/index/Vector.js"
import { modelName, Numbers } from "../http/JsonBody.js"

const Report = {
  model: Schema.optional(Schema.Unknown),
  dimension: Schema.optional(Schema.NullOr(Schema.Number)),
  count: Schema.optional(Schema.NullOr(Schema.Number))
}

const Vectors = Schema.Array(Numbers)

/** Each shape under its own name, the contract's first; a server that sends several is read by the first. */
const shapes = [
  Schema.Struct({ ...Report, dense_vecs: Vectors }),
  Schema.Struct({ ...Report, dense_vectors: Vectors }),
  Schema.Struct({ ...Report, embeddings: Vectors }),
  Schema.Struct({ ...Report, embedding: Schema.Union(Numbers, Vectors) }),
  Schema.Struct({
    ...Report,
    data: Schema.Array(Schema.Struct({ embedding: Numbers, index: Schema.optional(Schema.Number) }))
  }),
  Vectors
] as const

/** What embedding services answer to `POST /embed`. */
export const DenseAnswer = Schema.Union(...shapes).annotations({
  message: () => ({
    message: "expected lists of numbers under dense_vecs, or another name in use for them",
    override: true
  })
})
export type DenseAnswer = typeof DenseAnswer.Type

const isOne = (vectors: Vector | ReadonlyArray<Vector>): vectors is Vector => typeof vectors[0] === "number"

const isBare = (answer: DenseAnswer): answer is ReadonlyArray<Vector> => Array.isArray(answer)

/** The vectors in the order of the texts. */
export const vectors = (answer: DenseAnswer): ReadonlyArray<Vector> => {
  if (isBare(answer)) return answer
  if ("dense_vecs" in answer) return answer.dense_vecs
  if ("dense_vectors" in answer) return answer.dense_vectors
  if ("embeddings" in answer) return answer.embeddings
  if ("embedding" in answer) return isOne(answer.embedding) ? [answer.embedding] : answer.embedding
  return answer.data
    .map(({ embedding, index }, place) => ({ embedding, index: index ?? place }))
    .toSorted((a, b) => a.index - b.index)
    .map(({ embedding }) => embedding)
}

/** The model that the answer says it is of. */
export const model = (answer: DenseAnswer): string | null => isBare(answer) ? null : modelName(answer.model)

/** Where the answer's own report contradicts its vectors or the texts: in what; null where it does not. */
export const contradiction = (answer: DenseAnswer, texts: number): string | null => {
  if (isBare(answer)) return null
  const { count, dimension } = answer
  if (typeof count === "number" && count !== texts) return `the answer reports ${count} vectors for ${texts} texts`
  const actual = vectors(answer)[0]?.length
  return typeof dimension === "number" && actual !== undefined && dimension !== actual
    ? `the answer reports ${dimension} dimensions and its vectors have ${actual}`
    : null
}
