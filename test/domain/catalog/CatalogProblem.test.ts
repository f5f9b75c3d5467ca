import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as FastCheck from "effect/FastCheck"
import { CatalogProblem, exitCode, SourceProblem, UrlRefused } from "../../../src/domain/catalog/CatalogProblem.js"

const members = [...CatalogProblem.members, ...SourceProblem.members]
const anyProblem = FastCheck.oneof(Arbitrary.make(CatalogProblem), Arbitrary.make(SourceProblem))
const runs = { fastCheck: { numRuns: 500 } }

const network = new Set(["UrlTimeout", "HostUnknown", "HostUnreachable", "BodyCutOff"])

describe("what a person reads of a problem", () => {
  it("there are no two problems of one name", () => {
    expect(new Set(members.map(({ _tag }) => _tag)).size).toBe(members.length)
  })

  it.prop("is one sentence that ends in what to do", [anyProblem], ([{ message }]) => {
    expect(message).toMatch(/[;,] .*\.$/s)
    expect(message).not.toContain("undefined")
  }, runs)
})

describe("where the document was read", () => {
  it.prop("stands in every message, of the source and of what it turned out to be", [anyProblem], ([problem]) => {
    expect(problem.message).toContain(problem.location)
  }, runs)
})

describe("the exit code", () => {
  it.prop("blames the argument, the network or the content", [anyProblem], ([problem]) => {
    if (problem._tag === "UrlRefused") return
    expect(exitCode(problem)).toBe(problem._tag === "BadLocation" ? 2 : network.has(problem._tag) ? 7 : 1)
  }, runs)

  it.each([[400, 1], [405, 1], [408, 7], [429, 7], [500, 7], [503, 7]])("of status %i is %i", (status, code) => {
    expect(exitCode(new UrlRefused({ location: "http://h/", status }))).toBe(code)
  })
})
