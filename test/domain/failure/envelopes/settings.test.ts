import { describe, expect, it } from "@effect/vitest"
import { classify } from "../../../../src/domain/failure/classify.js"
import { consequence } from "../../../../src/domain/failure/Consequence.js"
import { userMessage } from "../../../../src/domain/failure/UserMessage.js"
import { CallContext } from "../../../../src/domain/failure/CallContext.js"
import type { TransportError } from "../../../../src/domain/failure/WireFailure.js"
import { answer, broken } from "../wires.js"

const batch = CallContext.Embed({
  texts: 32,
  malformedTries: 0,
  neighbours: "unknown",
  provider: "not-asked",
  wasThere: false,
  canShorten: true
})
const embed = (...chain: ReadonlyArray<TransportError>) => classify({ ...broken(...chain), surface: "embed" })

/** What clients say before anything is sent, by the setting that is to blame. */
const address: ReadonlyArray<readonly [string, TransportError]> = [
  ["no scheme, by Node", { name: "TypeError", code: "ERR_INVALID_URL", message: "Invalid URL" }],
  ["no scheme, by httpx", {
    name: "UnsupportedProtocol",
    message: "Request URL is missing an 'http://' or 'https://' protocol."
  }],
  ["no scheme, by Go", { message: "Post \"localhost:11434/api/embed\": unsupported protocol scheme \"localhost\"" }],
  ["no scheme, by hyper", { message: "builder error: relative URL without a base" }],
  ["no scheme, by requests", {
    name: "InvalidSchema",
    message: "No connection adapters were found for 'localhost:11434'"
  }],
  ["a port that is blocked, by fetch", { name: "Error", message: "bad port" }],
  ["a port that is blocked, by Chromium", { message: "net::ERR_UNSAFE_PORT at http://127.0.0.1:6000/" }],
  ["a circle of redirects, by fetch", { name: "Error", message: "redirect count exceeded" }],
  ["a circle of redirects, by Go", { message: "Get \"http://x\": stopped after 10 redirects" }],
  ["a circle of redirects, by axios", {
    name: "AxiosError",
    code: "ERR_FR_TOO_MANY_REDIRECTS",
    message: "Maximum number of redirects exceeded"
  }],
  ["credentials within", {
    name: "TypeError",
    message: "Request cannot be constructed from a URL that includes credentials: http://a:b@c/"
  }],
  ["a scheme twice", { name: "Error", code: "ENOTFOUND", message: "getaddrinfo ENOTFOUND https" }]
]

const key: ReadonlyArray<readonly [string, TransportError]> = [
  ["a byte-order mark, by fetch", {
    name: "TypeError",
    message:
      "Cannot convert argument to a ByteString because the character at index 7 has a value of 65279 which is greater than 255."
  }],
  ["a line break, by undici", {
    name: "TypeError",
    message: "Headers.append: \"Bearer sk-one\ntwo\" is an invalid header value."
  }],
  ["a line break, by h11", { name: "LocalProtocolError", message: "Illegal header value b'Bearer sk-one\\ntwo'" }],
  ["a line break, by requests", {
    name: "InvalidHeader",
    message: "Invalid leading whitespace, reserved character(s), or return character(s) in header value: 'Bearer x\\n'"
  }],
  ["a line break, by Go", {
    message: "Post \"https://x\": net/http: invalid header field value for \"Authorization\""
  }],
  ["a line break, by hyper", { message: "builder error: failed to parse header value" }],
  ["a control character, by Node", {
    name: "TypeError",
    code: "ERR_INVALID_CHAR",
    message: "Invalid character in header content [\"Authorization\"]"
  }]
]

describe("what our own client refuses to send", () => {
  it.each(address)("blames the address and halts: %s", (_, link) => {
    const failure = embed({ name: "TypeError", message: "fetch failed" }, link)
    expect(failure).toMatchObject({ _tag: "InvalidRequest", setting: "embedder.url" })
    expect(consequence(failure, batch)).toMatchObject({ action: { _tag: "Halt" }, report: "report" })
    expect(userMessage(failure)).toContain("embedder.url")
  })

  it.each(key)("blames the key and halts, without showing it: %s", (_, link) => {
    const failure = embed({ name: "APIConnectionError", message: "Connection error." }, link)
    expect(failure).toMatchObject({ _tag: "InvalidRequest", setting: "embedder.api_key" })
    expect(consequence(failure, batch).action._tag).toBe("Halt")
    expect(userMessage(failure)).toContain("embedder.api_key")
    expect(failure.detail).not.toMatch(/sk-one|two/)
  })

  it("names the setting of a chat", () => {
    expect(classify(broken({ name: "Error", message: "bad port" }))).toMatchObject({ setting: "chat.url" })
  })

  it("blames no setting for arguments that only a programmer gives", () => {
    expect(embed({ name: "InvalidArgumentError", code: "UND_ERR_INVALID_ARG", message: "invalid method" })).not
      .toHaveProperty("setting")
  })

  it.each<readonly [string, TransportError]>([
    ["a header of the answer", { code: "HPE_INVALID_HEADER_TOKEN", message: "Parse Error: Invalid header value char" }],
    ["a version of TLS", { code: "ERR_SSL_UNSUPPORTED_PROTOCOL", message: "SSL routines::unsupported protocol" }],
    ["a socket that this machine forbids", { message: "connect: operation not permitted" }],
    [
      "the same on Windows",
      { message: "An attempt was made to access a socket in a way forbidden by its access permissions" }
    ]
  ])("leaves %s to the network, and parks nothing", (_, link) => {
    expect(embed({ name: "TypeError", message: "fetch failed" }, link)._tag).toBe("Network")
  })

  it("leaves a name that does not resolve, and a connection that is refused, to the network", () => {
    expect(embed({ code: "ENOTFOUND", message: "getaddrinfo ENOTFOUND https.example.com" })).toMatchObject({
      phase: "dns"
    })
    expect(embed({ code: "ECONNREFUSED", message: "connect ECONNREFUSED 127.0.0.1:6000" })).toMatchObject({
      phase: "connect"
    })
  })
})

describe("a server that was asked at the wrong address", () => {
  it.each([
    [400, "Client sent an HTTP request to an HTTPS server.\n"],
    [400, "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>"],
    [308, ""]
  ])("blames it: %s %s", (status, body) => {
    expect(classify({ ...answer(status, body), surface: "embed" })).toMatchObject({
      _tag: "InvalidRequest",
      setting: "embedder.url"
    })
  })
})
