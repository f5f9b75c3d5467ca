import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as DenseEmbedder from "../../../src/adapters/dense/DenseEmbedder.js"
import { denseServer } from "../../support/DenseServer.js"
import type { Options, Shape } from "../../support/DenseServer.js"
import { embedderOf } from "../../support/Embedders.js"
import type { Settings } from "../../support/Embedders.js"
import { textVector } from "../../support/TextVectors.js"

const pair = (options: Options = {}, settings: Partial<Settings> = {}) =>
  Effect.gen(function*() {
    const server = yield* denseServer(options)
    const embedder = yield* embedderOf(DenseEmbedder.layer, { kind: "http", url: server.url, ...settings })
    return { server, embedder }
  })

const shapes: ReadonlyArray<Shape> = ["dense_vecs", "dense_vectors", "embeddings", "embedding", "data", "bare"]

describe("the embedder of a dedicated service", () => {
  for (const shape of shapes) {
    it.scopedLive(`reads vectors sent as ${shape}, several and one alone`, () =>
      Effect.gen(function*() {
        const { embedder, server } = yield* pair({ shape })
        expect(yield* embedder.embed(["one", "two", "three"])).toEqual(
          ["one", "two", "three"].map((text) => textVector(text, 8))
        )
        expect(yield* embedder.embed(["one"])).toEqual([textVector("one", 8)])
        expect(server.seen().calls[0]?.body).toEqual({ texts: ["one", "two", "three"] })
      }))
  }

  const contradictions = [
    ["count", { report: { count: 3 } }, "reports 3 vectors for 2 texts"],
    ["dimension", { report: { dimension: 1024 } }, "reports 1024 dimensions and its vectors have 8"]
  ] as const
  for (const [what, options, words] of contradictions) {
    it.scopedLive(`refuses an answer that contradicts its ${what}`, () =>
      Effect.gen(function*() {
        const { embedder } = yield* pair(options)
        const failure = yield* Effect.flip(embedder.embed(["one", "two"]))
        expect(failure._tag).toBe("MalformedResponse")
        expect(failure.detail).toContain(words)
      }))
  }

  it.scopedLive("takes a model's name with its owner for the same model", () =>
    Effect.gen(function*() {
      const { embedder } = yield* pair({ model: "BAAI/bge-m3" }, { model: "bge-m3" })
      expect(yield* embedder.embed(["one"])).toHaveLength(1)
    }))

  it.scopedLive("keeps to the model and the dimension that it saw first when none is configured", () =>
    Effect.gen(function*() {
      const first = yield* denseServer({ model: "bge-m3" })
      const embedder = yield* embedderOf(DenseEmbedder.layer, { kind: "http", url: first.url })
      yield* embedder.embed(["one"])
      const { port } = first
      yield* Effect.promise(() => first.close())
      yield* denseServer({ model: "e5-large", port })
      const failure = yield* Effect.flip(Effect.retry(embedder.embed(["one"]), {
        while: ({ _tag }) => _tag === "Network",
        times: 3
      }))
      expect(failure.detail).toContain("were of the model bge-m3 and are of e5-large now")
    }))

  it.scopedLive("takes an address that names the route at its word", () =>
    Effect.gen(function*() {
      const server = yield* denseServer()
      const embedder = yield* embedderOf(DenseEmbedder.layer, { kind: "http", url: `${server.url}/embed` })
      yield* embedder.embed(["one"])
      yield* embedder.probe
      expect(server.seen().requests).toEqual(["POST /embed", "GET /health"])
    }))

  it.scopedLive("has four calls in flight and no more, on sockets of its own", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair({ fault: () => ({ kind: "hang" }) }, { timeout: "2 seconds" })
      yield* Effect.fork(Effect.forEach(
        Array.from({ length: 12 }, (_, n) => `text ${n}`),
        (text) => Effect.ignore(embedder.embed([text])),
        { concurrency: "unbounded" }
      ))
      yield* Effect.promise(() => server.until(({ inFlight }) => inFlight === 4))
      yield* embedder.probe
      expect(server.seen().mostInFlight).toBe(4)
      expect(server.seen().connections).toBe(5)
    }))

  it.scopedLive("fails to start without an address", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(embedderOf(DenseEmbedder.layer, { kind: "http" }))
      expect(String(error)).toContain("url")
    }))
})

describe("the probe of a dedicated service", () => {
  it.scopedLive("asks for health and compares the model it names", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair({}, { model: "bge-m3" })
      const probe = yield* embedder.probe
      expect(probe.modelKnown).toEqual(Option.some(true))
      expect(probe.detail).toBe("/health answers, it serves bge-m3")
      expect(server.seen().requests).toEqual(["GET /health"])
      expect(server.seen().calls).toEqual([])
    }))

  it.scopedLive("asks for info where there is no health", () =>
    Effect.gen(function*() {
      const { embedder } = yield* pair({ page: "/info", health: { status: 200, body: { model_id: "e5" } } }, {
        model: "bge-m3"
      })
      const probe = yield* embedder.probe
      expect(probe.modelKnown).toEqual(Option.some(false))
      expect(probe.detail).toBe("/info answers, it serves e5")
    }))

  it.scopedLive("knows only that somebody is there where there is neither", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair({ page: null })
      const probe = yield* embedder.probe
      expect(probe.modelKnown).toEqual(Option.none())
      expect(probe.detail).toBe("it answers, and has no page that tells its health")
      expect(server.seen().requests).toEqual(["GET /health", "GET /info", "HEAD /"])
    }))

  it.scopedLive("fails where the health page says that it cannot serve", () =>
    Effect.gen(function*() {
      const { embedder } = yield* pair({ health: { status: 503, body: { status: "loading model" } } })
      expect((yield* Effect.flip(embedder.probe))._tag).toBe("ProviderUnavailable")
    }))
})
