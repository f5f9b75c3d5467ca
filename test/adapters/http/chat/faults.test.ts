import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { FailureTag } from "../../../../src/domain/failure/Failure.js"
import { chatOf, heard, textOf, wires } from "../../../support/Chats.js"
import type { Settings } from "../../../support/Chats.js"
import type { Fault } from "../../../support/ChatServer.js"
import { user } from "../../../support/Messages.js"

const request = { messages: [user("Hi")] }

const answer = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Fault => ({
  kind: "answer",
  status,
  body,
  headers
})

const json = (value: unknown) => JSON.stringify(value)

const refusals: ReadonlyArray<readonly [name: string, fault: Fault, tag: FailureTag]> = [
  [
    "a 429 about pace",
    answer(429, json({ error: { message: "Rate limit reached, try again in 20s", code: "rate_limit_exceeded" } })),
    "RateLimited"
  ],
  [
    "a 429 about money",
    answer(429, json({ error: { message: "You exceeded your current quota", type: "insufficient_quota" } })),
    "BudgetExhausted"
  ],
  [
    "a 400 about money",
    answer(
      400,
      json({ type: "error", error: { type: "invalid_request_error", message: "Your credit balance is too low" } })
    ),
    "BudgetExhausted"
  ],
  [
    "a 401",
    answer(401, json({ error: { message: "Incorrect API key", code: "invalid_api_key" } })),
    "AuthenticationFailed"
  ],
  [
    "a 400 about length",
    answer(
      400,
      json({
        error: { message: "This model's maximum context length is 8192 tokens", code: "context_length_exceeded" }
      })
    ),
    "ContextLengthExceeded"
  ],
  [
    "a 529",
    answer(529, json({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } })),
    "ProviderUnavailable"
  ],
  ["a 503 without words", answer(503, ""), "ProviderUnavailable"],
  ["a 504", answer(504, "<html>Gateway Time-out</html>", { "content-type": "text/html" }), "Timeout"],
  ["a redirect", answer(308, "", { location: "https://elsewhere.example/v1/chat" }), "InvalidRequest"],
  [
    "an error in a 200",
    answer(200, json({ error: { message: "The server is overloaded", type: "server_error", code: 503 } })),
    "ProviderUnavailable"
  ],
  [
    "money that is gone, in a 200",
    answer(200, json({ error: { message: "Insufficient credits", code: 402 } })),
    "BudgetExhausted"
  ],
  [
    "a web page in a 200",
    answer(200, "<!doctype html><title>Sign in</title>", { "content-type": "text/html" }),
    "MalformedResponse"
  ],
  ["an empty 200", answer(200, ""), "MalformedResponse"],
  ["another JSON in a 200", answer(200, "{\"status\":\"ok\"}"), "MalformedResponse"],
  ["words in a 200", answer(200, "Hello there"), "MalformedResponse"],
  ["a reset", { kind: "reset" }, "Network"],
  ["silence", { kind: "hang" }, "Timeout"]
]

/** Errors as they stand in streams: what OpenRouter, Anthropic, vLLM and Ollama send once an answer has begun. */
const errors: ReadonlyArray<readonly [name: string, document: string, tag: FailureTag]> = [
  [
    "overloaded",
    json({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
    "ProviderUnavailable"
  ],
  ["pace", json({ error: { message: "Rate limit exceeded", code: 429 } }), "RateLimited"],
  ["money", json({ error: { message: "Insufficient credits", code: 402 } }), "BudgetExhausted"],
  ["a filter", json({ error: { message: "The content was filtered", code: "content_filter" } }), "ContentFiltered"],
  ["a runner that died", json({ error: "llama runner process has terminated: CUDA error" }), "ProviderUnavailable"]
]

describe.each(wires)("trouble over the wire of $name", ({ event, frames, layer, start, text, whole }) => {
  const pair = (fault: Fault, settings: Partial<Settings> = {}) =>
    Effect.gen(function*() {
      const server = yield* start({ fault: ({ number }) => number === 1 ? fault : undefined })
      return { server, provider: yield* chatOf(layer, { url: server.url, concurrency: 1, ...settings }) }
    })

  it.scopedLive.each(refusals)("is classified: %s", ([, fault, tag]) =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair(fault, tag === "Timeout" ? { firstTokenTimeout: "150 millis" } : {})
      const { failure, parts } = yield* heard(provider, request)
      expect(failure?._tag).toBe(tag)
      expect(parts).toEqual([])
      expect((yield* heard(yield* chatOf(layer, { url: server.url }), request)).failure).toBeNull()
    }))

  it.scopedLive("names the setting of an address that redirects", () =>
    Effect.gen(function*() {
      const { provider } = yield* pair(answer(308, "", { location: "https://elsewhere.example/else" }))
      expect((yield* heard(provider, request)).failure).toMatchObject({ _tag: "InvalidRequest", setting: "chat.url" })
    }))

  for (const [name, document, tag] of errors) {
    it.scopedLive(`is classified in the middle of an answer: ${name}, with what was said before`, () =>
      Effect.gen(function*() {
        for (let after = 0; after < whole; after++) {
          const { provider } = yield* pair({ kind: "frame", after, text: event(document) })
          const { failure, parts } = yield* heard(provider, request)
          expect([after, failure?._tag]).toEqual([after, tag])
          expect(textOf(parts)).toBe(["Hello", ", ", "world"].slice(0, Math.max(0, after - text)).join(""))
          expect(parts.some(({ _tag }) => _tag === "Finish")).toBe(false)
          expect((yield* heard(provider, request)).failure).toBeNull()
        }
      }))
  }

  const breaks: ReadonlyArray<readonly [name: string, fault: (after: number) => Fault, tag: FailureTag]> = [
    ["is reset", (after) => ({ kind: "reset", after }), "Network"],
    ["ends early", (after) => ({ kind: "cut", after }), "MalformedResponse"],
    ["falls silent", (after) => ({ kind: "hang", after }), "Timeout"],
    ["is kept open by pings", (after) => ({ kind: "ping", after }), "Timeout"],
    [
      "breaks off within an event",
      (after) => ({ kind: "frame", after, text: event("{\"model\":\"m-1\",\"cho").trimEnd() }),
      "MalformedResponse"
    ],
    ["holds what is no JSON", (after) => ({ kind: "frame", after, text: event("what{") }), "MalformedResponse"]
  ]
  for (const [name, faultAt, tag] of breaks) {
    it.scopedLive(`is known at each place of an answer that ${name}, and the next one is whole`, () =>
      Effect.gen(function*() {
        for (let after = 0; after <= frames; after++) {
          const isSilent = tag === "Timeout" && after < frames
          const limits = isSilent ? { firstTokenTimeout: "150 millis", tokenTimeout: "150 millis" } as const : {}
          const { provider, server } = yield* pair(faultAt(after), limits)
          const { failure, parts } = yield* heard(provider, request)
          const isWhole = parts.at(-1)?._tag === "Finish"
          expect(failure === null).toBe(isWhole)
          if (after < whole) expect([after, failure?._tag]).toEqual([after, tag])
          if (after === frames) expect([after, isWhole]).toEqual([after, true])
          if (isWhole) expect(textOf(parts)).toBe("Hello, world")
          const next = isSilent ? yield* chatOf(layer, { url: server.url }) : provider
          expect((yield* heard(next, request)).failure).toBeNull()
        }
      }))
  }
})
