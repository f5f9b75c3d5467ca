import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import { causeChain } from "../../../src/adapters/http/CauseChain.js"
import * as Wire from "../../../src/adapters/http/WireFailure.js"
import { classify } from "../../../src/domain/failure/classify.js"

const peer: Wire.Peer = { provider: "p", surface: "chat", auth: "key" }

const of = (error: unknown) => Wire.ofError(peer, error, 7)

const request = HttpClientRequest.post("http://host.example/v1/x?key=secret")

const response = (status: number, headers: Readonly<Record<string, string>> = {}) =>
  HttpClientResponse.fromWeb(request, new Response(status === 204 ? null : "body", { status, headers }))

const coded = (message: string, code: string | number, cause?: unknown) =>
  Object.assign(new Error(message, cause === undefined ? {} : { cause }), { code })

describe("an error of the platform's client", () => {
  it("is its cause, not the wrapper that repeats the address", () => {
    const error = new HttpClientError.RequestError({
      request,
      reason: "Transport",
      cause: coded("connect ECONNREFUSED 127.0.0.1:1", "ECONNREFUSED")
    })
    expect(of(error)).toEqual({
      provider: "p",
      surface: "chat",
      auth: "key",
      now: 7,
      transport: [{ name: "Error", code: "ECONNREFUSED", message: "connect ECONNREFUSED 127.0.0.1:1" }]
    })
  })

  it("is its reason where there is no cause, and still not the address", () => {
    const { transport } = of(new HttpClientError.RequestError({ request, reason: "InvalidUrl" }))
    expect(transport).toEqual([{ name: "RequestError", message: "InvalidUrl" }])
  })

  it("keeps status and headers of an answer whose body broke off", () => {
    const error = new HttpClientError.ResponseError({
      request,
      response: response(200, { "X-Request-Id": "r" }),
      reason: "Decode",
      cause: new TypeError("terminated", { cause: coded("other side closed", "UND_ERR_SOCKET") })
    })
    const { headers, status, transport } = of(error)
    expect({ status, transport }).toEqual({
      status: 200,
      transport: [
        { name: "TypeError", message: "terminated" },
        { name: "Error", code: "UND_ERR_SOCKET", message: "other side closed" }
      ]
    })
    expect(headers).toMatchObject({ "x-request-id": "r" })
  })

  it("is a broken contract where the body arrived and is no JSON, or is not there", () => {
    const decode = new HttpClientError.ResponseError({
      request,
      response: response(200),
      reason: "Decode",
      cause: new SyntaxError("Unexpected token '<'")
    })
    expect(of(decode)).toMatchObject({ status: 200, contract: "the answer is not what its contract says" })
    const empty = new HttpClientError.ResponseError({ request, response: response(204), reason: "EmptyBody" })
    expect(of(empty)).toMatchObject({ status: 204, body: "", contract: "the answer is empty" })
  })

  it("is its status where the status alone was refused", () => {
    const error = new HttpClientError.ResponseError({ request, response: response(503), reason: "StatusCode" })
    expect(of(error)).toMatchObject({ status: 503 })
    expect(of(error).transport).toBeUndefined()
  })
})

describe("an error of an AI library", () => {
  it("is the answer that it holds", () => {
    expect(of({
      _tag: "HttpResponseError",
      "~@effect/ai/AiError": "~@effect/ai/AiError",
      response: { status: 429, headers: { "Retry-After": "3" } },
      body: "{\"error\":{\"code\":\"rate_limit_exceeded\"}}",
      reason: "StatusCode",
      message: "StatusCode: ... Response Body: ..."
    })).toMatchObject({
      status: 429,
      headers: { "retry-after": "3" },
      body: "{\"error\":{\"code\":\"rate_limit_exceeded\"}}"
    })
  })

  it("is the cause of its transport", () => {
    const { status, transport } = of({
      _tag: "HttpRequestError",
      reason: "Transport",
      message: "Transport: ... (POST http://host.example)",
      cause: new HttpClientError.RequestError({
        request,
        reason: "Transport",
        cause: coded("read ECONNRESET", "ECONNRESET")
      })
    })
    expect({ status, transport }).toEqual({
      status: undefined,
      transport: [{ name: "Error", code: "ECONNRESET", message: "read ECONNRESET" }]
    })
  })

  it("is a broken contract where the output was malformed", () => {
    const wire = of({ _tag: "MalformedOutput", message: "Response doesn't match", module: "m", method: "n" })
    expect(wire).toMatchObject({ status: 200, contract: "the answer is not what its contract says" })
  })
})

describe("an error of an SDK", () => {
  const cases = [
    [
      "the bare error member, put back into its envelope",
      Object.assign(new Error("429 quota"), {
        status: 429,
        headers: new Headers({ "Retry-After-Ms": "20" }),
        error: { code: "insufficient_quota" }
      }),
      { status: 429, headers: { "retry-after-ms": "20" }, body: "{\"error\":{\"code\":\"insufficient_quota\"}}" }
    ],
    [
      "the whole envelope as it is",
      Object.assign(new Error("529"), { status: 529, error: { type: "error", error: { type: "overloaded_error" } } }),
      { status: 529, body: "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}" }
    ],
    [
      "text of a body, with a record of headers",
      Object.assign(new Error("no"), {
        statusCode: 402,
        responseHeaders: { A: "1" },
        responseBody: "{\"error\":\"no\"}"
      }),
      { status: 402, headers: { a: "1" }, body: "{\"error\":\"no\"}" }
    ],
    [
      "an error as text",
      Object.assign(new Error("model not found"), { status_code: 404, error: "model not found" }),
      { status: 404, body: "{\"error\":\"model not found\"}" }
    ],
    [
      "the response that it carries",
      Object.assign(new Error("Request failed"), {
        response: { status: 400, headers: { b: "2" }, data: { error: "bad" } }
      }),
      { status: 400, headers: { b: "2" }, body: "{\"error\":\"bad\"}" }
    ],
    [
      "the answer of a cause, under a wrapper that says it gave up",
      new Error("Failed after 3 attempts", { cause: Object.assign(new Error("503 loading"), { status: 503 }) }),
      { status: 503, body: "503 loading" }
    ],
    [
      "an error event in the middle of a stream, which has no status",
      Object.assign(new Error("Overloaded"), { status: undefined, error: { type: "overloaded_error" } }),
      { body: "{\"error\":{\"type\":\"overloaded_error\"}}" }
    ]
  ] as const
  for (const [what, error, expected] of cases) {
    it(`is ${what}`, () => {
      expect(of(error)).toMatchObject(expected)
    })
  }
})

describe("a chain of causes", () => {
  it("is followed to eight links and through the members of an aggregate", () => {
    const deep = Array.from({ length: 20 }).reduce<Error>(
      (cause, _, n) => new Error(`${n}`, { cause }),
      new Error("root")
    )
    expect(causeChain(deep)).toHaveLength(8)
    const aggregate = new AggregateError([coded("a", "EHOSTUNREACH"), coded("b", "ECONNREFUSED")], "both")
    expect(causeChain(aggregate).map(({ code }) => code)).toEqual([undefined, "EHOSTUNREACH", "ECONNREFUSED"])
  })

  it("names each error once, though they name each other", () => {
    const first: Error & { cause?: unknown } = new Error("first")
    first.cause = new Error("second", { cause: first })
    expect(causeChain(first).map(({ message }) => message)).toEqual(["first", "second"])
  })

  it("writes numeric codes as text, and a time-out of Effect as a time-out", () => {
    expect(causeChain(coded("aborted", 20))).toEqual([{ name: "Error", code: "20", message: "aborted" }])
    expect(causeChain(new Cause.TimeoutException("late"))[0]).toMatchObject({ name: "TimeoutError" })
  })

  it("bears a getter that throws", () => {
    const error = {
      get message() {
        throw new Error("no")
      }
    }
    expect(causeChain(error)).toEqual([{}])
  })

  it.prop("makes a record of anything that can be thrown", [FastCheck.anything({ maxDepth: 3 })], ([thrown]) => {
    const wire = of(thrown)
    expect(wire.provider).toBe("p")
    expect(wire.status !== undefined || wire.transport !== undefined).toBe(true)
  })
})

describe("a route that is missing", () => {
  const cases = [
    [404, "404 page not found", true],
    [404, "", true],
    [405, "Method Not Allowed", true],
    [404, "{\"error\":\"model 'm' not found, try pulling it first\"}", false],
    [404, "{\"error\":{\"message\":\"unknown model\"}}", false],
    [400, "404 page not found", false],
    [200, "{}", false]
  ] as const
  for (const [status, body, missing] of cases) {
    it(`is ${missing ? "" : "not "}what ${status} ${body === "" ? "without a body" : body} says`, () => {
      expect(Wire.isMissingRoute({ status, body, headers: {} })).toBe(missing)
    })
  }
})

describe("a body that is too long for a record", () => {
  it("keeps its head and its tail, where a stream that fails half way says so", () => {
    const filler = "data: {\"choices\":[{\"delta\":{\"content\":\"word\"}}]}\n\n"
    const failed = "data: {\"error\":{\"code\":429,\"message\":\"Rate limit reached. Try again in 7s.\"}}\n\n"
    const body = `${filler.repeat(40_000)}${failed}`
    const wire = Wire.ofAnswer(peer, { status: 200, headers: {}, body }, 0)
    expect(wire.body).toHaveLength(1024 * 1024)
    expect(wire.body?.startsWith(filler)).toBe(true)
    expect(classify(wire)).toMatchObject({ _tag: "RateLimited", retryAfter: Duration.seconds(7) })
  })

  it("is left as it is up to 1 MiB", () => {
    const body = "x".repeat(1024 * 1024)
    expect(Wire.ofAnswer(peer, { status: 500, headers: {}, body }, 0).body).toBe(body)
  })
})
