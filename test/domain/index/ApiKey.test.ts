import { describe, expect, it } from "@effect/vitest"
import { FastCheck, Option } from "effect"
import * as ApiKey from "../../../src/domain/index/ApiKey.js"

const cases: ReadonlyArray<readonly [name: string, key: string, words: string]> = [
  ["typographic quotes around it", "\u201csk-abc\u201d", "a typographic quotation mark (U+201C) at its beginning"],
  ["a quote of another language at its end", "sk-abc\u00bb", "a typographic quotation mark (U+00BB) at its end"],
  ["plain quotes around it", "\"sk-abc\"", "stands in quotation marks"],
  ["a byte-order mark", "\ufeffsk-abc", "a byte-order mark (U+FEFF) at its beginning"],
  ["a zero-width space", "sk-\u200babc", "an invisible character (U+200B) within"],
  ["a soft hyphen", "sk-\u00adabc", "an invisible character (U+00AD) within"],
  ["a no-break space", "sk-abc\u00a0", "white space (U+00A0) at its end"],
  ["a line break", "sk-abc\n", "a line break (U+000A) at its end"],
  ["a line break of Windows within", "sk-\r\nabc", "a line break (U+000D) within"],
  ["a typographic dash", "sk\u2013abc", "a typographic dash (U+2013) within"],
  ["an ellipsis", "sk-ab\u2026yz", "shown in part (U+2026) within"],
  ["a null character", "sk-\u0000abc", "a control character (U+0000) within"],
  ["a letter of Cyrillic", "sk-\u0430bc", "no HTTP header can carry (U+0430) within"],
  ["an emoji", "sk-abc\u{1f511}", "no HTTP header can carry (U+1F511) at its end"],
  ["the scheme before it", "Bearer sk-abc", "\"Bearer\", which is added by itself"],
  ["a variable that was not replaced", "${OPENAI_API_KEY}", "the name of a variable"],
  ["nothing", "\u00a0", "it is empty"]
]

describe("a key", () => {
  it.each(cases)("is refused with %s, and is not shown", (_, key, words) => {
    const problem = Option.getOrThrow(ApiKey.problem(key))
    expect(problem).toContain(words)
    expect(problem).not.toMatch(/abc/u)
  })

  it.prop("of plain characters is fine", { key: FastCheck.stringMatching(/^[\w.:/+=~!-]{1,200}$/) }, ({ key }) => {
    expect(ApiKey.problem(key)).toEqual(Option.none())
  })

  it.prop(
    "is fine only where a header can carry it as it is",
    { key: FastCheck.string({ unit: "binary" }) },
    ({ key }) => {
      if (Option.isSome(ApiKey.problem(key))) return
      const headers = new Headers({ authorization: `Bearer ${key}` })
      expect(headers.get("authorization")).toBe(`Bearer ${key}`)
    }
  )
})
