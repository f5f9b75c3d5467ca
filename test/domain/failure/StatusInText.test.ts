import { describe, expect, it } from "@effect/vitest"
import { statusIn, statusOfPhrase, withoutPhrases } from "../../../src/domain/failure/StatusInText.js"

describe("a status that a text names", () => {
  it.each<readonly [string, number | undefined]>([
    ["HTTP 400", 400],
    ["HTTP 399", undefined],
    ["HTTP 599", 599],
    ["HTTP 600", undefined],
    ["HTTP 302, then status 502", 502]
  ])("%s: a failure is from 400 to 599", (text, status) => {
    expect(statusIn(text)).toBe(status)
  })

  it.each<readonly [string, number | undefined]>([
    ["no answer from http://proxy.example/?code=502", undefined],
    ["no answer from https://proxy.example/?code=502", undefined],
    ["no answer from ws://proxy.example/?code=502", undefined],
    ["no answer from wss://proxy.example/?code=502", undefined],
    ["no answer from HTTPS://proxy.example/?CODE=502", undefined],
    ["no answer from proxy.example, code=502", 502],
    ["status: https://proxy.example/v1 503", 503]
  ])("%s: an address names none", (text, status) => {
    expect(statusIn(text)).toBe(status)
  })

  it("stands within the first 2,000 characters", () => {
    const text = (length: number) => `${"slow down".padEnd(length - 8)}HTTP 503`
    expect(statusIn(text(2_000))).toBe(503)
    expect(statusIn(text(2_001))).toBeUndefined()
  })

  it.each<readonly [string, number]>([
    ["HTTPS error 502", 502],
    ["HTTP/2 error 503", 503],
    ["HTTP status code: 429", 429],
    ["status_code=401", 401],
    ["\"statusCode\": 403,", 403],
    ["Status is 500", 500],
    ["error_code: '404'", 404],
    ["responded with an HTTP status 504", 504],
    ["the call failed with (409)", 409],
    ["(422) Unprocessable", 422],
    ["code=529", 529],
    ["[503] try again", 503],
    ["502: upstream", 502],
    ["requests: 403 Client Error", 403],
    ["google.api_core.exceptions.ResourceExhausted: 429 Quota exceeded", 429],
    ["InvalidArgument: 400 5 instance(s) is allowed", 400],
    ["ServiceUnavailable: 503 failed to connect to all addresses", 503],
    ["521 <!DOCTYPE html><html><title>Web server is down</title></html>", 521],
    ["openai.NotFoundError: 404 'x' is gone", 404],
    ["Response status code does not indicate success: 401 (Unauthorized).", 401],
    ["状态码：429", 429],
    ["错误码 500", 500]
  ])("%s", (text, status) => {
    expect(statusIn(text)).toBe(status)
  })

  it.each([
    "error 500 tokens",
    "error: 404 bytes left",
    "1503 codes",
    "port 8500",
    "(1429)",
    "room 404",
    "NotFound: 4040 x",
    "Tokens: 500 left"
  ])(
    "%s: a count is none",
    (text) => {
      expect(statusIn(text)).toBeUndefined()
    }
  )
})

describe("a bare reason phrase", () => {
  it.each<readonly [string, number | undefined]>([
    ["too many requests", 429],
    ["Unauthorized", 401],
    ["Payment Required", 402],
    ["Forbidden!!", 403],
    ["Not Found...", 404],
    ["Request Timeout", 408],
    ["Request Entity Too Large", 413],
    ["Payload Too Large", 413],
    ["Content too large", 413],
    ["Unprocessable Entity", 422],
    ["Internal Server Error.", 500],
    ["Not Implemented", 501],
    ["Bad Gateway", 502],
    ["Service Unavailable", 503],
    ["Service temporarily unavailable", 503],
    ["Gateway Timeout", 504],
    ["Gateway Time-out", 504],
    ["Bad Request\n", 400],
    ["!Forbidden", undefined],
    ["Forbidden?", undefined],
    ["Forbidden. Why", undefined],
    ["Model Not Found", undefined],
    ["", undefined]
  ])("%j means %s", (text, status) => {
    expect(statusOfPhrase(text)).toBe(status)
  })
})

describe("a phrase beside its number", () => {
  it.each<readonly [string, string]>([
    ["429 Too Many Requests", " "],
    ["429: too many requests", " "],
    ["(503) Service Unavailable, later", "( , later"],
    ["403 - Forbidden and 404 - Not Found", "  and  "],
    ["the model was not found", "the model was not found"],
    ["1404 not found", "1404 not found"]
  ])("%j is taken out", (text, rest) => {
    expect(withoutPhrases(text)).toBe(rest)
  })
})
