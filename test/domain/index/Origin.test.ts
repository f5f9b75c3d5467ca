import { describe, expect, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import * as Origin from "../../../src/domain/index/Origin.js"

const free: Origin.Expected = { model: null, servedModel: null, dimension: null }

const wordsOf = (result: ReturnType<typeof Origin.admit>) =>
  Either.match(result, { onLeft: ({ setting, words }) => `${setting}: ${words}`, onRight: () => "admitted" })

describe("the origin of an answer", () => {
  it("is what the first answer tells, where nothing is configured", () => {
    expect(Origin.admit(free, null, { model: "bge-m3", dimension: 1024 })).toEqual(
      Either.right({ model: "bge-m3", dimension: 1024 })
    )
  })

  it("contradicts a configured dimension in one sentence", () => {
    expect(wordsOf(Origin.admit({ ...free, dimension: 256 }, null, { model: null, dimension: 1024 }))).toBe(
      "embedder.dimension: embedder.dimension is 256 but the model answers 1024"
    )
  })

  it("contradicts the model that was asked for, and says both ways out", () => {
    const expected = { ...free, model: "team-embeddings" }
    expect(wordsOf(Origin.admit(expected, null, { model: "bge-m3", dimension: 8 }))).toBe(
      "embedder.model: embedder.model is team-embeddings but the answer is of bge-m3: correct embedder.model, or set embedder.served_model to bge-m3 if the two are one"
    )
  })

  it("fits where the settings say how answers call the model, and only by that name", () => {
    const expected = { ...free, model: "team-embeddings", servedModel: "bge-m3" }
    expect(Either.isRight(Origin.admit(expected, null, { model: "BAAI/bge-m3", dimension: 8 }))).toBe(true)
    expect(wordsOf(Origin.admit(expected, null, { model: "e5-large", dimension: 8 }))).toBe(
      "embedder.model: embedder.served_model is bge-m3 but the answer is of e5-large"
    )
  })

  it("moves when another model answers than before", () => {
    const seen = { model: "bge-m3", dimension: 8 }
    expect(wordsOf(Origin.admit(free, seen, { model: "e5-large", dimension: 8 }))).toBe(
      "embedder.model: the answers were of the model bge-m3 and are of e5-large now: another model stands behind embedder.url"
    )
    expect(wordsOf(Origin.admit(free, seen, { model: null, dimension: 16 }))).toBe(
      "embedder.model: the model answered 8 dimensions and answers 16 now: another model stands behind embedder.url"
    )
  })

  it("is not forgotten by an answer that does not name its model", () => {
    const seen = { model: "bge-m3", dimension: 8 }
    expect(Origin.admit(free, seen, { model: null, dimension: 8 })).toEqual(Either.right(seen))
  })

  it("shows a name from outside on one line and not at any length", () => {
    const words = wordsOf(
      Origin.admit({ ...free, model: "m" }, null, { model: `a\u0000\n${"b".repeat(500)}`, dimension: 8 })
    )
    expect(words).toMatch(/^[\x20-\x7e…]{1,300}$/u)
  })

  const model = FastCheck.constantFrom(null, "bge-m3", "BAAI/bge-m3", "e5-large")
  const answer = FastCheck.record({ model, dimension: FastCheck.constantFrom(8, 16) })

  it.prop("never admits answers of two dimensions or two models, in whatever order they come", {
    answers: FastCheck.array(answer, { maxLength: 12 }),
    expected: FastCheck.record({
      model,
      servedModel: FastCheck.constant(null),
      dimension: FastCheck.constantFrom(null, 8)
    })
  }, ({ answers, expected }) => {
    let seen: Origin.Origin | null = null
    const admitted: Array<Origin.Origin> = []
    for (const one of answers) {
      const result = Origin.admit(expected, seen, one)
      if (Either.isLeft(result)) continue
      seen = result.right
      admitted.push(one)
    }
    expect(new Set(admitted.map(({ dimension }) => dimension)).size).toBeLessThanOrEqual(1)
    const named = admitted.flatMap((one) => one.model ?? []).map((one) => one.replace("BAAI/", ""))
    expect(new Set(named).size).toBeLessThanOrEqual(1)
    if (expected.model !== null) { for (const one of named) expect(one).toBe(expected.model.replace("BAAI/", "")) }
  })
})
