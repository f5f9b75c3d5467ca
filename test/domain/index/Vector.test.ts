import { describe, expect, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import * as Vector from "../../../src/domain/index/Vector.js"

const number = FastCheck.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })

describe("check", () => {
  it.each([
    ["too few vectors", [[1, 2]], { count: 2, dimension: null }, "expected 2 vectors, got 1"],
    ["an empty vector", [[]], { count: 1, dimension: null }, "vector 0 is empty"],
    ["another dimension than known", [[1, 2]], { count: 1, dimension: 3 }, "vector 0 has 2 dimensions, expected 3"],
    [
      "two dimensions in one answer",
      [[1, 2], [1]],
      { count: 2, dimension: null },
      "vector 1 has 1 dimensions, expected 2"
    ],
    ["NaN", [[1, Number.NaN]], { count: 1, dimension: 2 }, "vector 0 holds a number that is not finite"],
    ["infinity", [[1, 1 / 0]], { count: 1, dimension: 2 }, "vector 0 holds a number that is not finite"],
    [
      "a number beyond float32",
      [[1, -1e39]],
      { count: 1, dimension: 2 },
      "vector 0 holds a number beyond those of float32"
    ],
    ["numbers that vanish in float32", [[1e-46, -1e-300]], { count: 1, dimension: 2 }, "vector 0 has a norm of zero"],
    ["a vector of zeros", [[1, 0], [0, 0]], { count: 2, dimension: 2 }, "vector 1 has a norm of zero"]
  ])("refuses %s", (_, vectors, expected, problem) => {
    expect(Vector.check(vectors, expected)).toEqual(Either.left(problem))
  })

  it("accepts what the contract asks for", () => {
    expect(Vector.check([[1, 0], [0, 2]], { count: 2, dimension: 2 })).toEqual(Either.right([[1, 0], [0, 2]]))
  })
})

const anything = FastCheck.oneof(
  FastCheck.double(),
  FastCheck.float(),
  FastCheck.constantFrom(0, -0, 1e39, -1e39, 3.4028235677973366e38, 1e-45, 7e-46, 5e-324, 1e308)
)

describe("an accepted vector", () => {
  it.prop("is one of finite numbers with a direction after it was stored as float32", {
    vector: FastCheck.array(anything, { minLength: 1, maxLength: 6 })
  }, ({ vector }) => {
    const stored = Array.from(Float32Array.from(vector))
    const isFit = stored.every(Number.isFinite) && stored.some((x) => x !== 0)
    expect(Either.isRight(Vector.check([vector], { count: 1, dimension: null }))).toBe(isFit)
  })

  it.prop("has norm 1 in float32 once it is normalised", {
    vector: FastCheck.array(anything, { minLength: 1, maxLength: 6 })
      .filter((vector) => Either.isRight(Vector.check([vector], { count: 1, dimension: null })))
  }, ({ vector }) => {
    const unit = Float32Array.from(Vector.normalised(vector))
    expect(Math.sqrt(unit.reduce((sum, x) => sum + x * x, 0))).toBeCloseTo(1, 6)
  })
})

describe("normalised", () => {
  it.prop("has norm 1 and the same direction", {
    vector: FastCheck.array(number, { minLength: 1, maxLength: 40 }).filter((v) => v.some((x) => Math.abs(x) > 1e-3))
  }, ({ vector }) => {
    const unit = Vector.normalised(vector)
    expect(Math.sqrt(unit.reduce((sum, x) => sum + x * x, 0))).toBeCloseTo(1, 9)
    const norm = Math.hypot(...vector)
    for (const [index, x] of unit.entries()) expect(x * norm).toBeCloseTo(vector[index] ?? Number.NaN, 3)
  })

  it("survives numbers whose squares overflow or vanish", () => {
    expect(Vector.normalised([1e200, 1e200])[0]).toBeCloseTo(Math.SQRT1_2, 12)
    expect(Vector.normalised([1e-200, 0])).toEqual([1, 0])
  })
})
