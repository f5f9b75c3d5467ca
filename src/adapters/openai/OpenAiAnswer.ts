import { endianness } from "node:os"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Vector } from "../../domain/index/Vector.js"
import { Numbers } from "../http/JsonBody.js"

/** What a server answers to `POST /v1/embeddings`: numbers, or their float32 bytes in base64. */
export const OpenAiAnswer = Schema.Struct({
  model: Schema.optional(Schema.Unknown),
  data: Schema.Array(Schema.Struct({
    embedding: Schema.Union(Numbers, Schema.String).annotations({
      message: () => ({ message: "expected a list of numbers or base64", override: true })
    }),
    index: Schema.optional(Schema.NullOr(Schema.Union(Schema.Number, Schema.NumberFromString)))
  })).annotations({
    message: ({ actual }) => ({ message: "expected a list of embeddings", override: !Array.isArray(actual) })
  })
}).annotations({
  message: ({ actual }) => ({
    message: "expected embeddings under `data`",
    override: typeof actual !== "object" || actual === null || Array.isArray(actual)
  })
})
export type OpenAiAnswer = typeof OpenAiAnswer.Type

const base64 = /^[A-Za-z0-9+/]*={0,2}$/u

/** Little-endian float32 numbers from base64; null where it is no base64, or no whole number of floats. */
export const fromBase64 = (text: string): Vector | null => {
  if (!base64.test(text)) return null
  const bytes = Buffer.from(text, "base64")
  if (bytes.length % 4 !== 0) return null
  if (endianness() === "BE") bytes.swap32()
  const floats = new Float32Array(bytes.length / 4)
  new Uint8Array(floats.buffer).set(bytes)
  return Array.from(floats)
}

/** The vectors in the order of the texts, by `index` where the server gives it. Left: what is wrong with them. */
export const vectors = (answer: OpenAiAnswer): Either.Either<ReadonlyArray<Vector>, string> => {
  const placed = new Map<number, Vector>()
  for (const [place, { embedding, index: told }] of answer.data.entries()) {
    const index = told ?? place
    const vector = typeof embedding === "string" ? fromBase64(embedding) : embedding
    if (vector === null) return Either.left(`vector ${index} is not base64 of float32 numbers`)
    if (placed.has(index)) return Either.left(`two vectors have the index ${index}`)
    placed.set(index, vector)
  }
  const ordered: Array<Vector> = []
  for (let index = 0; index < answer.data.length; index++) {
    const vector = placed.get(index)
    if (vector === undefined) return Either.left(`no vector has the index ${index}`)
    ordered.push(vector)
  }
  return Either.right(ordered)
}
