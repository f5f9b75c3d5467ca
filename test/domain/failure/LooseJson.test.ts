import { describe, expect, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as LooseJson from "../../../src/domain/failure/LooseJson.js"

const valueOf = (text: string): unknown => LooseJson.read(text, 0).value

describe("values as programs print them", () => {
  it.each<readonly [string, unknown]>([
    ["{\"code\": 429}", { code: 429 }],
    ["{'code': 429, 'type': None}", { code: 429, type: null }],
    ["{ code: 429, cause: undefined }", { code: 429, cause: null }],
    ["{'retry': True, 'fatal': False}", { retry: true, fatal: false }],
    ["{\"retry\": true, \"fatal\": false, \"param\": null}", { retry: true, fatal: false, param: null }],
    ["{wait: 1.5e3, left: -2}", { wait: 1500, left: -2 }],
    ["{type: rate_limit_error}", { type: "rate_limit_error" }],
    ["{type: constructor}", { type: "constructor" }],
    ["{code:}", { code: null }],
    ["[]", []],
    ["{}", {}],
    ["[ ]", []],
    ["[429]", [429]],
    ["[1,2]", [1, 2]],
    ["[1, , 2]", [1, 2]],
    ["[{'a': 1}, [2, 'b'], \"c\"]", [{ a: 1 }, [2, "b"], "c"]],
    ["{'a': {'b': [1, {'c': 'd'}]}, 'e': 2}", { a: { b: [1, { c: "d" }] }, e: 2 }],
    ["{\"a\"\n:\n1\n,\n\"b\":2}", { a: 1, b: 2 }],
    ["{\"429\": \"slow\", 500: 'broken'}", { 429: "slow", 500: "broken" }]
  ])("%j is read whole", (text, value) => {
    expect(LooseJson.read(text, 0)).toStrictEqual({ value, end: text.length, whole: true })
  })

  it("begins where it is told and ends behind what it read", () => {
    expect(LooseJson.read("error {\"a\":[1]} (id 7)", 6)).toEqual({ value: { a: [1] }, end: 15, whole: true })
    expect(LooseJson.read("[1] ]", 0)).toEqual({ value: [1], end: 3, whole: true })
    expect(LooseJson.read("\"slow\" down", 0)).toEqual({ value: "slow", end: 6, whole: true })
    expect(LooseJson.read("None, 1", 0)).toEqual({ value: null, end: 4, whole: true })
  })
})

describe("quoted strings", () => {
  it.each<readonly [string, string]>([
    ["\"it's\"", "it's"],
    ["'say \"no\"'", "say \"no\""],
    ["\"say \\\"no\\\"\"", "say \"no\""],
    ["'it\\'s'", "it's"],
    ["\"a\\nb\\tc\\rd\\be\\ff\"", "a\nb\tc\rd\be\ff"],
    ["\"C:\\\\models\\/m\"", "C:\\models/m"],
    ["\"\\u0041\"", "A"],
    ["\"quota: \\u4F59\\u989d left\"", "quota: 余额 left"],
    ["\"line\\ncafe\"", "line\ncafe"],
    ["\"\\u00zz\"", "u00zz"],
    ["\"\\zu0041\"", "zu0041"],
    ["\"\"", ""]
  ])("%s is read whole", (text, value) => {
    expect(LooseJson.read(text, 0)).toEqual({ value, end: text.length, whole: true })
  })
})

describe("texts that break off", () => {
  it.each<readonly [string, unknown]>([
    ["\"half a sen", "half a sen"],
    ["\"", ""],
    ["\"half\\", "half"],
    ["\"half\\u00", "halfu00"],
    ["42", 42],
    ["", null],
    ["[", []],
    ["[1", [1]],
    ["[1,", [1]],
    ["[1, ", [1]],
    ["[\"a\"", ["a"]],
    ["[\"a", ["a"]],
    ["[[1], [2", [[1], [2]]],
    ["{", {}],
    ["{\"a", {}],
    ["{\"a\"", {}],
    ["{\"a\":", { a: null }],
    ["{\"a\": ", { a: null }],
    ["{\"a\":1", { a: 1 }],
    ["{\"a\":1,", { a: 1 }],
    ["{\"a\":\"b", { a: "b" }],
    ["{\"a\":\"b\"", { a: "b" }],
    ["{\"a\":{\"b\":[1,{\"c\":\"d", { a: { b: [1, { c: "d" }] } }],
    ["{\"a\":{\"b\":1}", { a: { b: 1 } }]
  ])("%j is read as far as it goes", (text, value) => {
    expect(LooseJson.read(text, 0)).toEqual({ value, end: text.length, whole: false })
  })
})

describe("texts that go wrong", () => {
  it.each<readonly [string, unknown, number]>([
    ["{a b: 1} after", {}, 3],
    ["{\"a\": 1, of} after", { a: 1 }, 11],
    ["[1} after", [1], 3],
    ["{\"a\": 1] after", { a: 1 }, 8],
    ["[: 1] after", [], 2],
    ["{: 1} after", {}, 2]
  ])("%j is left where it goes wrong", (text, value, end) => {
    expect(LooseJson.read(text, 0)).toEqual({ value, end, whole: false })
  })

  it("are read on from where a member went wrong", () => {
    expect(valueOf("[{wrong}, {\"code\": 429}]")).toEqual([{}])
    expect(valueOf("{\"a\": {b c: 1}, \"d\": 2}")).toEqual({ a: {}, c: 1 })
  })
})

describe("depth", () => {
  const nested = (depth: number, open: string, close: string) => `${open.repeat(depth)}429${close.repeat(depth)}`
  const found = (text: string) => JSON.stringify(valueOf(text)).includes("429")

  it("reads what stands within 40 lists or objects, and nothing deeper", () => {
    expect(found(nested(40, "[", "]"))).toBe(true)
    expect(found(nested(41, "[", "]"))).toBe(false)
    expect(found(nested(40, "{\"a\":", "}"))).toBe(true)
    expect(found(nested(41, "{\"a\":", "}"))).toBe(false)
  })

  it("takes a text that is too deep for one that broke off", () => {
    const deep = nested(41, "[", "]")
    expect(LooseJson.read(deep, 0)).toMatchObject({ end: deep.length, whole: false })
  })

  it("counts no depth for what stands side by side", () => {
    expect(valueOf(`[${"[1],".repeat(60)}429]`)).toHaveLength(61)
  })
})

describe("parts of a value", () => {
  it("are the entries of an object or a list, and none of anything else", () => {
    expect(LooseJson.entries({ code: 429, error: null })).toEqual([["code", 429], ["error", null]])
    expect(LooseJson.entries(["slow"])).toEqual([["0", "slow"]])
    for (const other of [null, undefined, "slow", 429, true]) expect(LooseJson.entries(other)).toEqual([])
  })

  it("are found by name where the object itself has it", () => {
    expect(LooseJson.member({ code: 429 }, "code")).toBe(429)
    expect(LooseJson.member({ code: null }, "code")).toBeNull()
    expect(LooseJson.member({ code: 429 }, "type")).toBeUndefined()
    expect(LooseJson.member({}, "constructor")).toBeUndefined()
    for (const other of [null, undefined, "slow", 429]) expect(LooseJson.member(other, "length")).toBeUndefined()
  })
})

describe("a text that is nothing but one document", () => {
  it.each<readonly [string, unknown]>([
    ["{\"a\":1}", { a: 1 }],
    [" \n[1]\t", [1]],
    ["\uFEFF{\"a\":1}", { a: 1 }],
    ["\"slow down\"", "slow down"]
  ])("%j is that document", (text, value) => {
    expect(LooseJson.whole(text)).toEqual(Option.some(value))
  })

  it.each(["429", " true ", "null", "", "{'a': 1}", "{\"a\":1} {\"b\":2}", "error {\"a\":1}", "{\"a\":"])(
    "%j is none",
    (text) => {
      expect(LooseJson.whole(text)).toEqual(Option.none())
    }
  )
})
