import { describe, expect, it } from "@effect/vitest"
import { recognise } from "../../../../src/domain/failure/classify.js"
import { answer, broken, ruleOf, verdictOf } from "../wires.js"

/** Words that tell nothing, so that the status has to. */
const mute = "It did not work out."

const wrapped = (code: number | string, message = mute) => ({ error: { code, message } })

describe("a status that nothing else explains", () => {
  it.each<readonly [number, string]>([
    [199, "unknown MalformedResponse"],
    [200, "success/malformed MalformedResponse"],
    [299, "success/malformed MalformedResponse"],
    [300, "status/redirect InvalidRequest"],
    [302, "status/redirect InvalidRequest"],
    [399, "status/redirect InvalidRequest"],
    [400, "status/4xx InvalidRequest"],
    [401, "status/401 AuthenticationFailed"],
    [402, "status/402 BudgetExhausted"],
    [403, "status/403 PermissionDenied"],
    [404, "status/4xx InvalidRequest"],
    [407, "status/401 AuthenticationFailed"],
    [408, "status/timeout Timeout"],
    [409, "status/4xx InvalidRequest"],
    [413, "status/413 ContextLengthExceeded"],
    [420, "status/429 RateLimited"],
    [422, "status/4xx InvalidRequest"],
    [424, "status/transient-4xx ProviderUnavailable"],
    [425, "status/transient-4xx ProviderUnavailable"],
    [426, "status/4xx InvalidRequest"],
    [428, "status/4xx InvalidRequest"],
    [429, "status/429 RateLimited"],
    [430, "status/4xx InvalidRequest"],
    [451, "status/403 PermissionDenied"],
    [498, "status/4xx InvalidRequest"],
    [499, "google/cancelled Cancelled"],
    [500, "status/5xx ProviderUnavailable"],
    [501, "status/not-implemented InvalidRequest"],
    [502, "status/5xx ProviderUnavailable"],
    [503, "status/5xx ProviderUnavailable"],
    [504, "status/timeout Timeout"],
    [505, "status/not-implemented InvalidRequest"],
    [506, "status/5xx ProviderUnavailable"],
    [524, "status/timeout Timeout"],
    [598, "status/timeout Timeout"],
    [599, "status/5xx ProviderUnavailable"],
    [600, "unknown MalformedResponse"]
  ])("is judged by its number: %i is %s", (status, verdict) => {
    expect(verdictOf(answer(status, mute))).toBe(verdict)
  })

  it("is unknown where there is none", () => {
    expect(verdictOf(answer(undefined, mute))).toBe("unknown MalformedResponse")
  })
})

describe("a status that the body names within another", () => {
  it.each<readonly [string, number | undefined, unknown, string]>([
    ["text alone is judged by the status it names", undefined, wrapped(402), "status/402"],
    ["text alone tells a hang-up", undefined, wrapped(499), "status/client-closed"],
    ["a success gives way to the error's status", 200, wrapped(503), "status/5xx"],
    ["a success gives way to a refusal of the request", 200, wrapped(409), "status/4xx"],
    ["a redirect gives way too", 302, wrapped(429), "status/429"],
    ["the last redirect gives way too", 399, wrapped(429), "status/429"],
    ["a gateway's 500 gives way to 401", 500, wrapped(401), "status/401"],
    ["a gateway's 500 gives way to 402", 500, wrapped(402), "status/402"],
    ["a gateway's 500 gives way to 403", 500, wrapped(403), "status/403"],
    ["a gateway's 502 gives way to 404", 502, wrapped(404), "status/4xx"],
    ["a gateway's 502 gives way to 408", 502, wrapped(408), "status/timeout"],
    ["a gateway's 503 gives way to 413", 503, wrapped(413), "status/413"],
    ["a gateway's 500 gives way to 429", 500, wrapped(429), "status/429"],
    ["a gateway's 500 gives way to 400", 500, wrapped(400), "status/4xx"],
    ["a gateway's 500 gives way to 422", 500, wrapped(422), "status/4xx"],
    ["a gateway's 500 keeps its trouble beside a conflict", 500, wrapped(409), "status/5xx"],
    ["a gateway's 500 keeps its trouble beside a region block", 500, wrapped(451), "status/5xx"],
    ["a gateway's 500 keeps its trouble beside another 5xx", 500, wrapped(501), "status/5xx"],
    [
      "a telling status counts before a bare 400",
      500,
      { code: 400, error: { code: 429, message: mute } },
      "status/429"
    ],
    ["a bare 400 gives way to 429", 400, wrapped(429), "status/429"],
    ["a bare 400 gives way to 402", 400, wrapped(402), "status/402"],
    ["a bare 400 gives way to 401", 400, wrapped(401), "status/401"],
    ["a bare 400 stays beside a 5xx", 400, wrapped(503), "status/4xx"],
    ["a bare 400 stays beside 413", 400, wrapped(413), "status/4xx"],
    ["a 404 says enough by itself", 404, wrapped(429), "status/4xx"],
    ["a 403 says enough by itself", 403, wrapped(402), "status/403"],
    ["a 424 says enough by itself", 424, wrapped(401), "status/transient-4xx"]
  ])("%s", (_, status, body, rule) => {
    expect(ruleOf(answer(status, body))).toBe(rule)
  })
})

describe("x-should-retry", () => {
  const headers = { "x-should-retry": "false" }

  it.each([500, 503, 529])("makes a %i permanent where it says false", (status) => {
    const { failure, rule } = recognise(answer(status, mute, { headers }))
    expect(rule).toBe("status/no-retry")
    expect(failure).toMatchObject({ _tag: "ProviderUnavailable", permanent: true, status })
  })

  it.each<readonly [string, number | undefined, Readonly<Record<string, string>>, string]>([
    ["a 5xx where it says true", 503, { "x-should-retry": "true" }, "status/5xx"],
    ["a 5xx where another header says false", 503, { "x-cache": "false" }, "status/5xx"],
    ["a 4xx", 409, headers, "status/4xx"],
    ["the highest 4xx", 498, headers, "status/4xx"],
    ["a success", 200, headers, "success/malformed"],
    ["text without a status", undefined, headers, "unknown"]
  ])("changes nothing in %s", (_, status, said, rule) => {
    expect(ruleOf(answer(status, mute, { headers: said }))).toBe(rule)
  })
})

describe("an error within a success that has no number", () => {
  const typed = (type: string) => ({ error: { type, message: mute } })

  it.each([
    "invalid_request_error",
    "INVALID_ARGUMENT",
    "BadRequest",
    "BadRequestError",
    "ValidationError",
    "ValidationException",
    "InvalidParameter",
    "invalid_parameter_error",
    "UnprocessableEntity",
    "UnprocessableEntityError",
    "NotFound",
    "not_found_error"
  ])("blames the request by its type %s", (type) => {
    expect(verdictOf(answer(200, typed(type)))).toBe("status/typed-refusal InvalidRequest")
    expect(verdictOf(answer(undefined, typed(type)))).toBe("status/typed-refusal InvalidRequest")
  })

  it.each([
    "api_error",
    "upstream_error",
    "provider_error",
    "internal_inference_error"
  ])("blames the server by its type %s", (type) => {
    expect(verdictOf(answer(200, typed(type)))).toBe("status/typed-fault ProviderUnavailable")
    expect(verdictOf(answer(undefined, typed(type)))).toBe("status/typed-fault ProviderUnavailable")
  })

  it.each(["server_error", "internal_error", "internal_server_error", "model_error"])(
    "is the provider's trouble by a type that is known under every status: %s",
    (type) => {
      expect(verdictOf(answer(200, typed(type)))).toBe("capacity/code ProviderUnavailable")
    }
  )

  it.each([
    "cache_not_found",
    "not_found_in_cache",
    "no_bad_request",
    "bad_request_line",
    "legacy_api_error",
    "api_error_budget",
    "internal_note",
    "terminal_errors"
  ])("blames nobody by a type that only holds such a word: %s", (type) => {
    expect(ruleOf(answer(200, typed(type)))).toBe("success/malformed")
  })
})

describe("Cloudflare's rate rule", () => {
  it.each<readonly [string, string]>([
    ["as a client without a browser gets it", "error code: 1015"],
    ["as a heading", "Error 1015"],
    ["without the colon", "error code 1015"],
    ["without the blank", "error code:1015"],
    ["run together", "error:1015"],
    ["on a page", "<!DOCTYPE html><title>Error 1015 | acme.ai</title><p>You asked for too much</p>"],
    ["within the head of a long page", `<html>${" ".repeat(7_000)}<h1>Error 1015</h1></html>`]
  ])("is pace: %s", (_, body) => {
    expect(verdictOf(answer(429, body))).toBe("edge/cloudflare-limit RateLimited")
  })

  it("is heard through a client's wrapping", () => {
    expect(ruleOf(broken({ message: "acme: error code: 1015" }))).toBe("edge/cloudflare-limit")
  })

  it.each<readonly [string, string]>([
    ["a longer number", "error code: 10150"],
    ["a longer word", "terror 1015"],
    ["a number of its own", "1015 answers"],
    ["the end of a flood", `<html>${" ".repeat(8_000)}<h1>Error 1015</h1></html>`]
  ])("is not read out of %s", (_, body) => {
    expect(ruleOf(answer(404, body))).toBe("status/4xx")
  })
})

describe("Cloudflare's refusal", () => {
  it.each([1005, 1006, 1007, 1008, 1009, 1010, 1012, 1020])("names an address or client: %i", (code) => {
    expect(verdictOf(answer(403, `error code: ${code}`))).toBe("edge/cloudflare-block PermissionDenied")
  })

  it.each<readonly [string, number, string]>([
    ["as a heading", 403, "Error 1020"],
    ["without the colon", 403, "error code 1020"],
    ["without the blank", 403, "error code:1020"],
    ["on a page", 403, "<html><title>Error 1020</title></html>"],
    ["under 401", 401, "error code: 1010"],
    ["under 429", 429, "error code: 1010"],
    ["under 503", 503, "error code: 1010"],
    ["a challenge", 403, "<!DOCTYPE html><html><title>Just a moment...</title></html>"],
    ["a challenge under 503", 503, "<html><body>Enable JavaScript and cookies to continue</body></html>"],
    ["a challenge by its class", 403, "<html><body><div class=\"cf-challenge\"></div></body></html>"],
    ["a page that asks for attention", 403, "<html><title>Attention Required! | Cloudflare</title></html>"],
    ["a page that blocks", 429, "<html><h1>Sorry, you have been blocked</h1></html>"]
  ])("is no matter of keys or pace: %s", (_, status, body) => {
    expect(verdictOf(answer(status, body))).toBe("edge/cloudflare-block PermissionDenied")
  })

  it.each<readonly [string, number, string, string]>([
    ["1011 is the site's own", 403, "error code: 1011", "status/403"],
    ["a longer number is another", 403, "error code: 10200", "status/403"],
    ["a page of another kind is the edge's own trouble", 503, "<html><title>Maintenance</title></html>", "status/5xx"],
    ["a page without such words is a plain refusal", 403, "<html><title>Sorry</title></html>", "status/403"],
    ["words of a challenge that are no page are anybody's", 403, "Just a moment, please.", "status/403"],
    ["a status that it does not use is another's", 404, "error code: 1020", "status/4xx"],
    [
      "a challenge far down a page is not looked for",
      403,
      `<html>${" ".repeat(8_000)}Just a moment</html>`,
      "status/403"
    ]
  ])("is told apart: %s", (_, status, body, rule) => {
    expect(ruleOf(answer(status, body))).toBe(rule)
  })
})
