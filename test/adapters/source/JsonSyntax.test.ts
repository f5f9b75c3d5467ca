import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as JsonSyntax from "../../../src/adapters/source/JsonSyntax.js"

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
    expect(JsonSyntax.find(text)).toEqual({ offset, why })
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
    expect(JsonSyntax.find(text) === undefined).toBe(isJson(text))
  }, { fastCheck: { numRuns: 5_000 } })

  it("is found however deep the nesting is", () => {
    expect(JsonSyntax.find("[".repeat(1_000_000))).toMatchObject({ offset: 1_000_000 })
  })
})

describe("line and column", () => {
  it.each([[0, 1, 1], [2, 1, 3], [3, 2, 1], [4, 3, 1], [6, 4, 1]])(
    "of offset %i are %i and %i",
    (offset, line, column) => {
      expect(JsonSyntax.position("ab\n\nc\n", offset)).toEqual({ line, column })
    }
  )
})
