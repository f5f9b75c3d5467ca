import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Storable from "../../../src/domain/text/Storable.js"

const units = FastCheck.array(
  FastCheck.oneof(
    FastCheck.integer({ min: 0, max: 0xff }),
    FastCheck.integer({ min: 0xd800, max: 0xdfff }),
    FastCheck.integer({ min: 0, max: 0xffff })
  ),
  { maxLength: 80 }
).map((codes) => String.fromCharCode(...codes))

const text = FastCheck.oneof(
  units,
  FastCheck.array(
    FastCheck.constantFrom(
      "\u001b",
      "[",
      "]",
      "31m",
      "0",
      "m",
      "\u0007",
      "\\",
      "\u009b",
      "\u0000",
      "\ud83d",
      "\ude00",
      "a",
      "\n"
    ),
    { maxLength: 30 }
  ).map((parts) => parts.join(""))
)

/** What Postgres refuses in text or jsonb, and what a terminal would obey. */
// oxlint-disable-next-line no-control-regex
const unfit = /[\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f-\u009f]|\p{Surrogate}/u

describe("clean", () => {
  it("leaves nothing that a database refuses or a terminal obeys, and a second time changes nothing", () => {
    FastCheck.assert(
      FastCheck.property(text, (given) => {
        const once = Storable.clean(given)
        return !unfit.test(once) && Storable.clean(once) === once
      }),
      { numRuns: 5_000 }
    )
  })

  it.each(["plain words", "two\nlines\r\n\tindented", "余额不足", "👩‍👩‍👧‍👦 and 🇩🇪", "שלום \u200fعالم", ""])(
    "changes nothing in %j",
    (given) => {
      expect(Storable.clean(given)).toBe(given)
    }
  )

  it.each([
    ["a null character", "bad\u0000 text", "bad text"],
    ["half a pair at the end", "cut 🙂".slice(0, 5), "cut \ufffd"],
    ["half a pair at the start", "🙂 cut".slice(1), "\ufffd cut"],
    ["halves of two pairs", "\ude00\ud83d", "\ufffd\ufffd"],
    ["a pair with a null within", "\ud83d\u0000\ude00", "😀"],
    ["colour", "\u001b[1;31mred\u001b[0m", "red"],
    ["a window's title", "\u001b]0;gotcha\u0007title", "title"],
    ["a link", "\u001b]8;;https://x.test\u001b\\here\u001b]8;;\u001b\\", "here"],
    ["an 8-bit sequence", "\u009b2Jgone", "gone"],
    ["a sequence that is cut off", "end\u001b[3", "end[3"],
    ["a command that never ends", "\u001b]0;all that follows", "]0;all that follows"],
    ["a byte-order mark", "\ufeff{}", "{}"],
    ["a form feed", "one\ftwo", "one two"],
    ["UTF-16 that was read as bytes", "e\u0000r\u0000r", "err"]
  ])("takes out %s", (_, given, expected) => {
    expect(Storable.clean(given)).toBe(expected)
  })
})

describe("oneLine", () => {
  it("puts lines, tabs and separators behind one another", () => {
    expect(Storable.oneLine(" one\r\n\ttwo\u2028three\u0000 ")).toBe("one two three")
  })
})

describe("storable", () => {
  it.prop("takes out what a database refuses, and nothing else", [text], ([given]) => {
    const kept = Storable.storable(given)
    expect(kept).not.toMatch(/\0|\p{Surrogate}/u)
    expect(kept.replaceAll("\ufffd", "")).toBe(given.replaceAll("\0", "").replaceAll(/\p{Surrogate}|\ufffd/gu, ""))
  })

  it("leaves the border between two chunks, and a terminal's escapes, as they are", () => {
    expect(Storable.storable("one\ftwo\u001b[1m")).toBe("one\ftwo\u001b[1m")
  })
})

describe("shown", () => {
  it.each([
    ["an override", "holdfast \u202eevomer\u202c x", "holdfast evomer x"],
    ["an isolate that is not closed", "a\u2066b\u2067c\u2068d\u2069e", "abcde"],
    ["an embedding within an escape", "\u001b[\u202a31mred", "red"],
    ["marks", "a\u200eb\u200fc\u061cd", "abcd"],
    ["lines", "one\n\u202btwo", "one two"]
  ])("takes out %s", (_, given, expected) => {
    expect(Storable.shown(given)).toBe(expected)
  })
})

describe("cut", () => {
  it("keeps to the length, keeps the start, and leaves a short text alone", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.fullUnicodeString({ maxLength: 60 }),
        FastCheck.integer({ min: 1, max: 70 }),
        (given, most) => {
          const short = Storable.cut(given, most)
          if (given.length <= most) return short === given
          return short.length <= most && short.endsWith("…") && given.startsWith(short.slice(0, -1)) &&
            !/\p{Surrogate}/u.test(short)
        }
      ),
      { numRuns: 2_000 }
    )
  })

  it("never parts a surrogate pair, wherever it stands", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 1, max: 400 }),
        FastCheck.integer({ min: 0, max: 3 }),
        (most, before) => !/\p{Surrogate}/u.test(Storable.cut("x".repeat(before) + "🙂".repeat(400), most))
      )
    )
  })

  it.each([
    ["a family", "ab👩‍👩‍👧‍👦cd", 8, "ab…"],
    ["a flag", "ab🇩🇪cd", 5, "ab…"],
    ["a letter with its accent", "abe\u0301cd", 4, "ab…"],
    ["a skin tone", "a👍🏽bcd", 5, "a…"],
    ["a line break of two characters", "ab\r\ncd", 4, "ab…"]
  ])("keeps %s whole or leaves it out", (_, given, most, expected) => {
    expect(Storable.cut(given, most)).toBe(expected)
  })

  it("cuts a letter under endless accents all the same, and at once", () => {
    const piled = `a${"\u0301".repeat(100_000)}`
    expect(Storable.cut(piled, 300).length).toBe(300)
  })
})
