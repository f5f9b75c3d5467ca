import { describe, expect, it } from "@effect/vitest"
import { recognise } from "../../../../src/domain/failure/classify.js"
import type { TransportError, WireFailure } from "../../../../src/domain/failure/WireFailure.js"
import { answer, broken, ruleOf } from "../wires.js"

const coded = (code: string, message: string, name = "Error"): WireFailure =>
  broken({ name: "TypeError", message: "fetch failed" }, { name, code, message })

describe("a clock that ran out", () => {
  it.each([
    "connect ETIMEDOUT 10.0.0.1:443",
    "Connect Timeout Error",
    "dial tcp 10.0.0.1:443: i/o timeout",
    "timed out while connecting to 10.0.0.1",
    "Connection to 10.0.0.1 timed out"
  ])("before the connection stood is no slow answer: %s", (message) => {
    const { failure, rule } = recognise(coded("ETIMEDOUT", message))
    expect(rule).toBe("transport/connect-timeout")
    expect(failure).toMatchObject({ _tag: "Network", phase: "connect" })
  })

  it.each([
    "read ETIMEDOUT",
    "reconnect timeouts are 3",
    "Connection to 10.0.0.1 stood, then the read timed out",
    "Connection to timed out"
  ])("after that is a slow answer: %s", (message) => {
    expect(ruleOf(coded("ETIMEDOUT", message))).toBe("transport/timeout")
  })

  it("is no clock of ours where a body names the code", () => {
    expect(ruleOf(answer(undefined, { error: { code: "ETIMEDOUT", message: "It did not work out." } })))
      .not.toMatch(/^transport/)
  })
})

describe("a handshake that failed", () => {
  it.each<readonly [string, string]>([
    ["EPROTO", "write EPROTO: wrong version number"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "wrong version number"],
    ["ERR_TLS_HANDSHAKE", "the handshake was cut off"],
    ["SSLError", "EOF in violation of protocol"]
  ])("without a verdict on the certificate: %s", (code, message) => {
    expect(recognise(coded(code, message))).toMatchObject({
      rule: "transport/tls",
      failure: { _tag: "Network", phase: "tls" }
    })
  })

  it.each([
    "certificate verify failed: Hostname mismatch",
    "certificate has expired",
    "certificate is not yet valid",
    "self-signed certificate in the chain",
    "self signed certificate",
    "tlsv1 alert unknown ca"
  ])("with a verdict on it: %s", (message) => {
    expect(recognise(coded("SSLError", message))).toMatchObject({
      rule: "transport/certificate-words",
      failure: { _tag: "Network", phase: "certificate" }
    })
  })

  it("is none of ours where a body names the code", () => {
    expect(ruleOf(answer(undefined, { error: { code: "SSLError", message: "It did not work out." } }))).toBe("unknown")
  })
})

describe("a call that was called off", () => {
  const aborted = (message: string): WireFailure => broken({ name: "AbortError", code: "20", message })

  it.each(["This operation was aborted", "The user left", "The time for it is up", "It was timely outsmarted"])(
    "by somebody on our side: %s",
    (message) => {
      expect(ruleOf(aborted(message))).toBe("transport/cancelled")
    }
  )

  it.each([
    "The request timed out",
    "request timeout",
    "request time-out",
    "request time out",
    "the deadline has passed",
    "the socket went away",
    "the network went away",
    "reset by the peer",
    "it was closed"
  ])("by something else than a person: %s", (message) => {
    expect(ruleOf(aborted(message))).not.toBe("transport/cancelled")
  })

  it("is none of ours where a body names the code", () => {
    expect(ruleOf(answer(undefined, { error: { code: "cancelled", message: "It did not work out." } }))).toBe("unknown")
  })
})

describe("words without codes", () => {
  const sentences = [
    ["http2: server sent GOAWAY", "transport/http2-words"],
    ["invalid peer certificate: UnknownIssuer", "transport/certificate-words"],
    ["lookup api.acme.ai: no such host", "transport/dns-words"],
    ["expected value at line 1 column 1", "transport/decode-words"],
    ["tcp connect error", "transport/connect-words"],
    ["context canceled", "transport/cancelled-words"],
    ["deadline has elapsed", "transport/timeout-words"],
    ["connection reset by peer", "transport/reset-words"],
    ["tls alert 80", "transport/tls-words"],
    ["relative URL without a base", "setting/address"]
  ] as const

  it.each(sentences)("tell of the wire in a chain, and where only the text was handed in: %s", (message, rule) => {
    expect(ruleOf(broken({ message }))).toBe(rule)
    expect(ruleOf(answer(undefined, message))).toBe(rule)
  })

  it.each(sentences)("tell of the wire after a success that broke off: %s", (message, rule) => {
    expect(ruleOf({ ...broken({ message }), status: 200 })).toBe(rule)
  })

  it.each(sentences)("tell nothing of the wire in an answer with a status: %s", (message) => {
    expect(ruleOf(answer(500, message))).not.toMatch(/^transport/)
    expect(ruleOf({ ...broken({ message }), status: 300 })).not.toMatch(/^transport/)
  })
})

describe("a break without known words", () => {
  const strange: TransportError = { name: "Error", message: "It did not work out." }

  it("is an unknown break of the network", () => {
    expect(recognise(broken(strange))).toMatchObject({
      rule: "transport/unknown",
      failure: { _tag: "Network", phase: "unknown" }
    })
  })

  it("stays one under the 0 that browsers give for a status", () => {
    expect(ruleOf({ ...broken(strange), status: 0 })).toBe("transport/unknown")
  })

  it("gives way to an answer's status", () => {
    expect(ruleOf({ ...broken(strange), status: 200 })).toBe("success/malformed")
    expect(ruleOf({ ...broken(strange), status: 503 })).toBe("status/5xx")
  })

  it("needs a chain", () => {
    expect(ruleOf(answer(undefined, "It did not work out."))).toBe("unknown")
  })
})
