import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import { classify, recognise } from "../../../src/domain/failure/classify.js"
import * as FailureLine from "../../../src/domain/failure/FailureLine.js"
import type { TransportError, WireFailure } from "../../../src/domain/failure/WireFailure.js"

const said = (status: number | undefined, body: unknown, more: Partial<WireFailure> = {}): WireFailure => ({
  provider: "custom-openai",
  surface: "chat",
  auth: "key",
  ...(status === undefined ? {} : { status }),
  body: typeof body === "string" ? body : JSON.stringify(body),
  ...more
})

const broke = (...transport: ReadonlyArray<TransportError>): WireFailure => ({
  provider: "openai",
  surface: "chat",
  auth: "key",
  transport
})

const tag = (wire: WireFailure) => classify(wire)._tag
const error = (message: string, code: string | null = null, type = "invalid_request_error") => ({
  error: { message, type, param: null, code }
})

describe("a setting of ours that does not fit", () => {
  it("is told by the adapter, goes before whatever else was seen, and keeps its name", () => {
    const wire = said(200, error("quota exceeded"), {
      setting: "embedder.dimension",
      contract: "embedder.dimension is 256 but the model answers 1024"
    })
    expect(classify(wire)).toMatchObject({ _tag: "InvalidRequest", setting: "embedder.dimension" })
    expect(recognise(wire).rule).toBe("setting/ours")
  })
})

describe("the failures that users were hurt by", () => {
  it("takes an insufficient balance within a wrapped 429 for money", () => {
    const wire = FailureLine.fromText(
      "custom_openai API error (429 Too Many Requests): {\"error\":{\"message\":\"insufficient balance\",\"code\":723}}"
    )
    expect(classify(wire)).toMatchObject({ _tag: "BudgetExhausted", provider: "custom_openai" })
  })

  it("takes a plain 429 for pace", () => {
    expect(tag(FailureLine.fromText("HTTP 429 Too Many Requests: rate limit exceeded"))).toBe("RateLimited")
  })

  it("takes a failed look-up for the network and shows no address", () => {
    const failure = classify(
      FailureLine.fromText(
        "error sending request for url (https://me:pw@api.example.com/v1?key=abc): failed to connect: dns error"
      )
    )
    expect(failure).toMatchObject({ _tag: "Network", phase: "dns" })
    expect(failure.detail).not.toMatch(/me:pw|key=abc|\?/)
  })

  it("takes a 503 that a client wraps for the provider's trouble", () => {
    expect(tag(FailureLine.fromText("provider returned HTTP 503 Service Unavailable"))).toBe("ProviderUnavailable")
  })

  const lapsed = "{\"success\":false,\"error\":\"Invalid token\"}"
  it.each([
    ["bare", said(401, lapsed, { provider: "openhuman", auth: "session" })],
    ["bare in embedding", said(401, lapsed, { provider: "openhuman", auth: "session", surface: "embed" })],
    ["wrapped by the chat client", FailureLine.fromText(`OpenHuman API error (401 Unauthorized): ${lapsed}`)],
    [
      "wrapped by the streaming client",
      FailureLine.fromText(`OpenHuman streaming API error (401 Unauthorized): ${lapsed}`)
    ],
    ["wrapped by the embedding client", FailureLine.fromText(`Embedding API error (401 Unauthorized): ${lapsed}`)],
    ["wrapped in an error chain", broke({ name: "Error", message: `OpenHuman API error (401): ${lapsed}` })],
    ["named by its later code", said(401, { success: false, error: "Unauthorized", errorCode: "TOKEN_EXPIRED" })],
    ["any 401 of a session", said(401, "", { auth: "session" })],
    ["the guard before the call", { ...broke({ message: "no backend session token" }), auth: "session" as const }],
    ["the guard's constant", broke({ message: "Error: SESSION_EXPIRED" })]
  ])("sees the end of our own login: %s", (_, wire) => {
    expect(tag(wire)).toBe("SessionExpired")
  })

  it("names the session that ended", () => {
    expect(classify(said(401, lapsed, { provider: "backend", auth: "session" }))).toMatchObject({ session: "backend" })
  })

  it.each([
    ["a third party's invalid key", said(401, error("Incorrect API key provided", "invalid_api_key"))],
    [
      "Invalid token without our envelope",
      said(401, { error: { message: "Invalid token", type: "authentication_error" } })
    ],
    ["a bare sentence", said(401, "Invalid token")],
    ["the server's wording", said(401, "server returned 401")],
    ["an OAuth session at a gateway", said(401, { error: { message: "OAuth session expired", code: 401 } })],
    [
      "an AWS token",
      said(403, { message: "The security token included in the request is expired" }, {
        headers: { "x-amzn-errortype": "ExpiredTokenException" }
      })
    ],
    ["a lower-case constant", said(401, { error: "session_expired" })],
    [
      "a relayed key at our own back end",
      said(401, error("Incorrect API key provided", "invalid_api_key"), { auth: "session" })
    ]
  ])("signs nobody out for %s", (_, wire) => {
    expect(tag(wire)).toBe("AuthenticationFailed")
  })

  it("signs nobody out for a parse error that quotes the words", () => {
    expect(
      tag({
        ...broke({ name: "SyntaxError", message: "Unexpected token 'I', \"Invalid token\" is not valid JSON" }),
        auth: "session"
      })
    )
      .toBe("MalformedResponse")
  })

  it("signs nobody out for an address with /401 in it", () => {
    expect(tag(said(500, "upstream https://example.com/401 failed"))).toBe("ProviderUnavailable")
  })
})

describe("look-alikes that differ by a word", () => {
  it.each<readonly [string, WireFailure, string, WireFailure, string]>([
    [
      "money and pace under one status and type",
      said(
        429,
        error(
          "You exceeded your current quota, please check your plan and billing details.",
          "insufficient_quota",
          "insufficient_quota"
        )
      ),
      "BudgetExhausted",
      said(
        429,
        error("Rate limit reached for requests per min. Please try again in 20s.", "rate_limit_exceeded", "requests")
      ),
      "RateLimited"
    ],
    [
      "money under a code of pace",
      said(429, error("Insufficient balance", "rate_limit_exceeded")),
      "BudgetExhausted",
      said(429, error("Quota of 60 requests per minute exceeded", "rate_limit_exceeded")),
      "RateLimited"
    ],
    [
      "a month and a minute",
      said(429, { message: "You are using a Trial key, which is limited to 1000 API calls / month." }),
      "BudgetExhausted",
      said(429, { message: "You are using a Trial key, which is limited to 10 API calls / minute." }),
      "RateLimited"
    ],
    [
      "an empty balance and a list of models by balance",
      said(402, { error: { message: "Insufficient Balance" } }),
      "BudgetExhausted",
      said(429, { error: { message: "Rate limit exceeded: free-models-per-day-high-balance." } }),
      "RateLimited"
    ],
    [
      "advice to pay and a bill unpaid",
      said(429, {
        detail: "You have not yet added your payment method and will have reduced rate limits of 3 RPM and 10K TPM."
      }),
      "RateLimited",
      said(403, { error: { code: "AccountOverdueError", message: "your account has an overdue balance" } }),
      "BudgetExhausted"
    ],
    [
      "tokens in a text and tokens in a minute",
      said(400, error("prompt is too long: 208310 tokens > 200000 maximum")),
      "ContextLengthExceeded",
      said(429, {
        type: "error",
        error: {
          type: "rate_limit_error",
          message: "This request would exceed your organization's rate limit of 40,000 input tokens per minute."
        }
      }),
      "RateLimited"
    ],
    [
      "the input's length and the answer's",
      said(400, error("input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000")),
      "ContextLengthExceeded",
      said(400, error("max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens")),
      "InvalidRequest"
    ],
    [
      "a model unknown and a model unable",
      said(404, error("The model `gpt-99` does not exist", "model_not_found")),
      "ModelNotFound",
      said(
        400,
        error(
          "Unsupported value: 'messages[0].role' does not support 'developer' with this model.",
          "unsupported_value"
        )
      ),
      "InvalidRequest"
    ],
    [
      "a model missing and a route missing",
      said(404, { error: "model \"nomic-embed-text\" not found, try pulling it first" }),
      "ModelNotFound",
      said(404, "404 page not found"),
      "InvalidRequest"
    ],
    [
      "a filter that acted and a filter that only rated",
      said(400, { error: { code: "content_filter", message: "The response was filtered" } }),
      "ContentFiltered",
      said(200, { choices: [], prompt_filter_results: [{ content_filter_results: { hate: { filtered: false } } }] }),
      "MalformedResponse"
    ],
    [
      "the provider's room and the caller's pace",
      said(429, { error: { message: "The engine is currently overloaded", type: "engine_overloaded_error" } }),
      "ProviderUnavailable",
      said(429, {
        error: { message: "Your account request reached organization max RPM: 3", type: "rate_limit_reached_error" }
      }),
      "RateLimited"
    ],
    [
      "a dead key and a missing right within a 403",
      said(403, { error: { code: 403, message: "Your API key was reported as leaked.", status: "PERMISSION_DENIED" } }),
      "AuthenticationFailed",
      said(403, {
        error: { code: 403, message: "Permission denied on resource project x.", status: "PERMISSION_DENIED" }
      }),
      "PermissionDenied"
    ],
    [
      "Chinese for an expired token and for a spent one",
      said(401, { error: { message: "该令牌已过期", type: "one_api_error" } }),
      "AuthenticationFailed",
      said(401, { error: { message: "该令牌额度已用尽", type: "one_api_error" } }),
      "BudgetExhausted"
    ],
    [
      "a number of MiniMax for money and for a window",
      said(200, { base_resp: { status_code: 1008, status_msg: "x" } }),
      "BudgetExhausted",
      said(200, { base_resp: { status_code: 2056, status_msg: "x" } }),
      "RateLimited"
    ],
    [
      "the caller's abort and the caller's clock",
      broke({ name: "AbortError", code: "20", message: "This operation was aborted" }),
      "Cancelled",
      broke({ name: "TimeoutError", code: "23", message: "The operation was aborted due to timeout" }),
      "Timeout"
    ]
  ])("%s", (_, one, oneTag, other, otherTag) => {
    expect([tag(one), tag(other)]).toEqual([oneTag, otherTag])
  })
})

describe("where nothing but the status tells", () => {
  it.each([
    [302, "InvalidRequest"],
    [400, "InvalidRequest"],
    [401, "AuthenticationFailed"],
    [402, "BudgetExhausted"],
    [403, "PermissionDenied"],
    [404, "InvalidRequest"],
    [405, "InvalidRequest"],
    [407, "AuthenticationFailed"],
    [408, "Timeout"],
    [413, "ContextLengthExceeded"],
    [422, "InvalidRequest"],
    [424, "ProviderUnavailable"],
    [425, "ProviderUnavailable"],
    [429, "RateLimited"],
    [451, "PermissionDenied"],
    [499, "Cancelled"],
    [500, "ProviderUnavailable"],
    [501, "InvalidRequest"],
    [502, "ProviderUnavailable"],
    [503, "ProviderUnavailable"],
    [504, "Timeout"],
    [505, "InvalidRequest"],
    [522, "ProviderUnavailable"],
    [524, "Timeout"],
    [529, "ProviderUnavailable"],
    [200, "MalformedResponse"]
  ])("%i is %s", (status, expected) => {
    expect(tag(said(status, ""))).toBe(expected)
    expect(tag(said(status, "<html><body><h1>Oops</h1></body></html>"))).toBe(expected)
  })

  it("believes the status within over a gateway's own 500", () => {
    expect(tag(said(500, { error: { message: "Request failed with status code 429" } }))).toBe("RateLimited")
    expect(tag(said(502, { error: { message: "bad response", code: 401 } }))).toBe("AuthenticationFailed")
    expect(tag(said(500, { error: { message: "bad response", code: 400 } }))).toBe("InvalidRequest")
    expect(tag(said(400, { error: { message: "bad response", status: 402 } }))).toBe("BudgetExhausted")
  })

  it("keeps a refusal's own status over numbers within", () => {
    expect(tag(said(403, { error: { message: "bad response", code: 400 } }))).toBe("PermissionDenied")
  })

  it("halts where a provider says that trying again is useless", () => {
    expect(classify(said(500, "", { headers: { "x-should-retry": "false" } }))).toMatchObject({
      permanent: true,
      status: 500
    })
    expect(classify(said(500, "", { headers: { "x-should-retry": "true" } }))).not.toHaveProperty("permanent")
  })
})

describe("what our own side knows", () => {
  it("names our own clock first", () => {
    expect(recognise({ ...broke({ name: "AbortError", message: "aborted" }), timedOutAfter: 30_000 })).toMatchObject({
      rule: "clock/ours",
      failure: { _tag: "Timeout" }
    })
  })

  it("takes a broken contract for a malformed answer, and an error within it for what it is", () => {
    expect(classify(said(200, "{}", { contract: "expected 32 vectors, got 31" }))).toMatchObject({
      _tag: "MalformedResponse",
      detail: expect.stringContaining("expected 32 vectors, got 31")
    })
    expect(tag(said(200, error("Rate limit reached", "rate_limit_exceeded"), { contract: "no vectors" }))).toBe(
      "RateLimited"
    )
  })

  it("takes an unknown break for the network, and nothing at all for a malformed answer", () => {
    expect(recognise(broke({ name: "Error", message: "boom" })).rule).toBe("transport/unknown")
    expect(recognise({ provider: "x", surface: "chat", auth: "key" }).rule).toBe("unknown")
  })

  it("lets a connection that broke after a 200 be a break", () => {
    expect(
      classify({
        ...broke({ name: "TypeError", message: "terminated" }, {
          name: "SocketError",
          code: "UND_ERR_SOCKET",
          message: "other side closed"
        }),
        status: 200
      })
    )
      .toMatchObject({ _tag: "Network", phase: "receive" })
  })

  it("does not read the model's own words as a failure", () => {
    expect(
      tag(
        said(200, "data: {\"choices\":[{\"delta\":{\"content\":\"rate limit exceeded, insufficient balance\"}}]}\n\n")
      )
    ).toBe("MalformedResponse")
    expect(tag(said(422, { detail: [{ msg: "Field required", input: { text: "insufficient balance" } }] }))).toBe(
      "InvalidRequest"
    )
  })
})

describe("what a failure carries", () => {
  it.each([
    [said(404, { error: "model 'llama9' not found" }), "llama9"],
    [said(404, error("The model `gpt-99` does not exist", "model_not_found")), "gpt-99"],
    [said(404, { error: { type: "not_found_error", message: "model: claude-sonet-4-5" } }), "claude-sonet-4-5"],
    [said(400, { error: { message: "foo/bar-7b is not a valid model ID", code: 400 } }), "foo/bar-7b"],
    [said(404, error("unknown model"), { model: "mine" }), "mine"],
    [said(404, error("unknown model")), ""]
  ])("names the model that was not found", (wire, model) => {
    expect(classify(wire)).toMatchObject({ _tag: "ModelNotFound", model })
  })

  it.each([
    ["This model's maximum context length is 8192 tokens. However, you requested 10240 tokens.", 8192],
    ["prompt is too long: 208310 tokens > 200000 maximum", 200_000],
    ["`inputs` must have less than 512 tokens. Given: 514", 512],
    ["prompt token count of 168929 exceeds the limit of 168000", 168_000],
    ["Range of input length should be [1, 6000]", 6000],
    ["The input token count (1200014) exceeds the maximum number of tokens allowed (1,048,576).", 1_048_576]
  ])("names the limit in %s", (message, limit) => {
    expect(classify(said(400, error(message)))).toMatchObject({ _tag: "ContextLengthExceeded", limit })
  })

  it("says when a budget renews", () => {
    const failure = classify(
      said(
        400,
        error("You have reached your specified API usage limits. You will regain access on 2026-04-01 at 00:00 UTC.")
      )
    )
    expect(failure).toMatchObject({ _tag: "BudgetExhausted", resetsAt: DateTime.unsafeMake("2026-04-01T00:00:00Z") })
  })

  it("says nothing of a renewal that nobody named", () => {
    expect(classify(said(402, { error: { message: "Insufficient Balance" } }))).not.toHaveProperty("resetsAt")
  })

  it("marks a request that no window ever fits", () => {
    expect(
      classify(
        said(
          429,
          error(
            "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 31538.",
            "rate_limit_exceeded",
            "tokens"
          )
        )
      )
    )
      .toMatchObject({ _tag: "RateLimited", tooLarge: true })
    expect(
      classify(
        said(
          429,
          error(
            "Rate limit reached on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.",
            "rate_limit_exceeded",
            "tokens"
          )
        )
      )
    )
      .not.toHaveProperty("tooLarge")
  })

  it("keeps keys and addresses out of the detail", () => {
    const { detail } = classify(
      said(
        401,
        error(
          "Incorrect API key provided: sk-proj-abcdefghijklmnopqrstuvwx. See https://a:b@x.example/keys?id=1",
          "invalid_api_key"
        )
      )
    )
    expect(detail).toContain("Incorrect API key provided: [hidden]")
    expect(detail).not.toMatch(/sk-|a:b|id=1/)
  })
})
