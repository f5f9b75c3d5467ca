import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { decoded, encoded } from "../../../src/domain/text/StorableJson.js"

const bytes = (text: string): number => new TextEncoder().encode(text).length

describe("JSON that is stored", () => {
  it("is bounded by its bytes in UTF-8, quotes included", () => {
    expect(encoded("abc", 5)).toEqual(Either.right("\"abc\""))
    expect(encoded("abcd", 5)).toEqual(
      Either.left({ of: "size", why: "it has 6 bytes as JSON, and 5 are allowed" })
    )
    expect(encoded("é".repeat(1000), 1500)).toEqual(
      Either.left({ of: "size", why: "it has 2,002 bytes as JSON, and 1,500 are allowed" })
    )
    expect(Either.isRight(encoded("ééé", 8))).toBe(true)
    expect(Either.isLeft(encoded("éééé", 8))).toBe(true)
    expect(Either.isRight(encoded("漢漢", 8))).toBe(true)
    expect(Either.isLeft(encoded("漢漢漢", 8))).toBe(true)
  })

  it.each<[string, unknown]>([
    ["a text", "a\u0000"],
    ["a list", ["a", ["\u0000"]]],
    ["a field", { a: { b: "\ud800" } }],
    ["a name", { "a\u0000": 1 }]
  ])("holds nothing that Postgres stores in no text, wherever it stands: %s", (_, value) => {
    expect(encoded(value, 1000)).toEqual(
      Either.left({
        of: "content",
        why: "it holds a null character or half a surrogate pair, which Postgres does not store"
      })
    )
  })

  it("is no number without end and no circle, but may be nothing", () => {
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(Either.isLeft(encoded(1n, 1000))).toBe(true)
    expect(Either.isLeft(encoded(circle, 1000))).toBe(true)
    expect(encoded(undefined, 1000)).toEqual(Either.right("null"))
  })

  it.prop(
    "is never longer than allowed, and is what it was",
    [FastCheck.jsonValue(), FastCheck.nat(60)],
    ([value, most]) => {
      const found = encoded(value, most)
      const json = JSON.stringify(value)
      if (Either.isRight(found)) {
        expect(bytes(found.right)).toBeLessThanOrEqual(most)
        expect(found.right).toBe(json)
      } else expect(bytes(json) > most || /\\u0000|\\ud[89a-f]/i.test(json)).toBe(true)
    }
  )

  it.effect("is read by its schema, where nothing is stored as null", () =>
    Effect.gen(function*() {
      expect(yield* decoded(Schema.Date)("2026-05-01T12:00:00.000Z")).toBeInstanceOf(Date)
      expect(yield* decoded(Schema.Undefined)(null)).toBe(undefined)
      expect(yield* decoded(Schema.UndefinedOr(Schema.String))(null)).toBe(undefined)
      expect(yield* decoded(Schema.NullOr(Schema.String))(null)).toBe(null)
      expect((yield* Effect.flip(decoded(Schema.String)(null)))._tag).toBe("ParseError")
      expect((yield* Effect.flip(decoded(Schema.String)(7)))._tag).toBe("ParseError")
    }))
})
