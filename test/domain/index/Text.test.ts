import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Text from "../../../src/domain/index/Text.js"

const word = FastCheck.oneof(
  FastCheck.stringMatching(/^[a-z]{1,12}[.!?,]?$/),
  FastCheck.constantFrom("検索", "東京都。", "😀😀😀", "x".repeat(300), "Überraschung;", "\u3042\u3044")
)
const prose = FastCheck.array(FastCheck.tuple(word, FastCheck.constantFrom(" ", "\n", "\n\n", ". ", Text.border)), {
  maxLength: 120
})
  .map((pairs) => pairs.flat().join(""))

const letters = (text: string) => text.replace(/\s+/gu, "")

describe("chunks", () => {
  it.prop("never weigh more than allowed, are never blank, and leave nothing out", {
    text: prose,
    most: FastCheck.integer({ min: 1, max: 60 })
  }, ({ most, text }) => {
    const chunks = Text.chunks(text, most)
    for (const chunk of chunks) {
      expect(chunk.trim()).not.toBe("")
      expect(Text.words(chunk)).toBeLessThanOrEqual(most)
    }
    expect(letters(chunks.join(""))).toBe(letters(text))
  })

  it("keeps a text that fits as it is", () => {
    expect(Text.chunks("  List repos.\nFor a user. ", 80)).toEqual(["List repos.\nFor a user."])
  })

  it("cuts at a border, however short the parts are", () => {
    expect(Text.chunks(`One.${Text.border}Two three four.${Text.border} `, 3)).toEqual(["One.", "Two three four."])
  })

  it("has no chunk for a blank text", () => {
    expect(Text.chunks(" \n ", 80)).toEqual([])
    expect(Text.chunks(Text.border, 80)).toEqual([])
  })

  it("cuts between sentences before it cuts within one", () => {
    expect(Text.chunks("One two three. Four five six. Seven eight nine.", 6)).toEqual([
      "One two three. Four five six.",
      "Seven eight nine."
    ])
  })

  it("counts the characters of a script without spaces", () => {
    expect(Text.words("東京都庁")).toBe(4)
    expect(Text.chunks("東京都庁の場所", 4).every((chunk) => Text.words(chunk) <= 4)).toBe(true)
  })

  it("cuts no character in two", () => {
    const chunks = Text.chunks("😀".repeat(200), 5)
    expect(letters(chunks.join(""))).toBe("😀".repeat(200))
    expect(chunks.every((chunk) => !/^[\udc00-\udfff]|[\ud800-\udbff]$/.test(chunk))).toBe(true)
  })
})

describe("shortened", () => {
  it.prop(
    "gets shorter until nothing can be cut, and then stays",
    { text: prose.filter((text) => text.trim() !== "") },
    ({
      text
    }) => {
      let now = text.trim()
      for (let step = 0; step < 64; step++) {
        const next = Text.shortened(now)
        expect(next.length).toBeLessThanOrEqual(now.length)
        if (Text.canShorten(now)) expect(Text.words(next)).toBeLessThan(Text.words(now))
        now = next
      }
      expect(Text.canShorten(now)).toBe(false)
    }
  )
})
