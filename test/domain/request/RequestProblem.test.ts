import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { filled, oneOf, whole } from "../../../src/domain/request/RequestProblem.js"
import type { RequestProblem } from "../../../src/domain/request/RequestProblem.js"

const sentence = (checked: Either.Either<unknown, RequestProblem>) => Either.getOrThrow(Either.flip(checked)).message

describe("a request's parts", () => {
  it.prop(
    "are whole numbers within their bounds, or refused",
    [FastCheck.oneof(FastCheck.integer(), FastCheck.double())],
    ([given]) => {
      expect(Either.isRight(whole("limit", given, 1, 1000))).toBe(Number.isInteger(given) && given > 0 && given <= 1000)
    }
  )

  it.prop("are texts that say something, or refused", [FastCheck.string()], ([given]) => {
    expect(Either.isRight(filled("question", given, "words"))).toBe(given.trim() !== "")
  })

  it.prop("are of a closed list, or refused in one sentence", [FastCheck.string()], ([given]) => {
    const checked = oneOf("mode", given, ["hybrid", "lexical"])
    expect(Either.isRight(checked)).toBe(given === "hybrid" || given === "lexical")
    if (Either.isLeft(checked)) expect(checked.left.message).toMatch(/; allowed is one of hybrid, lexical\.$/)
  })

  it.each([
    [whole("limit", -1, 1, 1000), "limit is -1; allowed is a whole number from 1 to 1000."],
    [whole("maxAttempts", Number.NaN, 1, 100), "maxAttempts is NaN; allowed is a whole number from 1 to 100."],
    [filled("question", " ", "some words"), "question is empty; allowed is some words."],
    [oneOf("mode", "fuzzy", ["hybrid"]), "mode is \"fuzzy\"; allowed is one of hybrid."]
  ])("%#: are named with what was given and what is allowed", (checked, expected) => {
    expect(sentence(checked)).toBe(expected)
  })
})
