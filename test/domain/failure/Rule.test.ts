import { describe, expect, it } from "@effect/vitest"
import { gather } from "../../../src/domain/failure/Evidence.js"
import { anyOf, codes, firstOf, refusalOfAccess, statusIs } from "../../../src/domain/failure/Rule.js"
import type { Rule } from "../../../src/domain/failure/Rule.js"

const evidence = gather({
  provider: "Groq",
  surface: "chat",
  auth: "key",
  status: 429,
  body: JSON.stringify({ error: { code: "rate_limit_exceeded", type: "tokens", message: "Slow down please" } })
})

const rule = (conditions: Partial<Rule>): Rule => ({
  name: "slow",
  because: "it says so",
  tag: "RateLimited",
  ...conditions
})

const holds = (conditions: Partial<Rule>): boolean => firstOf([[rule(conditions)]], evidence) !== undefined

describe("a condition of a rule", () => {
  it.each<readonly [string, Partial<Rule>, Partial<Rule>]>([
    ["its status", { status: statusIs(429) }, { status: statusIs(503) }],
    ["its provider, in lower case", { provider: /^groq$/ }, { provider: /^openai$/ }],
    ["any of the codes", { code: codes("ratelimitexceeded") }, { code: codes("insufficientquota") }],
    ["any other of the codes", { code: codes("tokens") }, { code: codes("token") }],
    ["any of the fields", { field: /^error\.type=tokens$/ }, { field: /^type=tokens$/ }],
    ["its words", { text: /slow down/ }, { text: /hurry up/ }],
    ["words that are not there", { unless: /hurry up/ }, { unless: /slow down/ }],
    ["codes that are not there", { unlessCode: codes("insufficientquota") }, { unlessCode: codes("tokens") }],
    ["its question", { when: ({ form }) => form === "json" }, { when: ({ form }) => form === "html" }]
  ])("%s holds the rule, and another does not", (_, met, missed) => {
    expect(holds(met)).toBe(true)
    expect(holds(missed)).toBe(false)
  })

  it("may be missing", () => {
    expect(holds({})).toBe(true)
  })

  it("must hold beside the others", () => {
    expect(holds({ status: statusIs(429), text: /slow down/, unlessCode: codes("insufficientquota") })).toBe(true)
    expect(holds({ status: statusIs(429), text: /hurry up/ })).toBe(false)
    expect(holds({ status: statusIs(503), text: /slow down/ })).toBe(false)
  })

  it("on codes that speak against it holds where there are no codes at all", () => {
    const words = gather({ provider: "x", surface: "chat", auth: "key", status: 429, body: "slow down" })
    expect(firstOf([[rule({ unlessCode: /./ })]], words)?.name).toBe("slow")
    expect(firstOf([[rule({ code: /./ })]], words)).toBeUndefined()
    expect(firstOf([[rule({ field: /./ })]], words)).toBeUndefined()
  })
})

describe("of several rules", () => {
  const first = rule({ name: "first" })
  const second = rule({ name: "second" })
  const never = rule({ name: "never", text: /hurry up/ })

  it("the first that holds is taken, table by table", () => {
    expect(firstOf([[first, second]], evidence)).toBe(first)
    expect(firstOf([[second], [first]], evidence)).toBe(second)
    expect(firstOf([[], [never, second], [first]], evidence)).toBe(second)
  })

  it("none is taken where none holds", () => {
    expect(firstOf([[never], [never]], evidence)).toBeUndefined()
    expect(firstOf([], evidence)).toBeUndefined()
  })
})

describe("a status", () => {
  it("is one of those that are named", () => {
    expect(statusIs(429, 503)(429)).toBe(true)
    expect(statusIs(429, 503)(503)).toBe(true)
    expect(statusIs(429, 503)(500)).toBe(false)
    expect(statusIs(429)(undefined)).toBe(false)
    expect(statusIs()(429)).toBe(false)
  })

  it.each<readonly [number | undefined, boolean]>([
    [undefined, true],
    [200, true],
    [399, true],
    [400, true],
    [401, true],
    [402, false],
    [403, true],
    [404, true],
    [405, false],
    [407, true],
    [409, false],
    [422, true],
    [429, false],
    [500, false]
  ])("%s may refuse a key or a right: %s", (status, may) => {
    expect(refusalOfAccess(status)).toBe(may)
  })
})

describe("patterns", () => {
  it("match any of the given ones anywhere in a text", () => {
    const pattern = anyOf("slow down", "too (?:many|fast)")
    expect(pattern.test("please slow down now")).toBe(true)
    expect(pattern.test("you are too fast")).toBe(true)
    expect(pattern.test("you are too slow")).toBe(false)
  })

  it("of codes match the whole code", () => {
    const pattern = codes("ratelimit", "quota(?:exceeded)?")
    expect(pattern.test("ratelimit")).toBe(true)
    expect(pattern.test("quotaexceeded")).toBe(true)
    expect(pattern.test("ratelimited")).toBe(false)
    expect(pattern.test("noratelimit")).toBe(false)
    expect(pattern.test("quotaexceededtoday")).toBe(false)
  })
})
