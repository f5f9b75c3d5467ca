import { describe, expect, it } from "@effect/vitest"
import type { WireFailure } from "../../../../src/domain/failure/WireFailure.js"
import { answer, broken, ruleOf, verdictOf } from "../wires.js"

const bySession = { provider: "openhuman-backend", auth: "session" } as const

describe("a 401 in the back end's own envelope", () => {
  it.each<readonly [string, unknown]>([
    ["an invalid token", { success: false, error: "Invalid token" }],
    ["an expired token", { success: false, error: "Token expired" }],
    ["words with blanks around them", { success: false, error: " Invalid token\n" }],
    ["the code alone", { success: false, error: "Unauthorized", errorCode: "TOKEN_EXPIRED" }],
    ["the code in lower case, with blanks", { success: false, errorCode: " token_expired " }]
  ])("ends the session whichever client relays it: %s", (_, body) => {
    expect(verdictOf(answer(401, body))).toBe("session/own-envelope SessionExpired")
  })

  it.each<readonly [string, unknown]>([
    ["no word on success", { error: "Invalid token" }],
    ["another flag that is false", { retryable: false, error: "Invalid token" }],
    ["a success that is a word", { success: "no", error: "Invalid token" }],
    ["a success further in", { data: { success: false }, error: "Invalid token" }],
    ["words that begin alike", { success: false, error: "Invalid token for model acme-large" }],
    ["words that end alike", { success: false, error: "Your upstream reports: invalid token" }],
    ["the right words in another place", { success: false, message: "Invalid token" }],
    ["another error", { success: false, error: "Unauthorized" }],
    ["a code that begins alike", { success: false, error: "Unauthorized", errorCode: "TOKEN_EXPIRED_UPSTREAM" }],
    ["a code that ends alike", { success: false, error: "Unauthorized", errorCode: "UPSTREAM_TOKEN_EXPIRED" }],
    ["another code", { success: false, error: "Unauthorized", errorCode: "KEY_REVOKED" }],
    ["the code in another place", { success: false, error: "Unauthorized", code: "TOKEN_EXPIRED" }]
  ])("signs nobody out where a key was sent and something is amiss: %s", (_, body) => {
    expect(verdictOf(answer(401, body))).toMatch(/ AuthenticationFailed$/)
  })

  it("is no end of a session under another status", () => {
    expect(ruleOf(answer(403, { success: false, error: "Invalid token" }))).not.toMatch(/^session/)
  })
})

describe("a 401 of a provider that authenticates by session", () => {
  it.each<readonly [string, unknown]>([
    ["an empty body", ""],
    ["any other words", { error: { message: "Please sign in again" } }],
    ["a scope", { error: { message: "The key sent is for another region" } }],
    ["words that only look like a key's", { error: { message: "rapid api_keyboard layout is gone" } }]
  ])("ends the session: %s", (_, body) => {
    expect(verdictOf(answer(401, body, bySession))).toBe("session/401 SessionExpired")
  })

  it.each<readonly [string, unknown]>([
    ["the code of a key", { error: { code: "invalid_api_key", message: "The credentials are wrong" } }],
    ["the class of a dead login elsewhere", { __type: "ExpiredTokenException", message: "Expired" }],
    ["a client that AWS does not know", { __type: "UnrecognizedClientException", message: "The token is unknown" }],
    ["another authentication's error", { type: "error", error: { type: "authentication_error", message: "Refused" } }],
    ["words on an API key", { error: "Your API key was refused" }],
    ["words on an api-key", { error: "The api-key header was refused" }],
    ["words on an apikey", { error: "The given apikey was refused" }]
  ])("is about somebody's key where the body speaks of one: %s", (_, body) => {
    expect(ruleOf(answer(401, body, bySession))).not.toMatch(/^session/)
  })

  it("does not reach beyond 401, nor to those who authenticate by key", () => {
    expect(ruleOf(answer(403, "", bySession))).toBe("status/403")
    expect(ruleOf(answer(401, ""))).toBe("status/401")
  })
})

describe("the guards before a call", () => {
  it.each<readonly [string, WireFailure]>([
    ["the token is missing", broken({ message: "no backend session token" })],
    ["the token is required", broken({ message: "Session JWT required." })],
    ["with blanks around it", broken({ message: "The batch failed" }, { message: " session JWT required\n" })],
    ["with the name of what was called", broken({ message: "embed_batch [cloud]: no backend session token" })],
    ["as the cause of something else", broken({ message: "The batch failed" }, { message: "session JWT required" })],
    ["beside a link without words", broken({ name: "Error" }, { message: "session JWT required" })],
    ["as text that was handed in", answer(undefined, "no backend session token!")],
    ["as a document that was handed in", answer(undefined, { error: "no backend session token" })],
    ["as a constant within words", broken({ message: "Embedding was skipped: SESSION_EXPIRED (sign in)" })],
    ["as a constant in a field", answer(undefined, { code: "SESSION_EXPIRED" })],
    ["as the bare sentence", broken({ message: "Session expired" })],
    ["as the bare sentence of our own", broken({ message: "session expired." }, { message: "x" })],
    ["wrapped, for our own session", { ...broken({ message: "openhuman: session expired!" }), ...bySession }],
    ["bare, for our own session", { ...broken({ message: "session expired" }), ...bySession }]
  ])("end the session: %s", (_, wire) => {
    expect(verdictOf(wire)).toBe("session/pre-flight SessionExpired")
  })

  it.each<readonly [string, WireFailure]>([
    ["somebody else's session", broken({ message: "acme oauth: session expired" })],
    ["somebody else's session, with a short name", broken({ message: "Go: session expired" })],
    ["somebody else's session, in a sentence", broken({ message: "session expired at the gateway" })],
    ["our own session, in a sentence that goes on", {
      ...broken({ message: "session expired while the answer was read" }),
      ...bySession
    }],
    ["a sentence that goes on", broken({ message: "no backend session token was sent to acme" })],
    ["a quote", broken({ message: "The page says \"session JWT required\"" })],
    ["the constant in lower case", answer(undefined, { code: "session_expired" })],
    ["a longer constant", broken({ message: "OAUTH_SESSION_EXPIRED_AT is missing" })],
    ["an answer with a status", answer(500, "no backend session token")],
    ["a status beside the constant", answer(500, { code: "SESSION_EXPIRED", message: "It broke" })],
    ["a status beside the chain", { ...broken({ message: "session JWT required" }), status: 503 }],
    ["a chain without words", broken({ name: "Error" })],
    ["nothing at all", broken()]
  ])("are not heard in %s", (_, wire) => {
    expect(ruleOf(wire)).not.toMatch(/^session/)
  })
})
