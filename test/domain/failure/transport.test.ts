import { describe, expect, it } from "@effect/vitest"
import { ruleOf } from "./vocabulary/answers.js"
import { classify } from "../../../src/domain/failure/classify.js"
import type { Failure } from "../../../src/domain/failure/Failure.js"
import type { TransportError } from "../../../src/domain/failure/WireFailure.js"

const judge = (...transport: ReadonlyArray<TransportError>): Failure =>
  classify({ provider: "x", surface: "embed", auth: "none", transport })

const shown = (failure: Failure): string => failure._tag === "Network" ? `Network ${failure.phase}` : failure._tag

const fetchFailed = (
  code: string,
  message = "",
  name = "Error"
): ReadonlyArray<TransportError> => [{ name: "TypeError", message: "fetch failed" }, { name, code, message }]

describe("codes of the runtimes", () => {
  it.each<readonly [ReadonlyArray<TransportError>, string]>([
    [fetchFailed("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1"), "Network connect"],
    [fetchFailed("EHOSTUNREACH"), "Network connect"],
    [fetchFailed("ENETUNREACH"), "Network connect"],
    [fetchFailed("UND_ERR_CONNECT_TIMEOUT", "Connect Timeout Error", "ConnectTimeoutError"), "Network connect"],
    [fetchFailed("ETIMEDOUT", "connect ETIMEDOUT 10.0.0.1:443"), "Network connect"],
    [fetchFailed("ETIMEDOUT", "read ETIMEDOUT"), "Timeout"],
    [fetchFailed("ENOTFOUND", "getaddrinfo ENOTFOUND x"), "Network dns"],
    [fetchFailed("EAI_AGAIN", "getaddrinfo EAI_AGAIN x"), "Network dns"],
    [fetchFailed("ECONNRESET", "read ECONNRESET"), "Network receive"],
    [fetchFailed("EPIPE", "write EPIPE"), "Network receive"],
    [fetchFailed("UND_ERR_SOCKET", "other side closed", "SocketError"), "Network receive"],
    [fetchFailed("UND_ERR_HEADERS_TIMEOUT", "Headers Timeout Error", "HeadersTimeoutError"), "Timeout"],
    [fetchFailed("UND_ERR_BODY_TIMEOUT", "Body Timeout Error", "BodyTimeoutError"), "Timeout"],
    [fetchFailed("CERT_HAS_EXPIRED", "certificate has expired"), "Network certificate"],
    [fetchFailed("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"), "Network certificate"],
    [fetchFailed("SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate in certificate chain"), "Network certificate"],
    [fetchFailed("UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unable to get local issuer certificate"), "Network certificate"],
    [
      fetchFailed("ERR_TLS_CERT_ALTNAME_INVALID", "Hostname/IP does not match certificate's altnames"),
      "Network certificate"
    ],
    [fetchFailed("EPROTO", "write EPROTO SSL routines:wrong version number"), "Network tls"],
    [fetchFailed("ERR_SSL_WRONG_VERSION_NUMBER", "wrong version number"), "Network tls"],
    [[{ name: "APIConnectionError", message: "Connection error." }, { name: "TypeError", message: "fetch failed" }, {
      code: "ENOTFOUND",
      message: "getaddrinfo"
    }], "Network dns"],
    [[{ name: "Error", code: "ECONNRESET", message: "aborted" }], "Network receive"],
    [[{ name: "AbortError", code: "20", message: "This operation was aborted" }], "Cancelled"],
    [[{ name: "AbortError", message: "This operation was aborted" }, {
      name: "TimeoutError",
      message: "The operation timed out"
    }], "Timeout"],
    [[{ name: "APIUserAbortError", message: "Request was aborted." }], "Cancelled"],
    [[{ name: "AxiosError", code: "ECONNABORTED", message: "timeout of 1000ms exceeded" }], "Timeout"],
    [[{ name: "AxiosError", code: "ECONNABORTED", message: "Request aborted" }], "Network receive"],
    [[{ name: "SyntaxError", message: "Unexpected end of JSON input" }], "MalformedResponse"],
    [[{ name: "TypeError", message: "Failed to parse URL from x" }, {
      name: "TypeError",
      code: "ERR_INVALID_URL",
      message: "Invalid URL"
    }], "InvalidRequest"]
  ])("%j is %s", (chain, expected) => {
    expect(shown(judge(...chain))).toBe(expected)
  })
})

describe("words of clients without codes", () => {
  it.each([
    ["invalid peer certificate: UnknownIssuer", "Network certificate"],
    ["x509: certificate has expired or is not yet valid", "Network certificate"],
    ["[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate", "Network certificate"],
    ["dns error: failed to lookup address information: Name or service not known", "Network dns"],
    ["dial tcp: lookup api.openai.com: no such host", "Network dns"],
    ["curl: (6) Could not resolve host: api.openai.com", "Network dns"],
    ["tcp connect error: Connection refused (os error 111)", "Network connect"],
    ["No connection could be made because the target machine actively refused it", "Network connect"],
    ["All connection attempts failed", "Network connect"],
    ["Connection timed out (os error 110)", "Network connect"],
    ["operation timed out", "Timeout"],
    ["context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "Timeout"],
    ["deadline has elapsed", "Timeout"],
    ["context canceled", "Cancelled"],
    ["The user aborted a request.", "Cancelled"],
    ["下游请求提前取消: context canceled", "Cancelled"],
    ["connection closed before message completed", "Network receive"],
    ["Server disconnected without sending a response.", "Network receive"],
    ["('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))", "Network receive"],
    ["http2: server sent GOAWAY and closed the connection", "Network receive"],
    ["Network connection lost.", "Network receive"],
    ["Load failed", "Network receive"],
    ["unexpected EOF", "Network receive"],
    ["TLS handshake failure", "Network tls"],
    ["error decoding response body: expected value at line 1 column 1", "MalformedResponse"],
    ["invalid character '<' looking for beginning of value", "MalformedResponse"],
    ["Expecting value: line 1 column 1 (char 0)", "MalformedResponse"],
    ["builder error: relative URL without a base", "InvalidRequest"],
    ["something nobody has seen", "Network unknown"]
  ])("%s is %s", (message, expected) => {
    expect(shown(judge({ message }))).toBe(expected)
  })
})

describe("a runtime's own code in a log's line", () => {
  it.each([
    ["Error: write EPIPE", "transport/reset-words"],
    ["Error: read ENETRESET", "transport/reset-words"],
    ["read ECONNRESET", "transport/reset-words"],
    ["UND_ERR_SOCKET", "transport/reset-words"],
    ["Error: connect EHOSTDOWN 192.168.1.1:443", "transport/connect-words"],
    ["request ended without sending any chunks", "transport/reset-words"],
    ["stream ended before a message was complete", "transport/reset-words"]
  ])("%s is told by %s", (line, rule) => {
    expect(ruleOf(undefined, line)).toBe(rule)
  })
})
