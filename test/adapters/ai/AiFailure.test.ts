import * as AiError from "@effect/ai/AiError"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Failure } from "../../../src/domain/failure/Failure.js"
import { heard } from "../../support/Chats.js"
import { ending, saying, scripted, text } from "../../support/LanguageModels.js"
import { user } from "../../support/Messages.js"

const messages = [user("Hi")]
const secret = "sk-ant-api03-abcdefghijklmnop0123456789"
const where = { module: "House", method: "streamText" }
const request = {
  method: "POST",
  url: `https://house.example/v1?key=${secret}`,
  urlParams: [],
  hash: Option.none(),
  headers: { "x-api-key": secret }
} as const

const response = (
  status: number,
  body?: string,
  headers: Readonly<Record<string, string>> = {},
  reason: "StatusCode" | "Decode" | "EmptyBody" = "StatusCode"
) => new AiError.HttpResponseError({ ...where, request, response: { status, headers }, reason, body })

const transport = (cause: unknown) =>
  AiError.HttpRequestError.fromRequestError({
    ...where,
    error: new HttpClientError.RequestError({
      request: HttpClientRequest.post(request.url).pipe(HttpClientRequest.setHeaders(request.headers)),
      reason: "Transport",
      cause
    })
  })

const overload = { type: "overloaded_error", message: `Overloaded ${secret}` }

const errors: ReadonlyArray<readonly [name: string, error: AiError.AiError, failure: Partial<Failure>]> = [
  [
    "a 429",
    response(429, JSON.stringify({ error: { message: "slow down" } }, null, 2), { "Retry-After": "7" }),
    { _tag: "RateLimited", retryAfter: Duration.seconds(7), detail: "slow down" }
  ],
  ["a 429 in words", response(429, "\"slow down\""), { _tag: "RateLimited", detail: "slow down" }],
  [
    "a 401",
    response(401, JSON.stringify({ error: { type: "authentication_error", message: `invalid x-api-key ${secret}` } })),
    { _tag: "AuthenticationFailed", detail: "invalid x-api-key [hidden]" }
  ],
  ["a 529", response(529, JSON.stringify({ type: "error", error: overload })), { _tag: "ProviderUnavailable" }],
  ["a 503 that says nothing", response(503), { _tag: "ProviderUnavailable", status: 503 }],
  [
    "a 400 about length",
    response(400, JSON.stringify({ error: { code: "context_length_exceeded", message: "too long" } })),
    { _tag: "ContextLengthExceeded" }
  ],
  ["an empty body", response(200, undefined, {}, "EmptyBody"), { _tag: "MalformedResponse" }],
  [
    "a body that broke off, its error printed with the request in it",
    response(
      200,
      JSON.stringify({ request: { body: `insufficient_quota ${secret}` }, reason: "Decode" }),
      {},
      "Decode"
    ),
    { _tag: "Network", phase: "receive", detail: "terminated" }
  ],
  [
    "a refused connection",
    transport(Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:9"), { code: "ECONNREFUSED" })),
    { _tag: "Network", phase: "connect" }
  ],
  [
    "an address that is none",
    new AiError.HttpRequestError({ ...where, request, reason: "InvalidUrl", description: `no host in ?key=${secret}` }),
    { _tag: "InvalidRequest" }
  ],
  [
    "malformed input",
    new AiError.MalformedInput({ ...where, description: "files of this type are not supported" }),
    { _tag: "InvalidRequest", detail: "files of this type are not supported" }
  ],
  [
    "malformed output, whose words quote the answer",
    new AiError.MalformedOutput({ ...where, description: "insufficient_quota", cause: new Error("429 rate limit") }),
    { _tag: "MalformedResponse" }
  ],
  [
    "an unknown error around an SDK's",
    new AiError.UnknownError({
      ...where,
      cause: Object.assign(new Error("quota"), { status: 429, error: { code: "insufficient_quota" } })
    }),
    { _tag: "BudgetExhausted" }
  ],
  [
    "an unknown error in words",
    new AiError.UnknownError({ ...where, description: "read ECONNRESET" }),
    { _tag: "Network" }
  ]
]

describe("an error of a LanguageModel", () => {
  it.effect.each(errors)("is classified: %s", ([, error, expected]) =>
    Effect.gen(function*() {
      const { provider } = yield* scripted(() => Stream.concat(Stream.make(text("So")), Stream.fail(error)))
      const { failure, parts } = yield* heard(provider, { messages })
      expect(parts).toEqual([{ _tag: "Text", text: "So" }])
      expect(failure).toMatchObject({ provider: "house", ...expected })
      expect(`${JSON.stringify(failure)} ${String(failure)}`).not.toContain(secret)
    }))

  it.effect.each<readonly [string, unknown, Failure["_tag"]]>([
    ["an object", overload, "ProviderUnavailable"],
    ["an envelope", { type: "error", error: { code: 429, message: "Rate limit exceeded" } }, "RateLimited"],
    ["words", "Overloaded", "ProviderUnavailable"],
    [
      "a thrown one",
      Object.assign(new Error("no credit"), { status: 402, error: { message: "Insufficient credits" } }),
      "BudgetExhausted"
    ],
    ["nothing", undefined, "MalformedResponse"]
  ])("is classified in the stream too: %s", ([, error, tag]) =>
    Effect.gen(function*() {
      const { provider } = yield* saying(text("So"), { type: "error", error }, ending())
      const { failure, parts } = yield* heard(provider, { messages })
      expect([failure?._tag, parts]).toEqual([tag, [{ _tag: "Text", text: "So" }]])
      expect(JSON.stringify(failure)).not.toContain(secret)
    }))

  it.effect("is an ending that is none", () =>
    Effect.gen(function*() {
      const filtered = yield* heard((yield* saying(text("So"), ending("content-filter"))).provider, { messages })
      expect([filtered.failure?._tag, filtered.parts.length]).toEqual(["ContentFiltered", 1])
      const broken = yield* heard((yield* saying(ending("error"))).provider, { messages })
      expect(broken.failure?._tag).toBe("MalformedResponse")
    }))
})
