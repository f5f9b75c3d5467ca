import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as JsonSyntax from "../../../src/adapters/source/JsonSyntax.js"
import * as JsonText from "../../../src/adapters/source/JsonText.js"

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe("where a text stops being JSON", () => {
  it.each([
    ["{\"a\": 1,}", 8, "\"}\" follows where a key in double quotes belongs, perhaps after a comma too many"],
    ["[1, ]", 4, "\"]\" follows where a value belongs, perhaps after a comma too many"],
    ["{\"a\": 1", 7, "it ends before a \"{\" is closed"],
    ["[", 1, "it ends before a \"[\" is closed"],
    ["{\"a\" 1}", 5, "a colon after the key belongs here, not \"1\""],
    ["{\"a\": 1 \"b\": 2}", 8, "a comma or \"}\" belongs here, not \"\"\""],
    ["[1 2]", 3, "a comma or \"]\" belongs here, not \"2\""],
    ["{a: 1}", 1, "a key in double quotes or \"}\" belongs here, not \"a\""],
    ["{'a': 1}", 1, "text must stand in double quotes, not in single ones"],
    ["{ // no\n}", 2, "JSON has no comments"],
    ["{\"a\": undefined}", 6, "a value belongs here, not \"undefined\""],
    ["{\"a\": \"b\nc\"}", 8, "a string does not end on its line"],
    ["{\"a\": \"b\tc\"}", 8, "a string holds a control character"],
    ["{\"a\": \"\\x\"}", 7, "a backslash begins no escape that JSON knows"],
    ["{\"a\": \"b", 8, "it ends in the middle of a string"],
    ["{} {}", 3, "more text follows after the end of the document"],
    ["", 0, "there is nothing"]
  ])("%j: at %i, %s", (text, offset, why) => {
    expect(JsonText.parse(text)).toEqual(Either.left({ offset, why }))
  })

  it.prop("is found in every text that the parser refuses, and in no other", [
    FastCheck.json(),
    FastCheck.nat(),
    FastCheck.constantFrom(
      "",
      ",",
      "\"",
      "}",
      "]",
      "{",
      "[",
      ":",
      "\\",
      "0",
      "-",
      "e1",
      ".5",
      "tru",
      "\n",
      "\u0001",
      "'"
    ),
    FastCheck.nat(2)
  ], ([json, at, inserted, removed]) => {
    const offset = at % (json.length + 1)
    const text = json.slice(0, offset) + inserted + json.slice(offset + removed)
    expect(Either.isRight(JsonText.parse(text))).toBe(isJson(text))
  }, { fastCheck: { numRuns: 5_000 } })

  it("is found however deep the nesting is", () => {
    expect(Either.getOrThrow(Either.flip(JsonText.parse("[".repeat(1_000_000))))).toMatchObject({ offset: 1_000_000 })
  })
})

/** What JSON.parse gives, with every number and boolean as the text that JSON.stringify writes for it. */
const asTexts = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value),
    (_, one: unknown) => typeof one === "number" || typeof one === "boolean" ? String(one) : one
  )

const root = (text: string): unknown => Either.getOrThrow(JsonText.parse(text)).root

describe("what a text of JSON says", () => {
  it.prop("is what JSON.parse makes of it, but that bare numbers and booleans are texts", [
    FastCheck.jsonValue({ noUnicodeString: false }),
    FastCheck.constantFrom(undefined, 1, "\t")
  ], ([value, indent]) => {
    expect(root(JSON.stringify(value, null, indent))).toEqual(asTexts(value))
  }, { fastCheck: { numRuns: 2_000 } })

  it.each([
    ["1.10", "1.10"],
    ["12345678901234567890", "12345678901234567890"],
    ["-0.0e+1", "-0.0e+1"],
    ["true", "true"],
    ["null", null],
    ["\"\\u0061\\n\\\"\\\\/\\/\\ud83d\\ude00\"", "a\n\"\\//\ud83d\ude00"]
  ])("%s is %j", (text, value) => {
    expect(root(text)).toBe(value)
  })

  it("has a key named __proto__ like any other", () => {
    const fields = root("{\"__proto__\": {\"a\": 1}}")
    expect(Object.entries(Object(fields))).toEqual([["__proto__", { a: "1" }]])
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype)
  })

  it("keeps the earlier values of a key that stands more than once, and where it stands again", () => {
    const text = "{\"a\": 1, \"b\": {\"a\": 2, \"constructor\": 3}, \"a\": 4, \"a\": 5}"
    const { repeated, root } = Either.getOrThrow(JsonText.parse(text))
    expect(root).toEqual({ a: "5", b: { a: "2", constructor: "3" } })
    expect(repeated).toEqual([
      { within: root, key: "a", value: "1", offset: text.indexOf("\"a\": 4") },
      { within: root, key: "a", value: "4", offset: text.indexOf("\"a\": 5") }
    ])
  })
})

describe("line and column", () => {
  it.each([[0, 1, 1], [2, 1, 3], [3, 2, 1], [4, 3, 1], [6, 4, 1]])(
    "of offset %i are %i and %i",
    (offset, line, column) => {
      expect(JsonSyntax.position("ab\n\nc\n", offset)).toEqual({ line, column })
    }
  )

  it("of many offsets are those of each alone, in any order", () => {
    const position = JsonSyntax.positions("ab\n\nc\n")
    for (const offset of [0, 2, 3, 6, 4, 1]) {
      expect(position(offset)).toEqual(JsonSyntax.position("ab\n\nc\n", offset))
    }
  })
})
