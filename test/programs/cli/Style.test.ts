import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Style from "../../../src/programs/cli/Style.js"
import * as Width from "../../../src/programs/cli/Width.js"

const pipe: Style.Style = { colour: false, columns: null }
const terminal = (columns: number): Style.Style => ({ colour: true, columns })
const text = FastCheck.oneof(
  FastCheck.string({ unit: "grapheme" }),
  FastCheck.constantFrom("目录索引", "한국어", "👩‍👩‍👧‍👦 family", "naïve", "é")
)

describe("the width of a text", () => {
  it.each([
    ["abc", 3],
    ["目录", 4],
    ["한국어", 6],
    ["ｆｕｌｌ", 8],
    ["e\u0301", 1],
    ["👩‍👩‍👧‍👦", 2],
    ["✓ ok", 4],
    ["\u001b[32m✓\u001b[0m", 1],
    ["", 0]
  ])("of %s is %i columns", (given, columns) => {
    expect(Width.width(given)).toBe(columns)
  })

  it.prop("is kept to when it is cut, at either end", [text, FastCheck.nat(20)], ([given, most]) => {
    expect(Width.width(Width.cut(given, most))).toBeLessThanOrEqual(Math.max(most, 0))
    expect(Width.width(Width.cutFront(given, most))).toBeLessThanOrEqual(Math.max(most, 0))
  })

  it.prop("that fits is left alone", [text], ([given]) => {
    expect(Width.cut(given, Width.width(given))).toBe(given)
    expect(Width.cutFront(given, Width.width(given))).toBe(given)
  })

  it("keeps a cut text's colour and ends it", () => {
    expect(Width.cut("\u001b[32mindexed\u001b[0m", 4)).toBe("\u001b[32mind…\u001b[0m")
  })

  it.prop("is kept to by wrapped lines of short words, and no word is lost", [
    FastCheck.array(FastCheck.stringMatching(/^[a-z]{1,9}$/), { minLength: 1 })
  ], ([words]) => {
    const lines = Width.wrap(words.join(" "), 12)
    expect(lines.join(" ")).toBe(words.join(" "))
    for (const line of lines) expect(Width.width(line)).toBeLessThanOrEqual(12)
  })
})

describe("a table", () => {
  const rows = (...cells: ReadonlyArray<string>) => [cells]

  it.prop("fits the terminal, and 80 columns in a pipe", [
    FastCheck.array(FastCheck.array(text, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 5 })
  ], ([given]) => {
    for (const style of [pipe, terminal(80), terminal(120)]) {
      const most = style.columns ?? 80
      for (const line of Style.table(style, ["a", "b", "c", "d"], given)) {
        expect(Width.width(line)).toBeLessThanOrEqual(most)
      }
    }
  })

  it("cuts its widest column, and leaves what fits", () => {
    const [, line] = Style.table(pipe, ["catalog", "title"], rows("github", "x".repeat(200)))
    expect(line).toBe(`github   ${"x".repeat(70)}…`)
  })

  it("cuts soft columns first, so that a state stays whole", () => {
    const [, line] = Style.table(
      pipe,
      ["catalog", "state", "title"],
      rows("github", "waiting (rate limit until 2026-05-01T12:00:24Z)", "title ".repeat(10)),
      [2]
    )
    expect(line).toMatch(/^github {3}waiting \(rate limit until 2026-05-01T12:00:24Z\) {2}title title/)
    expect(Width.width(line ?? "")).toBe(80)
  })

  it("cuts the beginning of a path and of an address: their ends tell them apart", () => {
    const [, path, address] = Style.table(pipe, ["location"], [
      [`/very/${"long/".repeat(30)}openapi.json`],
      [`https://example.com/${"a/".repeat(50)}petstore.yaml`]
    ])
    expect(path).toMatch(/^….*\/openapi\.json$/)
    expect(address).toMatch(/^….*\/petstore\.yaml$/)
  })

  it("stands in columns also where characters are wide", () => {
    const lines = Style.table(pipe, ["catalog", "items"], [["目录", "1"], ["plain", "2"]])
    expect(lines).toEqual(["catalog  items", "目录     1", "plain    2"])
  })
})

describe("prose in a table", () => {
  it("goes on below its beginning, with lines beneath it that are left whole", () => {
    const message = "word ".repeat(20).trim()
    const command = `→ holdfast index ${"/long".repeat(20)}`
    const lines = Style.prose(pipe, [["! warn", "gates", message]], () => [command])
    expect(lines[0]).toMatch(/^! warn {2}gates {2}word/)
    expect(lines[1]).toMatch(/^ {15}word/)
    expect(lines.at(-1)).toBe(`               ${command}`)
    for (const line of lines.slice(0, -1)) expect(Width.width(line)).toBeLessThanOrEqual(80)
  })
})

describe("a text from outside", () => {
  it.each([
    ["a\u001b[31mb", "ab"],
    ["a\u001b]0;title\u0007b", "ab"],
    ["a\u009b2Jb", "ab"],
    ["two\nlines\tand\rmore", "two lines and more"],
    ["abc\u202etxt.exe", "abctxt.exe"]
  ])("%j loses what steers a terminal", (given, shown) => {
    expect(Style.clean(given)).toBe(shown)
  })
})
