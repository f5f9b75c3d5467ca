import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { createServer } from "node:http"
import type { IncomingMessage, RequestListener } from "node:http"
import { createServer as createRawServer } from "node:net"
import type { AddressInfo, Server, Socket } from "node:net"
import { brotliCompressSync, gzipSync } from "node:zlib"
import * as Network from "../../../src/adapters/source/Network.js"
import * as Reader from "../../../src/adapters/source/SourceReader.js"
import { SourceSettings } from "../../../src/adapters/source/SourceSettings.js"
import type { Bounds } from "../../../src/adapters/source/SourceSettings.js"
import * as UrlSource from "../../../src/adapters/source/UrlSource.js"
import { exitCode } from "../../../src/domain/catalog/CatalogProblem.js"
import { SourceReader } from "../../../src/domain/catalog/SourceReader.js"

const layer = Layer.provide(Reader.layer, NodeContext.layer)

const bounds: Bounds = { timeout: Duration.seconds(30), maxBytes: 64 * 1024 * 1024, maxRedirects: 5 }

const layerWith = (settings: Partial<Bounds>, network: Partial<Network.Addresses> = {}) =>
  layer.pipe(
    Layer.provide(Layer.succeed(SourceSettings, { ...bounds, ...settings })),
    Layer.provide(Layer.effect(Network.Network, Effect.map(Network.Network, (real) => ({ ...real, ...network }))))
  )

const readAll = (location: string) => Effect.flatMap(SourceReader, (reader) => reader.read(location))
const read = (location: string) =>
  Effect.map(readAll(location), ({ document, ...source }) => ({ ...source, document: document.root }))
const problem = (location: string) => Effect.flip(read(location))

const listening = <S extends Server>(server: S, sockets: Set<Socket>) =>
  Effect.acquireRelease(
    Effect.async<number>((resume) => {
      server.on("connection", (socket: Socket) => {
        sockets.add(socket)
        socket.on("close", () => sockets.delete(socket))
        // a reader that goes away in the middle is what some of these tests are about
        socket.on("error", () => undefined)
      })
      // node answers with an AddressInfo for every server that listens on a port
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () =>
      Effect.async<void>((resume) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resume(Effect.void))
      })
  )

/** A server on loopback that remembers what it was asked. */
const serve = Effect.fnUntraced(function*(listener: RequestListener) {
  const requests: Array<IncomingMessage> = []
  const sockets = new Set<Socket>()
  const port = yield* listening(
    createServer((request, response) => {
      requests.push(request)
      listener(request, response)
    }),
    sockets
  )
  return { port, requests, sockets, at: (path: string) => `http://127.0.0.1:${port}${path}` }
})

const serveText = (text: string) => serve((_, response) => response.end(text))

const redirectTo = (target: string, status = 302) =>
  serve((_, response) => response.writeHead(status, { location: target }).end())

describe("a URL that can be read", () => {
  it.scopedLive("is parsed by its content, and known by its address without secrets", () =>
    Effect.gen(function*() {
      const server = yield* serveText("openapi: 3.1.0\n")
      const source = yield* read(
        `http://user:pass@127.0.0.1:${server.port}/spec.json?version=2&key=hunter2&hunter3#part`
      )
      expect({ ...source, revision: source.revision.length }).toEqual({
        location: `${server.at("/spec.json")}?version=2&key=***&***`,
        kind: "url",
        document: { openapi: "3.1.0" },
        bytes: 15,
        revision: 64
      })
      const [request] = server.requests
      expect(request?.url).toBe("/spec.json?version=2&key=hunter2&hunter3")
      expect(request?.headers.authorization).toBe(`Basic ${Buffer.from("user:pass").toString("base64")}`)
      expect(request?.headers).not.toHaveProperty("traceparent")
    }).pipe(Effect.provide(layer)))

  for (
    const [coding, body] of [
      ["gzip", gzipSync("{\"a\":1}")],
      ["br", brotliCompressSync("{\"a\":1}")],
      ["identity", Buffer.from("\ufeff{\"a\":1}")]
    ] as const
  ) {
    it.scopedLive(`may come as ${coding}, which nobody asked for: the revision is that of the text`, () =>
      Effect.gen(function*() {
        const coded = yield* serve((_, response) => response.writeHead(200, { "content-encoding": coding }).end(body))
        const plain = yield* serveText(coding === "identity" ? "\ufeff{\"a\":1}" : "{\"a\":1}")
        const source = yield* read(coded.at("/"))
        expect(source.document).toEqual({ a: "1" })
        const { bytes, revision } = yield* read(plain.at("/"))
        expect(source).toMatchObject({ bytes, revision })
      }).pipe(Effect.provide(layer)))
  }

  it.scopedLive("that says it is compressed and is not has a problem of its own, and so has one that unfolds too far", () =>
    Effect.gen(function*() {
      const liar = yield* serve((_, response) => response.writeHead(200, { "content-encoding": "br" }).end("{\"a\":1}"))
      expect((yield* problem(liar.at("/")))._tag).toBe("BodyUndecodable")
      const bomb = yield* serve((_, response) =>
        response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(3 * 1024 * 1024)))
      )
      expect((yield* problem(bomb.at("/"))).message).toContain("longer than 1 MiB")
    }).pipe(Effect.provide(layerWith({ maxBytes: 1024 * 1024 }))))

  it.scopedLive("may call itself by the address that was typed, and by the one that it was redirected to", () =>
    Effect.gen(function*() {
      const server = yield* serve((request, response) => {
        if (request.url === "/latest") response.writeHead(302, { location: "/v2/spec.json?sig=x" }).end()
        else response.end("{\"a\":1}")
      })
      const { document } = yield* readAll(`http://u:secret@127.0.0.1:${server.port}/latest`)
      expect(document.self.fragment("spec.json#/a")).toBe("/a")
      expect(document.self.fragment(`${server.at("/latest")}#/a`)).toBe("/a")
      expect(document.self.fragment(`${server.at("/other")}#/a`)).toBeUndefined()
      expect(document.addresses.join()).not.toContain("secret")
    }).pipe(Effect.provide(layer)))

  it.scopedLive("may be on this machine by name, when a person typed it", () =>
    Effect.gen(function*() {
      const server = yield* serveText("{\"a\":1}")
      const { document } = yield* read(`http://internal.example:${server.port}/`)
      expect(document).toEqual({ a: "1" })
    }).pipe(Effect.provide(layerWith({}, {
      resolve: () => Effect.succeed([{ address: "127.0.0.1", family: 4 }])
    }))))
})

describe("redirects", () => {
  const hops = serve((request, response) => {
    const left = Number(request.url?.slice(1))
    if (left === 0) response.end("{\"a\":1}")
    else response.writeHead([301, 302, 303, 307, 308][left % 5] ?? 302, { location: `./${left - 1}` }).end()
  })

  it.scopedLive("within one origin are followed five times, with the credentials", () =>
    Effect.gen(function*() {
      const server = yield* hops
      const source = yield* read(`http://u:p@127.0.0.1:${server.port}/5`)
      expect(source.location).toBe(server.at("/5"))
      expect(server.requests.map(({ headers }) => headers.authorization !== undefined)).toEqual(Array(6).fill(true))
    }).pipe(Effect.provide(layer)))

  it.scopedLive("are not followed a sixth time", () =>
    Effect.gen(function*() {
      const server = yield* hops
      expect(yield* problem(server.at("/6"))).toMatchObject({ _tag: "TooManyRedirects", limit: 5 })
      expect(server.requests.length).toBe(6)
    }).pipe(Effect.provide(layer)))

  for (
    const [target, address] of [
      ["http://10.0.0.1/spec", "10.0.0.1"],
      ["http://169.254.169.254/latest/meta-data/", "169.254.169.254"],
      ["http://[::1]:8080/", "::1"],
      ["http://[::ffff:10.0.0.1]/", "::ffff:a00:1"],
      ["http://0x7f.1/", "127.0.0.1"],
      ["http://u:secret@192.168.0.1/?token=secret", "192.168.0.1"]
    ] as const
  ) {
    it.scopedLive(`to ${target} are refused, and the target is named without secrets`, () =>
      Effect.gen(function*() {
        const server = yield* redirectTo(target)
        const refusal = yield* problem(server.at("/"))
        expect(refusal).toMatchObject({ _tag: "RedirectToPrivate", address })
        expect(exitCode(refusal)).toBe(1)
        expect(refusal.message).toContain(address)
        expect(refusal.message).not.toContain("secret")
      }).pipe(Effect.provide(layer)))
  }

  it.scopedLive("to another port of this machine are refused before anything is sent there", () =>
    Effect.gen(function*() {
      const secret = yield* serveText("{}")
      const server = yield* redirectTo(`http://localhost:${secret.port}/`)
      expect(yield* problem(server.at("/"))).toMatchObject({
        _tag: "RedirectToPrivate",
        target: `http://localhost:${secret.port}/`
      })
      const byNumber = yield* redirectTo(secret.at("/"))
      expect((yield* problem(byNumber.at("/")))._tag).toBe("RedirectToPrivate")
      expect(secret.requests).toEqual([])
    }).pipe(Effect.provide(layer)))

  it.scopedLive("to a name are refused when any of its addresses is private", () =>
    Effect.gen(function*() {
      const server = yield* redirectTo("http://rebound.example/")
      expect(yield* problem(server.at("/"))).toMatchObject({
        _tag: "RedirectToPrivate",
        target: "http://rebound.example/",
        address: "fd00::7"
      })
    }).pipe(Effect.provide(layerWith({}, {
      resolve: () => Effect.succeed([{ address: "8.8.8.8", family: 4 }, { address: "fd00::7", family: 6 }])
    }))))

  it.scopedLive("to a public name are followed to the address that was judged, without the credentials", () => {
    const asked: Array<string> = []
    const resolve = (host: string) =>
      Effect.sync(() => {
        asked.push(host)
        return [{ address: "127.0.0.1", family: 4 }]
      })
    return Effect.gen(function*() {
      const other = yield* serveText("{\"a\":1}")
      const server = yield* redirectTo(`http://public.example:${other.port}/spec`)
      const source = yield* read(`http://u:p@127.0.0.1:${server.port}/`)
      expect(source.document).toEqual({ a: "1" })
      expect(other.requests[0]?.headers.host).toBe(`public.example:${other.port}`)
      expect(other.requests[0]?.headers.authorization).toBeUndefined()
      expect(asked).toEqual(["public.example"])
    }).pipe(Effect.provide(layerWith({}, { resolve, isPublic: () => true })))
  })

  it.scopedLive("to a name without an address say which", () =>
    Effect.gen(function*() {
      const server = yield* redirectTo("http://nobody.example/x")
      expect(yield* problem(server.at("/"))).toMatchObject({ _tag: "HostUnknown", host: "nobody.example" })
    }).pipe(Effect.provide(layerWith({}, {
      resolve: (host) => Effect.fail(new Network.NameUnknown({ host }))
    }))))

  it.scopedLive("are named where a problem waits behind them", () =>
    Effect.gen(function*() {
      const server = yield* serve((request, response) => {
        if (request.url === "/login") response.end("<html></html>")
        else if (request.url === "/gone") response.writeHead(404).end()
        else response.writeHead(302, { location: `/${request.url?.slice(4)}` }).end()
      })
      const login = yield* problem(server.at("/to-login"))
      expect(login._tag).toBe("MarkupSource")
      expect(login.message).toContain(`(redirected to ${server.at("/login")})`)
      const gone = yield* problem(server.at("/to-gone"))
      expect(gone.message).toContain(
        `There is nothing at ${server.at("/to-gone")} (redirected to ${server.at("/gone")})`
      )
    }).pipe(Effect.provide(layer)))

  for (
    const [target, shown] of [
      ["ftp://u:secret@example.org/x?key=secret", "ftp://example.org/..."],
      ["file:///etc/passwd", "file:..."],
      ["http://", "http://"]
    ] as const
  ) {
    it.scopedLive(`to ${target} lead astray, and say where to`, () =>
      Effect.gen(function*() {
        const server = yield* redirectTo(target)
        const refusal = yield* problem(server.at("/"))
        expect(refusal).toMatchObject({ _tag: "RedirectAstray", target: shown })
        expect(refusal.message).not.toMatch(/passwd|secret/)
      }).pipe(Effect.provide(layer)))
  }

  it.scopedLive("without a target lead astray", () =>
    Effect.gen(function*() {
      const server = yield* serve((_, response) => response.writeHead(302).end())
      expect((yield* problem(server.at("/"))).message).toContain("without saying where to")
    }).pipe(Effect.provide(layer)))

  it.effect("from https to http are refused, whoever is meant", () =>
    Effect.gen(function*() {
      const refusal = yield* Effect.flip(
        UrlSource.approve(new URL("https://a.example/"), "http://a.example/spec", "https://a.example/", new Map())
      )
      expect(refusal).toMatchObject({ _tag: "RedirectToPlain", target: "http://a.example/spec" })
    }))
})

describe("a server that has no document", () => {
  for (
    const [status, tag, code] of [
      [404, "UrlNotFound", 1],
      [410, "UrlNotFound", 1],
      [401, "UrlForbidden", 1],
      [403, "UrlForbidden", 1],
      [400, "UrlRefused", 1],
      [304, "UrlRefused", 1],
      [429, "UrlRefused", 7],
      [500, "UrlRefused", 7],
      [503, "UrlRefused", 7]
    ] as const
  ) {
    it.scopedLive(`answers ${status}: ${tag}, exit code ${code}`, () =>
      Effect.gen(function*() {
        const server = yield* serve((_, response) => response.writeHead(status).end("{\"openapi\":\"3.1.0\"}"))
        const refusal = yield* problem(server.at("/"))
        expect(refusal).toMatchObject({ _tag: tag, status })
        expect(exitCode(refusal)).toBe(code)
      }).pipe(Effect.provide(layer)))
  }

  it.scopedLive("answers with a page, nothing, or broken JSON", () =>
    Effect.gen(function*() {
      const page = yield* serveText("<html></html>")
      expect((yield* problem(page.at("/")))._tag).toBe("MarkupSource")
      const nothing = yield* serveText("")
      expect((yield* problem(nothing.at("/")))._tag).toBe("EmptySource")
      const broken = yield* serveText("{\"a\": 1,\n}")
      expect(yield* problem(broken.at("/"))).toMatchObject({ _tag: "BrokenJson", line: 2, column: 1 })
    }).pipe(Effect.provide(layer)))
})

describe("a server that cannot be had", () => {
  it.scopedLive("refuses the connection", () =>
    Effect.gen(function*() {
      const port = yield* Effect.scoped(Effect.map(serveText(""), (server) => server.port))
      const refusal = yield* problem(`http://u:secret@127.0.0.1:${port}/?token=secret`)
      expect(refusal).toMatchObject({ _tag: "HostUnreachable", why: "the connection was refused" })
      expect(refusal.message).not.toContain("secret")
      expect(exitCode(refusal)).toBe(7)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("has a name that nobody knows", () =>
    Effect.gen(function*() {
      const refusal = yield* problem("http://holdfast-test.invalid/")
      expect(refusal).toMatchObject({ _tag: "HostUnknown", host: "holdfast-test.invalid" })
    }).pipe(Effect.provide(layer)))

  it.scopedLive("speaks no TLS", () =>
    Effect.gen(function*() {
      const server = yield* serveText("{}")
      expect(yield* problem(`https://127.0.0.1:${server.port}/`)).toMatchObject({
        _tag: "HostUnreachable",
        why: "it does not speak TLS"
      })
    }).pipe(Effect.provide(layer)))

  it.scopedLive("speaks no HTTP, or hangs up at once", () =>
    Effect.gen(function*() {
      const babble = yield* listening(createRawServer((socket) => socket.end("SSH-2.0-x\r\n")), new Set())
      expect(yield* problem(`http://127.0.0.1:${babble}/`)).toMatchObject({
        _tag: "HostUnreachable",
        why: "it does not speak HTTP"
      })
      const silent = yield* listening(createRawServer((socket) => socket.destroy()), new Set())
      expect(yield* problem(`http://127.0.0.1:${silent}/`)).toMatchObject({
        _tag: "HostUnreachable",
        why: "the connection was reset"
      })
    }).pipe(Effect.provide(layer)))

  it.scopedLive("breaks off in the middle of the document", () =>
    Effect.gen(function*() {
      const counted = yield* serve((_, response) => {
        response.writeHead(200, { "content-length": "100" })
        response.write("{\"a\":", () => response.destroy())
      })
      expect((yield* problem(counted.at("/")))._tag).toBe("BodyCutOff")
      const chunked = yield* serve((_, response) => {
        response.write("{\"a\":", () => response.destroy())
      })
      const refusal = yield* problem(chunked.at("/"))
      expect(refusal._tag).toBe("BodyCutOff")
      expect(exitCode(refusal)).toBe(7)
    }).pipe(Effect.provide(layer)))

  for (const where of ["before it answers", "in the middle of the document"]) {
    it.scoped(`hangs ${where}: the read ends at its limit of time and hangs up`, () =>
      Effect.gen(function*() {
        const asked = yield* Deferred.make<void>()
        const gone = yield* Deferred.make<void>()
        const server = yield* serve((request, response) => {
          request.socket.on("close", () => Deferred.unsafeDone(gone, Effect.void))
          if (where === "before it answers") Deferred.unsafeDone(asked, Effect.void)
          else response.write("{\"a\":", () => Deferred.unsafeDone(asked, Effect.void))
        })
        const reading = yield* Effect.fork(problem(server.at("/")))
        yield* Deferred.await(asked)
        yield* TestClock.adjust("30 seconds")
        const refusal = yield* Fiber.join(reading)
        expect(refusal).toMatchObject({ _tag: "UrlTimeout", after: 30_000 })
        expect(refusal.message).toContain("within 30 s")
        expect(exitCode(refusal)).toBe(7)
        yield* Deferred.await(gone)
        expect(server.requests.length).toBe(1)
      }).pipe(Effect.provide(layer)))
  }

  it.scopedLive("is left at once when the read is cancelled", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<void>()
      const gone = yield* Deferred.make<void>()
      const server = yield* serve((request, response) => {
        request.socket.on("close", () => Deferred.unsafeDone(gone, Effect.void))
        response.write("{", () => Deferred.unsafeDone(asked, Effect.void))
      })
      const reading = yield* Effect.fork(read(server.at("/")))
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(reading)
      yield* Deferred.await(gone)
      expect(server.sockets.size).toBe(0)
    }).pipe(Effect.provide(layer)))
})

describe("a document over the limit", () => {
  it.scopedLive("is refused by its announced length, before it is sent", () =>
    Effect.gen(function*() {
      const server = yield* serve((_, response) => response.writeHead(200, { "content-length": "11" }).flushHeaders())
      expect((yield* problem(server.at("/"))).message).toContain("larger than 10 bytes")
    }).pipe(Effect.provide(layerWith({ maxBytes: 10 }))))

  it.scopedLive("that is sent without end is refused as soon as it is too long, and the server is left", () =>
    Effect.gen(function*() {
      const gone = yield* Deferred.make<void>()
      const server = yield* serve((request, response) => {
        request.socket.on("close", () => Deferred.unsafeDone(gone, Effect.void))
        const more = () => {
          while (!response.destroyed && response.write("[".repeat(65_536))) { /* until the socket is full */ }
        }
        response.on("drain", more)
        more()
      })
      expect(yield* problem(server.at("/"))).toMatchObject({ _tag: "SourceTooLarge", limit: bounds.maxBytes })
      yield* Deferred.await(gone)
    }).pipe(Effect.provide(layer)))

  it.scopedLive("is none at exactly the limit", () =>
    Effect.gen(function*() {
      const server = yield* serveText("[1,2,3,45]")
      expect((yield* read(server.at("/"))).bytes).toBe(10)
    }).pipe(Effect.provide(layerWith({ maxBytes: 10 }))))
})

describe("an argument that is no address", () => {
  for (
    const [typed, shown] of [
      ["ftp://user:secret@h/x", "ftp://h/x"],
      ["file:///etc/passwd", "file:///etc/passwd"],
      ["http://", "http://"],
      ["http:", "http:"],
      ["http://user:sec/ret@h:port/?k=secret", "http://h:port/"]
    ] as const
  ) {
    it.effect(`${typed} is a slip of the pen`, () =>
      Effect.gen(function*() {
        const refusal = yield* problem(typed)
        expect(refusal).toMatchObject({ _tag: "BadLocation", location: shown })
        expect(exitCode(refusal)).toBe(2)
      }).pipe(Effect.provide(layer)))
  }
})
