import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { classify, recognise } from "../../../src/domain/failure/classify.js"
import type { WireFailure } from "../../../src/domain/failure/WireFailure.js"

/** What a failure carries beside its class. */

const wire = (more: Partial<WireFailure>): WireFailure => ({ provider: "acme", surface: "chat", auth: "key", ...more })

const detail = (more: Partial<WireFailure>) => classify(wire(more)).detail
const missing = (message: string, model?: string) =>
  wire({
    status: 404,
    body: JSON.stringify({ error: { message, code: "model_not_found" } }),
    ...(model === undefined ? {} : { model })
  })
const tooLong = (body: unknown) => wire({ status: 400, body: typeof body === "string" ? body : JSON.stringify(body) })

describe("the detail", () => {
  it.each<[string, Partial<WireFailure>, string]>([
    [
      "is what the envelope says",
      { status: 400, body: "{\"error\":{\"message\":\" no such field \"}}" },
      "no such field"
    ],
    ["is the body where it is no envelope", { status: 500, body: "  upstream went away\n" }, "upstream went away"],
    ["is the status where nobody has words", { status: 503 }, "HTTP 503"],
    ["is the status where the body is blank", { status: 503, body: " \n " }, "HTTP 503"],
    ["is nothing where nothing is known", {}, ""],
    [
      "keeps the status whose phrase was read",
      { body: "HTTP 429 Too Many Requests: try again in 20s" },
      "HTTP 429: try again in 20s"
    ],
    ["keeps the status where there is no more", { body: "HTTP/1.1 503 Service Unavailable" }, "HTTP 503"],
    [
      "keeps the status that a client wraps",
      { body: "API error (429 Too Many Requests): slow" },
      "API error (429): slow"
    ],
    ["is how the connection broke, link by link", {
      transport: [{ message: "fetch failed" }, { code: "ECONNREFUSED", message: "connect 127.0.0.1:9" }]
    }, "fetch failed; ECONNREFUSED connect 127.0.0.1:9"],
    ["leaves out what a link does not have", { transport: [{ code: "ECONNRESET" }] }, "ECONNRESET"],
    ["is how the connection broke, before words that came without a status", {
      transport: [{ code: "EPIPE", message: "write" }],
      body: "half an answer"
    }, "EPIPE write"],
    ["is what the provider said and how the connection broke, where it answered before the connection broke", {
      status: 500,
      transport: [{ code: "ECONNRESET", message: "read" }],
      body: "{\"error\":{\"message\":\"worker died\"}}"
    }, "worker died read"],
    ["is how the connection broke, where the answer was empty and the break has no words", {
      status: 200,
      transport: [{ code: "ECONNRESET" }]
    }, "ECONNRESET"],
    ["begins with what the answer was against", {
      status: 200,
      contract: "expected 2 vectors, got 1",
      body: "[[1]]"
    }, "expected 2 vectors, got 1: [[1]]"],
    ["is on one line", { status: 500, body: "a\n\n  b\tc" }, "a b c"]
  ])("%s", (_, failed, words) => {
    expect(detail(failed)).toBe(words)
  })

  it("is cut to 300 characters, and looks at the first 20,000 alone", () => {
    expect(detail({ status: 500, body: "x y ".repeat(75) })).toHaveLength(299)
    const cut = detail({ status: 500, body: "x y ".repeat(100) })
    expect([cut.length, cut.endsWith("…")]).toEqual([300, true])
    expect(detail({ status: 500, body: `${" ".repeat(20_000)}late` })).toBe("late")
    expect(detail({ status: 500, body: `early${" ".repeat(20_000)}late` })).toBe("early")
  })
})

describe("a missing model", () => {
  it.each([
    ["The model `gpt-9-mini` does not exist", "gpt-9-mini"],
    ["model not found: model: llama9:8b.", "llama9:8b"],
    ["models/gemini-9-pro is not found for API version v1beta", "gemini-9-pro"],
    ["acme/big-9 is not a valid model ID", "acme/big-9"],
    ["模型 qwen-99 不存在", "qwen-99"],
    ["The requested model is not available", ""]
  ])("is named by the provider's words: %s", (message, model) => {
    expect(classify(missing(message))).toMatchObject({ _tag: "ModelNotFound", model })
  })

  it("is the one that was asked for, where that is known", () => {
    expect(classify(missing("The model `other-1` does not exist", "asked-1"))).toMatchObject({ model: "asked-1" })
    expect(classify(missing("The model `other-1` does not exist", ""))).toMatchObject({ model: "other-1" })
  })

  it("has a name without the sentence's stops at its end, and with those inside it", () => {
    expect(classify(missing("The model: acme-1.5.. was removed"))).toMatchObject({ model: "acme-1.5" })
  })

  it("has a name of 120 characters at most, fit to be stored", () => {
    const name = `acme/${"m".repeat(150)}`
    expect(classify(missing(`${name} is not a valid model ID`))).toMatchObject({ model: `acme/${"m".repeat(114)}…` })
    expect(classify(missing("the model `mini\u0000-1\ud83d` does not exist"))).toMatchObject({ model: "mini-1\ufffd" })
  })
})

describe("a text that is too long", () => {
  const exceeded = (message: string, more: object = {}) => ({
    error: { message, code: "context_length_exceeded", ...more }
  })

  it.each<[string, unknown, number | undefined]>([
    ["from the sentence", exceeded("This model's maximum context length is 8,192 tokens, you asked for 9000"), 8192],
    ["from a field", exceeded("The input is too long", { n_ctx: 4096 }), 4096],
    ["from a field before the sentence", exceeded("maximum context length is 100 tokens", { n_ctx: 4096 }), 4096],
    ["not from a field that only sounds like it", exceeded("too long", { limits: 7, rate_limit: 9 }), undefined],
    ["not where it is none", exceeded("too long", { n_ctx: 0 }), undefined],
    ["not where it is no number", exceeded("too long", { n_ctx: "unlimited" }), undefined],
    ["nowhere where nobody says it", exceeded("The input is too long"), undefined]
  ])("has its limit %s", (_, body, limit) => {
    const failure = classify(tooLong(body))
    expect(failure._tag).toBe("ContextLengthExceeded")
    expect("limit" in failure ? failure.limit : undefined).toBe(limit)
    expect(Object.hasOwn(failure, "limit")).toBe(limit !== undefined)
  })
})

describe("a time-out of ours", () => {
  it.each<[number, number | undefined]>([[1500, 1500], [0, 0], [-1, undefined]])(
    "after %d ms says so",
    (after, told) => {
      const failure = classify(
        wire({ timedOutAfter: after, transport: [{ name: "TimeoutError", message: "timed out" }] })
      )
      expect(failure._tag).toBe("Timeout")
      expect("after" in failure && failure.after !== undefined ? Duration.toMillis(failure.after) : undefined).toBe(
        told
      )
    }
  )

  it("says nothing of a time that nobody measured", () => {
    const failure = classify(wire({ transport: [{ code: "ETIMEDOUT", message: "connect" }] }))
    expect(failure._tag).toMatch(/Timeout|Network/)
    expect(Object.hasOwn(failure, "after")).toBe(false)
  })
})

describe("a provider that cannot serve", () => {
  it("carries its status, where there is one", () => {
    const failure = classify(wire({ status: 503, body: "down" }))
    expect(failure).toMatchObject({ _tag: "ProviderUnavailable", status: 503 })
    const unread = classify(wire({ status: Number.NaN, body: "{\"error\":{\"type\":\"overloaded_error\"}}" }))
    expect(unread._tag).toBe("ProviderUnavailable")
    expect(Object.hasOwn(unread, "status")).toBe(false)
    const unsaid = classify(wire({ body: "The service is temporarily unavailable" }))
    expect(unsaid._tag).toBe("ProviderUnavailable")
    expect(Object.hasOwn(unsaid, "status")).toBe(false)
  })

  it("carries a wait only where one was named", () => {
    expect(Object.hasOwn(classify(wire({ status: 503, body: "down" })), "retryAfter")).toBe(false)
    expect(classify(wire({ status: 503, body: "down", headers: { "retry-after": "7" } }))).toMatchObject({
      retryAfter: Duration.seconds(7)
    })
  })
})

describe("a connection that broke", () => {
  it("is of unknown phase where nothing tells it", () => {
    expect(classify(wire({ transport: [{ message: "something odd" }] }))).toMatchObject({
      _tag: "Network",
      phase: "unknown"
    })
  })

  it("within an answer that had begun well is judged by how it broke", () => {
    const broken = [{ code: "ECONNRESET", message: "read" }]
    expect(classify(wire({ status: 200, transport: broken }))._tag).toBe("Network")
    expect(classify(wire({ status: 299, transport: broken }))._tag).toBe("Network")
    expect(recognise(wire({ status: 300, transport: broken })).rule).not.toBe(
      recognise(wire({ status: 299, transport: broken })).rule
    )
    expect(classify(wire({ status: 401, body: "{\"error\":\"Unauthorized\"}", transport: broken }))._tag).toBe(
      "AuthenticationFailed"
    )
  })
})
