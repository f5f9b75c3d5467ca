import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as OpenAiAnswer from "../../../src/adapters/openai/OpenAiAnswer.js"

const float = FastCheck.float({ noNaN: true })

const base64 = (vector: ReadonlyArray<number>): string => {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((x, index) => bytes.writeFloatLE(x, index * 4))
  return bytes.toString("base64")
}

describe("vectors in base64", () => {
  it.prop("are read exactly as they were written", [FastCheck.array(float)], ([vector]) => {
    expect(OpenAiAnswer.fromBase64(base64(vector))).toEqual(vector)
  })

  it.prop(
    "are refused when a byte is missing",
    [FastCheck.array(float, { minLength: 1 }), FastCheck.integer({ min: 1, max: 3 })],
    ([vector, missing]) => {
      const bytes = Buffer.from(base64(vector), "base64")
      expect(OpenAiAnswer.fromBase64(bytes.subarray(0, bytes.length - missing).toString("base64"))).toBeNull()
    }
  )
})

describe("the order of vectors", () => {
  it.prop(
    "is that of their index, whatever the order in which they come",
    [FastCheck.uniqueArray(FastCheck.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 20 })],
    ([keys]) => {
      const shuffled = keys.map((key, index) => ({ key, index, embedding: [index] }))
        .toSorted((a, b) => a.key - b.key)
      expect(OpenAiAnswer.vectors({ data: shuffled })).toEqual(Either.right(keys.map((_, index) => [index])))
    }
  )

  it.prop(
    "is that in which they come where none has an index",
    [FastCheck.array(FastCheck.array(float))],
    ([vectors]) => {
      expect(OpenAiAnswer.vectors({ data: vectors.map((embedding) => ({ embedding })) })).toEqual(Either.right(vectors))
    }
  )
})
