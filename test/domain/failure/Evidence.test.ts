import { describe, expect, it } from "@effect/vitest"
import { gather, squeeze } from "../../../src/domain/failure/Evidence.js"
import type { WireFailure } from "../../../src/domain/failure/WireFailure.js"

/** What is read from a wire failure before anybody judges it. */

const read = (body: unknown, more: Partial<WireFailure> = {}) =>
  gather({
    provider: "Acme",
    surface: "chat",
    auth: "key",
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...more
  })

const refused = (body: unknown) => read(body, { status: 400 })
const served = (body: unknown) => read(body, { status: 200 })
const codes = (body: unknown) => refused(body).codes

describe("squeeze", () => {
  it.each([
    ["Insufficient_Quota", "insufficientquota"],
    ["com.amazon.coral.service#ThrottlingException", "throttlingexception"],
    ["com.amazonaws#ThrottlingException:http://internal.amazon.com/coral/", "throttlingexception"],
    ["Throttling:HTTPS://docs.example.com/x", "throttling"],
    ["Throttling.User", "throttlinguser"],
    ["限流-超額 9", "限流超額9"],
    ["--", ""]
  ])("makes of %s the code %s", (code, squeezed) => {
    expect(squeeze(code)).toBe(squeezed)
  })
})

describe("codes", () => {
  it.each([
    "code",
    "type",
    "reason",
    "status",
    "title",
    "name",
    "kind",
    "error",
    "error_type",
    "errorType",
    "errors_type",
    "error_code",
    "errors_code",
    "errorCode",
    "err_code",
    "errCode",
    "errcode",
    "sub_code",
    "subcode",
    "__type",
    "statusCode",
    "status_code",
    "http_status",
    "httpStatus",
    "http_code",
    "raw_status_code",
    "blockReason",
    "limit_type",
    "limitType",
    "exception"
  ])("stand under %s", (key) => {
    expect(codes({ outer: { [key]: "Some_Code" } })).toContain("somecode")
  })

  it.each(["codec", "mycode", "my_type", "reasons", "xerror", "message", "statuscodes"])(
    "do not stand under %s",
    (key) => {
      expect(codes({ outer: { [key]: "Some_Code" } })).toEqual([])
    }
  )

  it("are words, not numbers, of 100 characters at most", () => {
    expect(codes({ code: 1302, type: "429" })).toEqual([])
    expect(codes({ code: "1302a" })).toEqual(["1302a"])
    expect(codes({ code: "a1302" })).toEqual(["a1302"])
    expect(codes({ code: "c".repeat(100) })).toEqual(["c".repeat(100)])
    expect(codes({ code: "c".repeat(101) })).toEqual([])
    expect(codes({ status: true })).toEqual([])
  })

  it("count with their namespace and without it", () => {
    expect(codes({ code: "Throttling.RateQuota" })).toEqual(["throttlingratequota", "ratequota"])
    expect(codes({ code: "acme-ai:rate-limit" })).toEqual(["acmeairatelimit", "ratelimit"])
    expect(codes({ code: "acme:sub:limit" })).toEqual(["acmesublimit", "sublimit"])
    expect(codes({ code: "Acme.1302" })).toEqual(["acme1302"])
    expect(codes({ code: "Acme.13b" })).toEqual(["acme13b", "13b"])
    expect(codes({ code: "ends with a stop." })).toEqual(["endswithastop"])
  })

  it("are the names of documents that are exceptions", () => {
    expect(codes({ ThrottlingException: { message: "slow" } })).toContain("throttlingexception")
    expect(codes({ exceptional: { message: "slow" } })).toEqual([])
  })

  it("are the class names and upper-case names in wrapping text", () => {
    expect(codes("openai.RateLimitError: slow down, RESOURCE_EXHAUSTED")).toEqual([
      "ratelimiterror",
      "resourceexhausted"
    ])
    expect(codes("QuotaExceeded and PoolExhausted and ServiceUnavailable and RequestThrottled")).toEqual([
      "quotaexceeded",
      "poolexhausted",
      "serviceunavailable",
      "requestthrottled"
    ])
    expect(codes("ThrottlingException: slow")).toEqual(["throttlingexception"])
    expect(codes("an error, an Err, A_B and HTTP")).toEqual([])
    expect(codes(`${" ".repeat(10)}${"x ".repeat(2_000)}RateLimitError`)).toEqual([])
    expect(codes(`${"x ".repeat(2_000)}RESOURCE_EXHAUSTED`)).toEqual([])
  })

  it("are all of a body that is one code", () => {
    expect(codes("insufficient_balance")).toEqual(["insufficientbalance"])
    expect(codes(" context_length_exceeded\n")).toEqual(["contextlengthexceeded"])
    expect(codes("overloaded")).toEqual([])
    expect(codes("see rate_limit below")).toEqual([])
    expect(codes(`a_${"b".repeat(100)}`)).toEqual([])
  })

  it("are what a sentence names as its code", () => {
    expect(codes("You have been turned away. Error Code: rate_limited")).toEqual(["ratelimited"])
    expect(codes("request failed, code=insufficient_quota")).toEqual(["insufficientquota"])
    expect(codes("error code: 'invalid_api_key'")).toEqual(["invalidapikey"])
    expect(codes("the code: word, a code of rate_limited, encode: two_words")).toEqual([])
    expect(codes(`${"x ".repeat(2_000)}code: rate_limited`)).toEqual([])
  })

  it("are not read from the words of a page", () => {
    expect(codes("<!DOCTYPE html><html><body>RateLimitError RESOURCE_EXHAUSTED</body></html>")).toEqual([])
  })

  it("are the names and codes of a broken connection, and class names in its words", () => {
    const { codes, transport } = read("", {
      transport: [{ name: "TypeError", message: "fetch failed" }, { code: "ECONN_RESET", name: "" }, {
        code: "",
        message: "from APIConnectionError"
      }]
    })
    expect(codes).toEqual(["typeerror", "econnreset", "apiconnectionerror"])
    expect(transport).toBe(true)
    expect(read("x").transport).toBe(false)
    expect(read("x", { transport: [] }).transport).toBe(false)
  })

  it("are in Amazon's header", () => {
    expect(read("", { status: 400, headers: { "x-amzn-errortype": "ThrottlingException:http://x/" } }).codes).toEqual([
      "throttlingexception"
    ])
  })

  it("are not empty", () => {
    expect(codes({ code: "" })).toEqual([])
    expect(codes({ code: "--" })).toEqual([])
  })
})

describe("how an answer ended", () => {
  it.each<[string, unknown]>([
    ["choices", { choices: [{ finish_reason: "content_filter" }] }],
    ["choices in other spelling", { choices: [{ finishReason: "contentFilter" }] }],
    ["a gateway's choices", { choices: [{ native_finish_reason: "content_filter" }] }],
    ["candidates", { candidates: [{ finishReason: "CONTENT_FILTER" }] }],
    ["the document", { stop_reason: "content_filter" }],
    ["the document in other spelling", { stopReason: "content_filter" }],
    ["the document as Cohere has it", { finish_reason: "CONTENT_FILTER" }],
    ["the delta", { delta: { stop_reason: "content_filter" } }],
    ["the message", { message: { stop_reason: "content_filter" } }],
    ["the response", { response: { incomplete_details: { reason: "content_filter" } } }],
    ["the document's own details", { incomplete_details: { reason: "content_filter" } }],
    ["one event of many", [{ delta: {} }, { stop_reason: "content_filter" }]]
  ])("is read from %s", (_, body) => {
    expect(served(body).codes).toEqual(["finish:contentfilter"])
  })

  it("is read where a prompt was blocked", () => {
    expect(served({ promptFeedback: { blockReason: "SAFETY" } }).codes).toEqual(["block:safety"])
  })

  it("is nothing where nobody says it", () => {
    expect(served({ choices: [{ finish_reason: null }, { finish_reason: "" }, { finish_reason: 3 }] }).codes).toEqual(
      []
    )
    expect(served({ choices: "finish_reason" }).codes).toEqual([])
  })
})

describe("the parts of a success that are errors", () => {
  it.each<[string, unknown]>([
    ["an error", { error: "x" }],
    ["errors", { errors: ["x"] }],
    ["an error code", { error_code: 17 }],
    ["an error message", { error_msg: "x" }],
    ["an error code in other spelling", { errorCode: "x" }],
    ["an errcode", { errcode: 40001 }],
    ["an event of an error", { type: "error" }],
    ["an object that is an error", { object: "error" }],
    ["no success", { success: false }],
    ["the status error", { status: "error" }],
    ["the status failed", { status: "failed" }],
    ["a base response that is not 0", { base_resp: { status_code: 1008 } }],
    ["a header that is not 0", { header: { code: 10013 } }],
    ["a detail without choices", { detail: "x" }],
    ["a code with a message", { code: 1302, message: "x" }],
    ["a code with a msg", { code: "Arrearage", msg: "x" }],
    ["an exception", { ThrottlingException: {} }],
    ["a type of Amazon's", { __type: "x" }],
    ["an error within a choice", { choices: [{ error: { code: 502 } }] }],
    ["an error within data", { data: [{ error: "x" }] }],
    ["an error within results", { results: [{ error: "x" }] }],
    ["an error within a response", { response: { error: { code: "x" } } }],
    ["an error within a Response", { Response: { Error: { Code: "x" } } }],
    ["an error within a result", { result: { error: "x" } }],
    ["an error within an output", { output: { error: "x" } }],
    ["one event of many", [{ delta: {} }, { error: "x" }]]
  ])("are %s", (_, body) => {
    expect(served(body).faulty).toBe(true)
    expect(refused(body).faulty).toBe(false)
  })

  it.each<[string, unknown]>([
    ["an empty error", { error: "" }],
    ["no error", { error: null, errors: [], error_code: 0, success: true }],
    ["an error that is false", { error: false }],
    ["another type", { type: "message", object: "list", status: "completed" }],
    ["a base response of 0", { base_resp: { status_code: 0 } }],
    ["a header of 0", { header: { code: 0 } }],
    ["a detail beside choices", { detail: "x", choices: [] }],
    ["a code of 200 with a message", { code: 200, message: "ok" }],
    ["a code of 200 in letters", { code: "200", message: "ok" }],
    ["a code of success", { code: "Success", msg: "ok" }],
    ["a code without a message", { code: 1302 }],
    ["a message without a code", { message: "hello" }],
    ["a message that is a document", { code: 7, message: { role: "assistant" } }],
    ["an empty error within a choice", { choices: [{ error: null }] }],
    ["vectors", { data: [{ embedding: [1, 2] }] }],
    ["a word about exceptions", { exceptional: "x", my__type: "x" }]
  ])("are not %s", (_, body) => {
    expect(served(body).faulty).toBe(false)
    expect(served(body).fields).toEqual([])
  })

  it("are read alone, beside what they stand in where that is an error itself", () => {
    expect(served({ choices: [{ error: { code: "x" }, text: "hello" }] }).pairs).toEqual(["error.code=x"])
    expect(served({ model: "m", error: { code: "x" } }).pairs).toEqual(["model=m", "error.code=x"])
  })

  it("are looked for from 200 to 299", () => {
    const quiet = { model: "m" }
    expect(read(quiet, { status: 199 }).pairs).toEqual(["model=m"])
    expect(read(quiet, { status: 200 }).pairs).toEqual([])
    expect(read(quiet, { status: 299 }).pairs).toEqual([])
    expect(read(quiet, { status: 300 }).pairs).toEqual(["model=m"])
    expect(read(quiet).pairs).toEqual(["model=m"])
  })
})

describe("fields", () => {
  it("have a path in lower case, and lists do not count in it", () => {
    expect(refused({ Error: { Code: "X", details: [{ Reason: "Y" }] }, list: ["a", 1] }).fields).toEqual([
      { path: "error.code", key: "code", value: "X" },
      { path: "error.details.reason", key: "reason", value: "Y" },
      { path: "list", key: "list", value: "a" },
      { path: "list", key: "list", value: 1 }
    ])
  })

  it("name a list of words by the last part of its path", () => {
    expect(refused({ error: { reason: ["Too_Fast"] } }).fields).toEqual([
      { path: "error.reason", key: "reason", value: "Too_Fast" }
    ])
  })

  it("leave out what only echoes the request, whatever its spelling", () => {
    const echoes = { prompt: "x", Messages: ["x"], usage: { limit: 1 }, request_id: "x", safetyRatings: [{ a: 1 }] }
    expect(refused(echoes).fields).toEqual([])
    expect(refused({ errors: { input: "x", url: "x", loc: ["x"], code: "y" } }).pairs).toEqual(["errors.code=y"])
  })

  it("leave out vectors", () => {
    expect(refused({ numbers: [1, 2, 3], mixed: [1, "a"] }).pairs).toEqual(["mixed=1", "mixed=a"])
  })

  it("as pairs are lower case and cut to 100 characters", () => {
    expect(refused({ detail: `A${"b".repeat(200)}`, ok: true, none: null }).pairs).toEqual([
      `detail=a${"b".repeat(99)}`,
      "ok=true"
    ])
  })

  it("are read from documents within texts", () => {
    expect(refused({ message: "{\"error\":{\"code\":\"X\"}}" }).pairs).toContain("message.error.code=x")
    expect(refused({ message: "Error: {'code': 'X'}" }).pairs).toContain("message.code=x")
    expect(refused({ message: "  [{\"code\":\"X\"}]" }).pairs).toContain("message.code=x")
  })

  it("are bounded in number and depth", () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [
      `k${n}`,
      Object.fromEntries(Array.from({ length: 40 }, (_, m) => [`v${m}`, m]))
    ]))
    const count = refused(many).fields.length
    expect(count).toBeGreaterThan(600)
    expect(count).toBeLessThanOrEqual(641)
    const nested = (depth: number): unknown => depth === 0 ? { code: "deep" } : { a: nested(depth - 1) }
    expect(refused(nested(12)).codes).toEqual(["deep"])
    expect(refused(nested(13)).codes).toEqual([])
    const quoted = (depth: number): string => JSON.stringify(depth === 0 ? { code: "deep" } : { a: quoted(depth - 1) })
    expect(refused(quoted(4)).codes).toEqual(["deep"])
    expect(refused(quoted(8)).codes).toEqual([])
  })
})

describe("statuses", () => {
  it("that the body names are kept apart from the answer's own", () => {
    expect(read({ error: { code: 429 } }, { status: 500 })).toMatchObject({ status: 500, inner: [429] })
    expect(read({ error: { code: "429" } }, { status: 500 }).inner).toEqual([429])
    expect(read({ error: { code: 429 } }, { status: 429 }).inner).toEqual([])
  })

  it.each(["code", "status", "statusCode", "status_code", "httpStatus", "http_status", "http_code", "raw_status_code"])(
    "stand under %s",
    (key) => {
      expect(read({ [key]: 429 }, { status: 500 }).inner).toEqual([429])
    }
  )

  it.each(["mycode", "codes", "limit", "statuscodes", "reason"])("do not stand under %s", (key) => {
    expect(read({ [key]: 429 }, { status: 500 }).inner).toEqual([])
  })

  it("are those of refusals and faults", () => {
    const inner = (code: number | string) => read({ code }, { status: 418 }).inner
    expect([399, 400, 599, 600, 429.5].map(inner)).toEqual([[], [400], [599], [], []])
    expect(inner("none")).toEqual([])
  })

  it("are read from the words around where the answer's own is unknown", () => {
    expect(read("provider returned HTTP 503 Service Unavailable").status).toBe(503)
    expect(read("", { transport: [{ message: "Request failed with status code 502" }] }).status).toBe(502)
    expect(read("Too Many Requests").status).toBe(429)
    expect(read("HTTP 503", { status: 418 }).status).toBe(418)
    expect(read("all is lost").status).toBeUndefined()
    expect(read({ message: "upstream answered HTTP 429" }, { status: 500 }).inner).toEqual([429])
  })
})

describe("words", () => {
  it("are what the body's messages say, each on a line of its own", () => {
    expect(refused({ error: { message: "slow down", type: "x" }, detail: "wait" }).said).toBe("slow down\nwait")
  })

  it.each(["message", "msg", "error", "detail", "details", "title"])("are a single word under %s too", (key) => {
    expect(refused({ [key]: "Overloaded" }).said).toBe("Overloaded")
  })

  it.each(["messages2", "hint", "my_error"])("are no single word under %s", (key) => {
    expect(refused({ [key]: "Overloaded" }).said).toBe("")
    expect(refused({ [key]: "is overloaded" }).said).toBe("is overloaded")
    expect(refused({ [key]: "过载" }).said).toBe("过载")
  })

  it("hold the text around a document, and not the document", () => {
    expect(refused("Error from acme: {\"error\":{\"message\":\"slow down\"}}").said).toBe("slow down\nError from acme:")
  })

  it("hold the messages of a broken connection", () => {
    expect(read("", { transport: [{ message: "socket hang up" }, { message: "" }, { code: "X" }] }).said).toBe(
      "socket hang up"
    )
  })

  it("are nothing where a page says them, or a stream around an error", () => {
    expect(refused("<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>").codes).toEqual([])
    const stream = "event: error\ndata: {\"error\":{\"message\":\"overloaded now\"}}\n\n"
    expect(served(stream).said).toBe("overloaded now")
    expect(read("hello there", { status: 200 }).said).toBe("hello there")
  })

  it("are read up to 4,000 characters each", () => {
    expect(refused({ message: `${"word ".repeat(2_000)}end` }).said).toHaveLength(4_000)
    expect(refused(`${"word ".repeat(2_000)}end`).said.length).toBeLessThanOrEqual(4_000)
    expect(read("", { transport: [{ message: `${"word ".repeat(2_000)}end` }] }).said.length).toBeLessThanOrEqual(4_000)
  })

  it("are judged in lower case, without addresses, on one line, with plain quotes", () => {
    expect(
      refused({ message: "See HTTPS://acme.example/docs?x=1 or wss://acme.example/x.\n You’ve `rate_limited` ‘it’ " })
        .text
    )
      .toBe("see or you've rate limited 'it'")
    expect(refused({ message: "Look at ftp://acme.example now" }).text).toBe("look at ftp://acme.example now")
  })

  it("say where they were cut off", () => {
    expect(refused("{\"error\":{\"message\":\"slow do").cut).toBe(true)
    expect(refused("{\"error\":{\"message\":\"slow\"}}").cut).toBe(false)
    expect(refused({ message: "{\"error\":{\"message\":\"slow do" }).cut).toBe(true)
  })
})

describe("the rest", () => {
  it("is taken over as it is", () => {
    const evidence = read("x", { headers: { "retry-after": "7" }, status: 418 })
    expect(evidence.provider).toBe("acme")
    expect(evidence.headers).toEqual({ "retry-after": "7" })
    expect(read("x").headers).toEqual({})
    expect(evidence.wire.body).toBe("x")
    expect(gather({ provider: "a", surface: "chat", auth: "key" })).toMatchObject({ said: "", codes: [], fields: [] })
    expect(refused("<html><body>x</body></html>").form).toBe("html")
  })
})
