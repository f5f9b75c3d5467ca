import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import * as zlib from "node:zlib"
import * as Connections from "../../../src/adapters/http/Connections.js"
import { exchange } from "../../../src/adapters/http/Exchange.js"

const mebi = 1024 * 1024

/** What the real client makes of one answer over a socket. */
const asked = (
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array
) =>
  Effect.gen(function*() {
    const port = yield* Effect.acquireRelease(
      Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
        const server = createServer((_, response) => {
          response.writeHead(status, headers)
          response.end(body)
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed({
            port: typeof address === "object" && address !== null ? address.port : 0,
            close: () => server.close()
          }))
        })
      }),
      ({ close }) => Effect.sync(close)
    )
    const client = yield* Connections.make({ connections: 1 })
    const send = exchange(client, { provider: "p", surface: "embed", auth: "none" })
    return yield* send(HttpClientRequest.get(`http://127.0.0.1:${port.port}/`))
  })

const json = Buffer.from("{\"größe\":1}")

describe("an answer in a coding that nobody asked for", () => {
  const codings: ReadonlyArray<readonly [name: string, header: string, body: Uint8Array]> = [
    ["gzip", "gzip", zlib.gzipSync(json)],
    ["gzip by its old name, in capitals", "X-GZIP", zlib.gzipSync(json)],
    ["deflate", "deflate", zlib.deflateSync(json)],
    ["bare deflate, as some servers send it", "deflate", zlib.deflateRawSync(json)],
    ["Brotli", "br", zlib.brotliCompressSync(json)],
    ["two codings, one after the other", "deflate, gzip", zlib.gzipSync(zlib.deflateSync(json))],
    ["identity", "identity", json]
  ]
  for (const [name, header, body] of codings) {
    it.scopedLive(`is read: ${name}`, () =>
      Effect.map(
        asked(200, { "content-encoding": header }, body),
        (answer) => expect(answer.body).toBe("{\"größe\":1}")
      ))
  }

  it.scopedLive("is read where it is gzip and its header was lost", () =>
    Effect.map(asked(200, {}, zlib.gzipSync(json)), (answer) => expect(answer.body).toBe("{\"größe\":1}")))

  it.scopedLive("is read where it is a failure, whose words decide", () =>
    Effect.map(
      asked(429, { "content-encoding": "gzip" }, zlib.gzipSync("{\"error\":\"quota\"}")),
      (answer) => expect(answer).toMatchObject({ status: 429, body: "{\"error\":\"quota\"}" })
    ))

  it.scopedLive("is named in one sentence where its header is wrong", () =>
    Effect.map(
      Effect.flip(asked(200, { "content-encoding": "gzip" }, json)),
      (wire) =>
        expect(wire.contract).toBe(
          "the answer's content-encoding is gzip, and its body is not: the server or a proxy before it is wrong"
        )
    ))

  it.scopedLive("is named where nothing here can read it", () =>
    Effect.map(
      Effect.flip(asked(200, { "content-encoding": "exi" }, json)),
      (wire) => expect(wire.contract).toContain("encoded as \"exi\"")
    ))

  it.scopedLive("keeps its status where it is a failure that cannot be read", () =>
    Effect.map(
      asked(503, { "content-encoding": "gzip", "retry-after": "3" }, json),
      (answer) => expect(answer).toMatchObject({ status: 503, body: "" })
    ))

  it.scopedLive("is handed over as far as it goes where it was cut", () =>
    Effect.map(
      asked(
        200,
        { "content-encoding": "gzip" },
        zlib.gzipSync("{\"a\":[" + "1,".repeat(5000) + "1]}").subarray(0, -10)
      ),
      (answer) => expect(answer.body).toMatch(/^\{"a":\[1,1,/u)
    ))

  it.scopedLive("is given up where it grows beyond 64 MiB", () =>
    Effect.map(
      Effect.flip(asked(200, { "content-encoding": "gzip" }, zlib.gzipSync(Buffer.alloc(65 * mebi)))),
      (wire) => expect(wire.contract).toBe("the answer is longer than 64 MiB")
    ))

  it.scopedLive("is nothing where there is no body", () =>
    Effect.map(
      asked(204, { "content-encoding": "gzip" }, new Uint8Array()),
      (answer) => expect(answer).toMatchObject({ status: 204, body: "" })
    ))
})

describe("a byte-order mark before an answer", () => {
  const marked: ReadonlyArray<readonly [name: string, body: Uint8Array]> = [
    ["UTF-8", Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), json])],
    ["UTF-16, little end first", Buffer.from("\uFEFF{\"größe\":1}", "utf16le")],
    ["UTF-16, big end first", Buffer.from("\uFEFF{\"größe\":1}", "utf16le").swap16()]
  ]
  for (const [name, body] of marked) {
    it.scopedLive(`is no part of it: ${name}`, () =>
      Effect.map(asked(200, {}, body), (answer) => expect(answer.body).toBe("{\"größe\":1}")))
  }
})
