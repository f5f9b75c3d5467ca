import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Documents from "../../../src/domain/failure/Documents.js"
import * as LooseJson from "../../../src/domain/failure/LooseJson.js"
import * as FailureLine from "../../../src/domain/failure/FailureLine.js"
import { statusIn, statusOfPhrase, withoutPhrases } from "../../../src/domain/failure/StatusInText.js"

const auth = (fields: object) =>
  Either.map(FailureLine.fromLine(JSON.stringify({ id: 1, status: 401, ...fields })), ({ wire }) => wire.auth)

const wireOf = (fields: object) => Either.map(FailureLine.fromLine(JSON.stringify(fields)), ({ wire }) => wire)

describe("a line of the corpus form", () => {
  it("becomes a wire failure with lower-case headers and the whole chain", () => {
    const line = JSON.stringify({
      id: "a-1",
      provider: "openai",
      surface: "embed",
      kind: "transport",
      status: null,
      headers: { "Retry-After": "3" },
      body: null,
      transport: { code: 20, name: "AbortError", message: "m", causeCode: "X", causeName: null, causeMessage: "n" }
    })
    expect(FailureLine.fromLine(line)).toEqual(Either.right({
      id: "a-1",
      wire: {
        provider: "openai",
        surface: "embed",
        auth: "key",
        headers: { "retry-after": "3" },
        streaming: false,
        transport: [{ name: "AbortError", code: "20", message: "m" }, { code: "X", message: "n" }]
      }
    }))
  })

  it("authenticates the back end by session and all others by key, unless it says", () => {
    expect(auth({ provider: "openhuman-backend" })).toEqual(Either.right("session"))
    expect(auth({ provider: "openhuman" })).toEqual(Either.right("key"))
    expect(auth({ provider: "openai" })).toEqual(Either.right("key"))
    expect(auth({ provider: "openai", auth: "session" })).toEqual(Either.right("session"))
    expect(auth({ provider: "openhuman-backend", auth: "none" })).toEqual(Either.right("none"))
    expect(auth({ provider: "openhuman-backend", auth: "key" })).toEqual(Either.right("key"))
    expect(auth({ provider: "openhuman-backend", auth: "" })).toEqual(Either.right("session"))
    expect(auth({ provider: "openai", auth: "token" })).toEqual(Either.right("key"))
  })

  it("takes a chain as a list, a body as an object, and what else the record knows", () => {
    const line = JSON.stringify({
      id: 7,
      model: "m",
      kind: "stream",
      status: 200,
      body: { error: "x" },
      transport: [{ message: "a" }, {}],
      timedOutAfter: 5,
      contract: "c",
      now: 9
    })
    expect(FailureLine.fromLine(line)).toEqual(Either.right({
      id: "7",
      wire: {
        provider: "provider",
        surface: "chat",
        auth: "key",
        model: "m",
        status: 200,
        headers: {},
        body: "{\"error\":\"x\"}",
        transport: [{ message: "a" }],
        timedOutAfter: 5,
        contract: "c",
        streaming: true,
        now: 9
      }
    }))
  })

  it.each([
    ["{", null, "not a line of JSON"],
    ["[1]", null, "not a JSON object"],
    ["null", null, "not a JSON object"],
    ["\"text\"", null, "not a JSON object"],
    ["{\"id\":\"x\"}", "x", "neither status, body nor transport is given"],
    ["{\"id\":\"x\",\"status\":7,\"body\":\"\"}", "x", "neither status, body nor transport is given"]
  ])("says what is wrong with %s", (line, id, problem) => {
    expect(FailureLine.fromLine(line)).toEqual(Either.left({ id, problem }))
  })

  it("holds nothing that the record does not say", () => {
    expect(wireOf({ status: 500 })).toStrictEqual(Either.right({
      provider: "provider",
      surface: "chat",
      auth: "key",
      status: 500,
      headers: {},
      streaming: false
    }))
    expect(wireOf({ body: "", timedOutAfter: 100, now: "soon", model: "", contract: 7, headers: null })).toStrictEqual(
      Either.right({
        provider: "provider",
        surface: "chat",
        auth: "key",
        headers: {},
        body: "",
        timedOutAfter: 100,
        streaming: false
      })
    )
  })

  it.each<readonly [object]>([
    [{ body: "slow down" }],
    [{ body: "slow down", status: 7 }],
    [{ status: 429, body: "" }],
    [{ transport: { code: "ECONNRESET" } }],
    [{ contract: "expected 32 vectors, got 31" }],
    [{ timedOutAfter: 0 }]
  ])("says enough to judge by %j", (fields) => {
    expect(Either.isRight(wireOf(fields))).toBe(true)
  })

  it.each<readonly [object]>([
    [{}],
    [{ body: null }],
    [{ body: "", transport: {}, contract: "", timedOutAfter: "100" }],
    [{ status: 99 }],
    [{ status: 1000 }],
    [{ status: 429.5 }],
    [{ status: "slow" }],
    [{ provider: "openai", model: "m", headers: { "retry-after": "3" } }]
  ])("says too little to judge by %j", (fields) => {
    expect(wireOf(fields)).toEqual(
      Either.left({ id: null, problem: "neither status, body nor transport is given" })
    )
  })

  it.each<readonly [unknown, number | undefined]>([
    [99, undefined],
    [100, 100],
    [999, 999],
    [1000, undefined],
    ["429", 429]
  ])("status %j is %s", (status, read) => {
    expect(Either.map(wireOf({ body: "x", status }), (wire) => wire.status)).toEqual(Either.right(read))
  })

  it.each<readonly [unknown, string | undefined]>([
    ["slow", "slow"],
    [{ error: "slow" }, "{\"error\":\"slow\"}"],
    [429, "429"],
    [false, "false"],
    [null, undefined],
    [undefined, undefined]
  ])("body %j is read as %s", (body, read) => {
    expect(Either.map(wireOf({ status: 500, body }), (wire) => wire.body)).toEqual(Either.right(read))
  })

  it.each<readonly [unknown, ReadonlyArray<object> | undefined]>([
    [[{ name: "TypeError", message: "fetch failed" }, { name: "Error", code: "ECONNRESET" }], [
      { name: "TypeError", message: "fetch failed" },
      { name: "Error", code: "ECONNRESET" }
    ]],
    [{ causeName: "SocketError", causeCode: 7, causeMessage: "closed" }, [
      { name: "SocketError", code: "7", message: "closed" }
    ]],
    [{ name: "", code: null, message: "closed" }, [{ message: "closed" }]],
    [{ name: "", code: true, message: 4 }, undefined],
    [[], undefined]
  ])("transport %j is a chain", (transport, read) => {
    const wire = Either.getOrThrow(wireOf({ status: 500, transport }))
    expect(wire.transport).toStrictEqual(read)
  })

  it.each<readonly [unknown, string | null]>([
    ["a-1", "a-1"],
    [7, "7"],
    [true, null],
    [{ a: 1 }, null],
    [null, null],
    [undefined, null]
  ])("id %j is %s", (id, read) => {
    expect(Either.map(FailureLine.fromLine(JSON.stringify({ id, status: 500 })), (report) => report.id)).toEqual(
      Either.right(read)
    )
  })
})

describe("a text that somebody pasted", () => {
  it("names the provider that the wrapping names", () => {
    expect(FailureLine.fromText("custom_openai API error (429): {}")).toMatchObject({
      provider: "custom_openai",
      auth: "key",
      surface: "chat"
    })
    expect(FailureLine.fromText("OpenHuman streaming API error (401): {}")).toMatchObject({
      provider: "openhuman",
      auth: "session"
    })
    expect(FailureLine.fromText("Embedding API error (401): {}")).toMatchObject({
      provider: "provider",
      surface: "embed",
      auth: "key"
    })
  })

  it("lets what is given stand", () => {
    expect(FailureLine.fromText("{}", { provider: "groq", auth: "none", status: 500, surface: "embed" })).toEqual({
      provider: "groq",
      auth: "none",
      status: 500,
      surface: "embed",
      body: "{}"
    })
  })

  it.each([
    ["my-embedding API error (401): {}", "my-embedding"],
    ["Embeddings API error (401): {}", "embeddings"],
    ["EMBEDDING API error (401): {}", "provider"],
    ["Groq embedding API error (401): {}", "groq"],
    ["API error (401): {}", "provider"],
    ["Groq API errors: {}", "provider"]
  ])("%s is of %s", (text, provider) => {
    expect(FailureLine.fromText(text).provider).toBe(provider)
  })

  it.each<readonly [string, boolean]>([
    ["data: [DONE]", false],
    ["data: lost", false],
    ["  data: lost", false],
    ["\tevent: ping", false],
    ["it said\ndata: lost", false],
    ["metadata: lost", true],
    ["the data: lost", true],
    ["no data", true],
    ["<html>lost", false],
    ["error {lost", false]
  ])("%j is a break: %s", (text, isBreak) => {
    expect(FailureLine.fromText(text).transport).toEqual(isBreak ? [{ message: text }] : undefined)
  })

  it("takes a sentence without status and envelope for a break", () => {
    expect(FailureLine.fromText("socket hang up").transport).toEqual([{ message: "socket hang up" }])
    expect(FailureLine.fromText("HTTP 500").transport).toBeUndefined()
    expect(FailureLine.fromText("{\"error\":\"x\"}").transport).toBeUndefined()
    expect(FailureLine.fromText("data: {}").transport).toBeUndefined()
    expect(FailureLine.fromText("socket hang up", { status: 502 }).transport).toBeUndefined()
  })
})

describe("the status within a text", () => {
  it.each<readonly [string, number | undefined]>([
    ["HTTP 429 Too Many Requests: rate limit exceeded", 429],
    ["HTTP/1.1 503 Service Unavailable", 503],
    ["custom_openai API error (429 Too Many Requests): {}", 429],
    ["OpenHuman API error (401): x", 401],
    ["Error code: 400 - {'error': 1}", 400],
    ["Request failed with status code 404", 404],
    ["status: 502, body: x", 502],
    ["provider returned HTTP 503 Service Unavailable", 503],
    ["server returned 401", 401],
    ["429 {\"error\":1}", 429],
    ["500 Internal Server Error", 500],
    ["error code: 502", 502],
    ["googleapi: Error 403: denied", 403],
    ["[429] slow", 429],
    ["请求失败，状态码: 500", 500],
    ["GET https://x.example/401 failed", undefined],
    ["Limit 500 tokens, used 429", undefined],
    ["error after 500 ms", undefined],
    ["status 200", undefined],
    ["code 999", undefined],
    ["request req_429 lost", undefined]
  ])("%s", (text, status) => {
    expect(statusIn(text)).toBe(status)
  })

  it("is meant by a bare reason phrase and by nothing longer", () => {
    expect(statusOfPhrase("Too Many Requests")).toBe(429)
    expect(statusOfPhrase(" Bad Gateway.\n")).toBe(502)
    expect(statusOfPhrase("Bad Gateway again")).toBeUndefined()
  })

  it("takes its phrase along when it is cut out", () => {
    expect(withoutPhrases("HTTP 429 Too Many Requests: slow").trim()).toBe("HTTP  : slow")
    expect(withoutPhrases("Too Many Requests")).toBe("Too Many Requests")
  })
})

describe("documents within a body", () => {
  it.each<readonly [string, string, ReadonlyArray<unknown>]>([
    ["", "empty", []],
    ["  \n", "empty", []],
    ["{\"a\":1}", "json", [{ a: 1 }]],
    ["\"{\\\"a\\\":1}\"", "json", [{ a: 1 }]],
    ["before {\"a\":1} after", "mixed", [{ a: 1 }]],
    ["{'a': None, 'b': True, 'c': 'it\\'s'}", "json", [{ a: null, b: true, c: "it's" }]],
    ["{ a: { b: 'x', c: [1, 'y'] } }", "json", [{ a: { b: "x", c: [1, "y"] } }]],
    ["{\"a\":1}\n{\"b\":2}\n", "json", [{ a: 1 }, { b: 2 }]],
    ["data: {\"a\":1}\n\ndata: [DONE]\n\n", "events", [{ a: 1 }]],
    ["event: error\ndata: {\"a\":1}\n\n", "events", [{ type: "error" }, { a: 1 }]],
    ["event: ping\n: comment\nid: 1\n\n", "events", []],
    ["data: {\"a\":1}\n\n{\n \"error\": {\"b\":2}\n}\n", "events", [{ a: 1 }, { error: { b: 2 } }]],
    ["<html><head><title>502</title></head></html>", "html", []],
    ["plain words", "text", []],
    ["a set {of} words [in] brackets", "text", []]
  ])("%j is %s", (body, form, documents) => {
    expect(Documents.parse(body)).toMatchObject({ form, documents, cut: false })
  })

  it("reads a document that broke off as far as it goes, and says so", () => {
    expect(Documents.parse("{\"error\":{\"code\":\"x\",\"message\":\"half a sen")).toMatchObject({
      cut: true,
      documents: [{ error: { code: "x", message: "half a sen" } }]
    })
    expect(Documents.parse("data: {\"a\":[1,2")).toMatchObject({ cut: true, documents: [{ a: [1, 2] }] })
  })

  it("keeps the words of a page and not its scripts", () => {
    expect(
      Documents.parse("<!DOCTYPE html><style>p{}</style><h1>502</h1><script>x()</script><p>Bad &amp; gateway</p>").prose
    ).toBe("502 Bad &amp; gateway")
  })

  it("reads escapes as JSON has them", () => {
    expect(LooseJson.read("'\\u4f59\\n\\t\\\"\\q'", 0)).toEqual({ value: "余\n\t\"q", end: 16, whole: true })
  })
})
