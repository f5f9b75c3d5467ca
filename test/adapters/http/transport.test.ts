// @effect-diagnostics globalFetch:off -- errors of the global fetch are what is judged here
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { createSocket } from "node:dgram"
import { Resolver } from "node:dns"
import { readFileSync } from "node:fs"
import { request } from "node:http"
import { createServer, type Socket } from "node:net"
import { Ollama } from "ollama"
import OpenAI from "openai"
import * as Connections from "../../../src/adapters/http/Connections.js"
import { exchange, within } from "../../../src/adapters/http/Exchange.js"
import * as JsonBody from "../../../src/adapters/http/JsonBody.js"
import * as Wire from "../../../src/adapters/http/WireFailure.js"
import { classify } from "../../../src/domain/failure/classify.js"
import { denseServer } from "../../support/DenseServer.js"
import { openAiServer } from "../../support/OpenAiServer.js"

const peer: Wire.Peer = { provider: "test", surface: "chat", auth: "key", model: "m" }

const Ok = Schema.Struct({ ok: Schema.Boolean })

/** Post a little JSON through the real adapter and judge what came of it. */
const failing = (
  url: string,
  options: Partial<Connections.Options> = {},
  limit: Duration.DurationInput = "10 seconds"
) =>
  Effect.gen(function*() {
    const client = yield* Connections.make({ connections: 1, ...options })
    const wire = yield* exchange(client, peer)(HttpClientRequest.bodyText(HttpClientRequest.post(url), "{}")).pipe(
      within(Duration.decode(limit), peer),
      Effect.flatMap(JsonBody.decode(Ok, peer)),
      Effect.flip
    )
    return { wire, failure: classify(wire) }
  })

/** A server of bare TCP on loopback: `speak` gets each connection, at once or with its first bytes. */
const tcp = (speak: (socket: Socket) => void, on: "connect" | "data" = "data") =>
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly close: () => void }>((resume) => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => socket.destroy())
        if (on === "connect") speak(socket)
        else socket.once("data", () => speak(socket))
      })
      const close = () => {
        server.close()
        sockets.forEach((socket) => socket.destroy())
      }
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed({ port: typeof address === "object" && address !== null ? address.port : 0, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

const answering = (text: string) =>
  Effect.map(tcp((socket) => socket.end(text)), ({ port }) => `http://127.0.0.1:${port}/`)

const ok = (body: string, type = "application/json") =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** A name server on loopback that knows no name: every answer is NXDOMAIN. */
const nameServer = Effect.acquireRelease(
  Effect.async<ReturnType<typeof createSocket>>((resume) => {
    const socket = createSocket("udp4")
    socket.on("message", (query, from) => {
      const reply = Buffer.from(query)
      reply.writeUInt16BE(0x8183, 2)
      socket.send(reply, from.port, from.address)
    })
    socket.bind(0, "127.0.0.1", () => resume(Effect.succeed(socket)))
  }),
  (socket) => Effect.sync(() => socket.close())
)

describe("a connection that never stands", () => {
  it.scopedLive("is a network failure where the port is closed", () =>
    Effect.gen(function*() {
      const { close, port } = yield* tcp((socket) => socket.end())
      close()
      const { failure } = yield* failing(`http://127.0.0.1:${port}/`)
      expect(failure).toMatchObject({ _tag: "Network", phase: "connect" })
    }))

  it.scopedLive("is a network failure where the name server knows no such name", () =>
    Effect.gen(function*() {
      const socket = yield* nameServer
      const resolver = new Resolver({ timeout: 5000, tries: 1 })
      resolver.setServers([`127.0.0.1:${socket.address().port}`])
      const { failure, wire } = yield* failing("http://user:secret@nowhere.invalid/?key=secret", {
        connect: { lookup: (hostname, _, done) => resolver.resolve4(hostname, (error) => done(error, "", 4)) }
      })
      expect(failure).toMatchObject({ _tag: "Network", phase: "dns" })
      expect(JSON.stringify([failure, wire])).not.toContain("secret")
    }))
})

const pem = (name: string) => readFileSync(new URL(`./fixtures/${name}.pem`, import.meta.url))

const secured = (name: string) => denseServer({ tls: { cert: pem(name), key: pem(`${name}-key`) } })

describe("a peer that cannot be trusted", () => {
  const authority = pem("authority")
  const cases = [
    ["has signed for itself", "self-signed", {}, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["is signed by an unknown authority", "trusted", {}, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["has expired", "expired", { ca: authority }, "CERT_HAS_EXPIRED"],
    ["is made out to another host", "other-host", { ca: authority }, "ERR_TLS_CERT_ALTNAME_INVALID"]
  ] as const
  for (const [what, name, connect, code] of cases) {
    it.scopedLive(`is a certificate failure where the certificate ${what}`, () =>
      Effect.gen(function*() {
        const server = yield* secured(name)
        const { failure, wire } = yield* failing(`${server.url}/health`, { connect })
        expect(wire.transport?.map((link) => link.code)).toContain(code)
        expect(failure).toMatchObject({ _tag: "Network", phase: "certificate" })
        expect(server.seen().requests).toEqual([])
      }))
  }

  it.scopedLive("is asked where the certificate is in order", () =>
    Effect.gen(function*() {
      const server = yield* secured("trusted")
      yield* failing(`${server.url}/health`, { connect: { ca: authority } })
      expect(server.seen().requests).toEqual(["POST /health"])
    }))

  it.scopedLive("is a TLS failure where the peer speaks no TLS", () =>
    Effect.gen(function*() {
      const server = yield* denseServer()
      const { failure } = yield* failing(`https://127.0.0.1:${server.port}/`)
      expect(failure).toMatchObject({ _tag: "Network", phase: "tls" })
    }))

  it.scopedLive("is a network failure where the handshake is cut off", () =>
    Effect.gen(function*() {
      const { port } = yield* tcp((socket) => socket.end())
      const { failure } = yield* failing(`https://127.0.0.1:${port}/`)
      expect(failure._tag).toBe("Network")
    }))
})

describe("a connection that breaks", () => {
  it.scopedLive("is a network failure when it is reset before an answer", () =>
    Effect.gen(function*() {
      const { port } = yield* tcp((socket) => socket.resetAndDestroy())
      const { failure, wire } = yield* failing(`http://127.0.0.1:${port}/`)
      expect(failure).toMatchObject({ _tag: "Network", phase: "receive" })
      expect(wire.status).toBeUndefined()
    }))

  it.scopedLive("is a network failure when it is closed before an answer", () =>
    Effect.gen(function*() {
      const { failure } = yield* failing(yield* answering(""))
      expect(failure).toMatchObject({ _tag: "Network", phase: "receive" })
    }))

  it.scopedLive("is a network failure when it is cut within the body, and what arrived is kept", () =>
    Effect.gen(function*() {
      const whole = ok("{\"ok\":true}")
      const { failure, wire } = yield* failing(yield* answering(whole.slice(0, -4)))
      expect(failure).toMatchObject({ _tag: "Network", phase: "receive" })
      expect(wire).toMatchObject({ status: 200, body: "{\"ok\":t" })
    }))

  it.scopedLive("is a network failure when a chunk is missing", () =>
    Effect.gen(function*() {
      const { failure } = yield* failing(
        yield* answering("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"ok\"\r\n")
      )
      expect(failure).toMatchObject({ _tag: "Network", phase: "receive" })
    }))

  it.scopedLive("is a network failure when what comes is not HTTP", () =>
    Effect.gen(function*() {
      const { failure } = yield* failing(yield* answering("220 mail.example ESMTP ready\r\n"))
      expect(failure._tag).toBe("Network")
    }))
})

describe("an answer that takes too long", () => {
  it.scopedLive("is a time-out of ours when nothing comes", () =>
    Effect.gen(function*() {
      const { port } = yield* tcp(() => undefined)
      const { failure } = yield* failing(`http://127.0.0.1:${port}/`, {}, "150 millis")
      expect(failure).toMatchObject({ _tag: "Timeout", after: Duration.millis(150) })
    }))

  it.scopedLive("is a time-out of ours when the headers come and the body does not", () =>
    Effect.gen(function*() {
      const { port } = yield* tcp((socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"ok\":"))
      const { failure } = yield* failing(`http://127.0.0.1:${port}/`, {}, "150 millis")
      expect(failure).toMatchObject({ _tag: "Timeout", after: Duration.millis(150) })
    }))
})

describe("a server that speaks HTTP in its own way", () => {
  const cases: ReadonlyArray<readonly [name: string, text: string]> = [
    ["early hints before the answer", `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${ok("{\"ok\":true}")}`],
    ["HTTP/1.0 and no length", "HTTP/1.0 200 OK\r\n\r\n{\"ok\":true}"],
    ["a length without an end", "HTTP/1.1 200 OK\r\n\r\n{\"ok\":true}"],
    ["chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\n{\"ok\":true}\r\n0\r\n\r\n"]
  ]
  for (const [name, text] of cases) {
    it.scopedLive(`is understood with ${name}`, () =>
      Effect.gen(function*() {
        const client = yield* Connections.make({ connections: 1 })
        const url = yield* answering(text)
        expect((yield* exchange(client, peer)(HttpClientRequest.get(url))).body).toBe("{\"ok\":true}")
      }))
  }
})

describe("a failure whose body never ends", () => {
  it.scoped("is judged after 3 s by its status and what arrived, and not by our limit of the call", () =>
    Effect.gen(function*() {
      const { port } = yield* tcp((socket) => {
        socket.write("HTTP/1.1 401 No\r\n\r\n{\"error\":{\"code\":\"invalid_api_key\"}}")
      })
      const judging = failing(`http://127.0.0.1:${port}/`, {}, "1 hour")
      const { failure } = yield* Effect.raceFirst(judging, Effect.forever(TestClock.adjust("1 second")))
      expect(failure._tag).toBe("AuthenticationFailed")
    }))
})

describe("an answer that is not what was asked for", () => {
  const cases = [
    ["half a JSON", ok("{\"ok\":tr"), "MalformedResponse", "the answer breaks off"],
    ["an empty body", ok(""), "MalformedResponse", "the answer is empty"],
    [
      "a web page",
      ok("<html>please sign in</html>", "text/html"),
      "MalformedResponse",
      "the answer is a web page, not JSON"
    ],
    ["another JSON", ok("{\"ok\":1}"), "MalformedResponse", "`ok` is not what its contract says"],
    ["no JSON", ok("ok"), "MalformedResponse", "the answer is not JSON"]
  ] as const
  for (const [what, text, tag, words] of cases) {
    it.scopedLive(`is malformed when it is ${what}`, () =>
      Effect.gen(function*() {
        const { failure, wire } = yield* failing(yield* answering(text))
        expect(failure._tag).toBe(tag)
        expect(wire.contract).toContain(words)
      }))
  }

  it.scopedLive("is what its error event says when a stream fails after a 200", () =>
    Effect.gen(function*() {
      const events = [
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\"}}\n\n",
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
      ]
      const { failure } = yield* failing(yield* answering(ok(events.join(""), "text/event-stream")))
      expect(failure._tag).toBe("ProviderUnavailable")
    }))

  it.scopedLive("is an answer like any other when it is a redirect: nobody goes where it points", () =>
    Effect.gen(function*() {
      const elsewhere = yield* denseServer()
      const url = yield* answering(
        `HTTP/1.1 307 Temporary Redirect\r\nlocation: ${elsewhere.url}/embed\r\ncontent-length: 0\r\n\r\n`
      )
      const { wire } = yield* failing(url)
      expect(wire.status).toBe(307)
      expect(elsewhere.seen().connections).toBe(0)
    }))

  it.scopedLive("is read to 1 MiB and no further when it is a failure", () =>
    Effect.gen(function*() {
      const text = "x".repeat(3 * 1024 * 1024)
      const { wire } = yield* failing(
        yield* answering(`HTTP/1.1 500 No\r\ncontent-length: ${text.length}\r\n\r\n${text}`)
      )
      expect(wire.body).toHaveLength(1024 * 1024)
      expect(wire.status).toBe(500)
    }))

  it.scopedLive("is given up beyond 64 MiB when it is a success", () =>
    Effect.gen(function*() {
      const part = Buffer.alloc(1024 * 1024, " ")
      const { port } = yield* tcp((socket) => {
        const more = () => {
          while (!socket.destroyed && socket.write(part));
        }
        socket.on("drain", more)
        socket.write("HTTP/1.1 200 OK\r\n\r\n")
        more()
      })
      const { failure, wire } = yield* failing(`http://127.0.0.1:${port}/`)
      expect(failure._tag).toBe("MalformedResponse")
      expect(wire.contract).toBe("the answer is longer than 64 MiB")
    }))
})

describe("a call that is stopped", () => {
  it.scopedLive("hangs up at once", () =>
    Effect.gen(function*() {
      const server = yield* denseServer({ fault: () => ({ kind: "hang" }) })
      const client = yield* Connections.make({ connections: 1 })
      const post = HttpClientRequest.bodyText(HttpClientRequest.post(`${server.url}/embed`), "{\"texts\":[\"one\"]}")
      const fiber = yield* Effect.fork(exchange(client, peer)(post))
      yield* Effect.promise(() => server.until(({ inFlight }) => inFlight === 1))
      yield* Fiber.interrupt(fiber)
      yield* Effect.promise(() => server.until(({ aborted }) => aborted === 1))
      expect(classify(Wire.ofAbort(peer, 0))._tag).toBe("Cancelled")
    }))
})

/** The error that a promise of another client is rejected with, judged. */
const judged = (call: () => Promise<unknown>) =>
  Effect.map(
    Effect.flip(Effect.tryPromise({ try: call, catch: (error) => error })),
    (error) => classify(Wire.ofError(peer, error, 0))
  )

describe("errors of other clients", () => {
  it.scopedLive("are judged alike: fetch", () =>
    Effect.gen(function*() {
      const hanging = yield* tcp(() => undefined)
      const url = `http://127.0.0.1:${hanging.port}/`
      const resetting = yield* tcp((socket) => socket.resetAndDestroy())
      const cut = yield* answering(ok("{\"ok\":true}").slice(0, -4))
      const controller = new AbortController()
      const aborted = judged(() => {
        const answer = fetch(url, { signal: controller.signal })
        controller.abort()
        return answer
      })
      expect((yield* aborted)._tag).toBe("Cancelled")
      expect((yield* judged(() => fetch(url, { signal: AbortSignal.timeout(50) })))._tag).toBe("Timeout")
      expect((yield* judged(() => fetch(`http://127.0.0.1:${resetting.port}/`)))._tag).toBe("Network")
      expect((yield* judged(() => fetch(cut).then((response) => response.text())))._tag).toBe("Network")
      hanging.close()
      expect(yield* judged(() => fetch(url))).toMatchObject({ _tag: "Network", phase: "connect" })
    }))

  it.scopedLive("are judged alike: node:http", () =>
    Effect.gen(function*() {
      const { close, port } = yield* tcp((socket) => socket.resetAndDestroy())
      const call = () =>
        new Promise((resolve, reject) => request({ port, host: "127.0.0.1" }, resolve).on("error", reject).end())
      expect(yield* judged(call)).toMatchObject({ _tag: "Network", phase: "receive" })
      close()
      expect(yield* judged(call)).toMatchObject({ _tag: "Network", phase: "connect" })
    }))

  it.scopedLive("are judged alike: OpenAI's client", () =>
    Effect.gen(function*() {
      const server = yield* openAiServer({ credentials: "sk-right" })
      const client = (apiKey: string) =>
        new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0, timeout: 200 })
      const embed = (apiKey: string, model: string) => () => client(apiKey).embeddings.create({ model, input: "one" })
      expect((yield* judged(embed("sk-wrong", "text-embedding-3-small")))._tag).toBe("AuthenticationFailed")
      expect((yield* judged(embed("sk-right", "absent")))._tag).toBe("ModelNotFound")
      server.setFault(() => ({
        kind: "answer",
        status: 429,
        headers: { "retry-after": "3" },
        body:
          "{\"error\":{\"message\":\"You exceeded your current quota\",\"type\":\"insufficient_quota\",\"code\":\"insufficient_quota\"}}"
      }))
      expect((yield* judged(embed("sk-right", "text-embedding-3-small")))._tag).toBe("BudgetExhausted")
      server.setFault(() => ({ kind: "hang" }))
      expect((yield* judged(embed("sk-right", "text-embedding-3-small")))._tag).toBe("Timeout")
      yield* Effect.promise(() => server.close())
      expect((yield* judged(embed("sk-right", "text-embedding-3-small")))._tag).toBe("Network")
    }))

  it.scopedLive("are judged alike: Ollama's client", () =>
    Effect.gen(function*() {
      const url = yield* answering(
        "HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\n\r\n{\"error\":\"model \\\"m\\\" not found\"}"
      )
      const call = () => new Ollama({ host: url }).embed({ model: "m", input: "one" })
      expect((yield* judged(call))._tag).toBe("ModelNotFound")
    }))
})
