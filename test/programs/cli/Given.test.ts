import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { read } from "../../../src/programs/cli/Argv.js"
import { table } from "../../../src/programs/cli/commands.js"
import * as Given from "../../../src/programs/cli/Given.js"
import * as Parameter from "../../../src/programs/cli/Parameter.js"

const valuesOf = (...argv: ReadonlyArray<string>) => {
  const asked = read(argv)
  if (asked._tag === "Mistaken") return asked.message
  return Either.match(Given.values(asked.command, asked.given), {
    onLeft: ({ message }) => message,
    onRight: (values) => values
  })
}

/** A word that this part takes. */
const right = (part: Parameter.Parameter): FastCheck.Arbitrary<string> => {
  const word = FastCheck.nat().map((n) => `a word ${n}`)
  switch (part._tag) {
    case "Number":
    case "MaybeNumber":
      return FastCheck.integer({ min: 1 }).map(String)
    case "Whole":
      return FastCheck.integer({ min: 1, max: part.most }).map(String)
    case "Choice":
      return FastCheck.constantFrom(...part.choices)
    default:
      return word
  }
}

/** A command, and a right word for each of its parts. */
const lines = FastCheck.constantFrom(...table.commands).chain((command) =>
  FastCheck.record(
    Object.fromEntries(Object.entries(command.parameters).map(([name, part]) => [name, right(part)] as const))
  ).map((words) => ({ command, words: new Map(Object.entries(words)) }))
)

const givenBy = (
  parameters: Readonly<Record<string, Parameter.Parameter>>,
  words: ReadonlyMap<string, string>
): Given.Given => ({
  operands: Object.entries(parameters).flatMap(([name, part]) => Parameter.isFlag(part) ? [] : [words.get(name) ?? ""]),
  flags: new Map(
    Object.entries(parameters).flatMap(([name, part]) =>
      Parameter.isFlag(part) ? [[part.flag, part._tag === "Switch" ? "" : words.get(name) ?? ""] as const] : []
    )
  )
})

describe("the values of a command line", () => {
  it("are those of its parts, and the fallbacks where nothing is given", () => {
    expect(valuesOf("search", "copy", "a", "file", "--limit", "3")).toEqual({
      question: "copy a file",
      catalog: undefined,
      mode: "hybrid",
      limit: 3
    })
    expect(valuesOf("jobs", "show", "7")).toEqual({ job: 7 })
    expect(valuesOf("index", "a.json", "--force")).toMatchObject({ location: "a.json", force: true, detach: false })
    expect(valuesOf("explain")).toMatchObject({ error: "" })
    expect(valuesOf("jobs", "retry", "7")).toMatchObject({ job: 7, kind: undefined, state: undefined, all: false })
    expect(valuesOf("jobs", "retry", "--kind", "index")).toMatchObject({ job: undefined, kind: "index" })
    expect(valuesOf("jobs", "list")).toMatchObject({ kind: undefined, state: "all", limit: 20 })
  })

  it.each([
    [["index"], "<file|url> is missing: Where the API description is."],
    [["index", " "], "<file|url> is missing: Where the API description is."],
    [["search"], "<question...> is missing: What you want to do."],
    [["search", "", " "], "<question...> is missing: What you want to do."],
    [["search", "x", "--limit", "0"], "--limit takes a whole number from 1 to 1000, not \"0\"."],
    [["search", "x", "--limit", "-1"], "--limit takes a whole number from 1 to 1000, not \"-1\"."],
    [["search", "x", "--limit", "1001"], "--limit takes a whole number from 1 to 1000, not \"1001\"."],
    [["search", "x", "--mode", "fuzzy"], "--mode takes one of hybrid, lexical, semantic, not \"fuzzy\"."],
    [["search", "x", "--catalog", ""], "--catalog is given an empty value."],
    [["jobs", "show", "one"], "<job> takes a whole number from 1, not \"one\"."],
    [["jobs", "retry", "one"], "[job] takes a whole number from 1, not \"one\"."],
    [
      ["jobs", "list", "--state", "queued"],
      "--state takes one of all, open, pending, running, succeeded, partial, failed, cancelled, not \"queued\"."
    ],
    [["jobs", "show", "1", "2"], "There is one argument too many: \"2\"."],
    [["status", "now"], "There is one argument too many: \"now\"."]
  ])("%j is answered with a sentence", (argv, message) => {
    expect(valuesOf(...argv)).toBe(message)
  })

  it.prop("are read back for every command as they were given", [lines], ([{ command, words }]) => {
    const values = Given.values(command, givenBy(command.parameters, words))
    expect(Either.isRight(values)).toBe(true)
    const found = Either.getOrThrow(values)
    for (const [name, part] of Object.entries(command.parameters)) {
      expect(String(found[name])).toBe(part._tag === "Switch" ? "true" : words.get(name))
    }
  })

  it.prop(
    "are values or one sentence, whatever the words are",
    [FastCheck.constantFrom(...table.commands), FastCheck.array(FastCheck.string())],
    ([command, operands]) => {
      const values = Given.values(command, { operands, flags: new Map() })
      if (Either.isLeft(values)) expect(values.left.message).toMatch(/\.$/)
      else expect(Object.keys(values.right)).toEqual(Object.keys(command.parameters))
    }
  )
})
