import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as DenseEmbedder from "../../../src/adapters/dense/DenseEmbedder.js"
import * as OllamaEmbedder from "../../../src/adapters/ollama/OllamaEmbedder.js"
import * as OpenAiEmbedder from "../../../src/adapters/openai/OpenAiEmbedder.js"
import type { FailureTag } from "../../../src/domain/failure/Failure.js"
import { denseServer } from "../../support/DenseServer.js"
import { embedderOf } from "../../support/Embedders.js"
import type { Settings } from "../../support/Embedders.js"
import type { Fault, Options } from "../../support/FaultyServer.js"
import { named } from "../../support/named.js"
import { ollamaServer } from "../../support/OllamaServer.js"
import { openAiServer } from "../../support/OpenAiServer.js"

const kinds = [
  {
    kind: "ollama",
    start: (options: Options, answersAs?: string) =>
      ollamaServer({ ...options, ...(answersAs === undefined ? {} : { answersAs }) }),
    layer: OllamaEmbedder.layer,
    concurrency: 1,
    probed: "/api/tags",
    model: "nomic-embed-text"
  },
  {
    kind: "http",
    start: (options: Options, answersAs?: string) =>
      denseServer({ ...options, ...(answersAs === undefined ? {} : { report: { model: answersAs } }) }),
    layer: DenseEmbedder.layer,
    concurrency: 4,
    probed: "/health",
    model: "bge-m3"
  },
  {
    kind: "openai",
    start: (options: Options, answersAs?: string) =>
      openAiServer({ ...options, ...(answersAs === undefined ? {} : { answersAs }) }),
    layer: OpenAiEmbedder.layer,
    concurrency: 4,
    probed: "/v1/models",
    model: "text-embedding-3-small"
  }
] as const

const answer = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Fault => ({
  kind: "answer",
  status,
  body,
  headers
})

const faults: ReadonlyArray<readonly [name: string, fault: Fault, tag: FailureTag]> = [
  ["no answer", { kind: "hang" }, "Timeout"],
  ["a body that stops half way", { kind: "hang-in-body" }, "Timeout"],
  ["a reset", { kind: "reset" }, "Network"],
  ["a reset within the body", { kind: "reset-in-body" }, "Network"],
  ["a body that is cut short", { kind: "cut-body" }, "Network"],
  ["half a JSON", { kind: "half-json" }, "MalformedResponse"],
  ["a web page", { kind: "html" }, "MalformedResponse"],
  ["an empty body", { kind: "empty-body" }, "MalformedResponse"],
  ["too few vectors", { kind: "wrong-count" }, "MalformedResponse"],
  ["vectors of two lengths", { kind: "wrong-dimension" }, "MalformedResponse"],
  ["a vector of zeros", { kind: "zero" }, "MalformedResponse"],
  ["empty vectors", { kind: "empty-vectors" }, "MalformedResponse"],
  ["another JSON", answer(200, "{\"status\":\"ok\"}"), "MalformedResponse"],
  ["null", answer(200, "null"), "MalformedResponse"],
  [
    "an error in a 200",
    answer(200, "{\"error\":{\"message\":\"The server is overloaded\",\"type\":\"server_error\",\"code\":503}}"),
    "ProviderUnavailable"
  ],
  ["a redirect", answer(302, "", { location: "http://127.0.0.1:1/elsewhere" }), "InvalidRequest"],
  [
    "a 429",
    answer(429, "{\"error\":{\"message\":\"Rate limit reached\",\"code\":\"rate_limit_exceeded\"}}"),
    "RateLimited"
  ],
  ["a 503 while loading", answer(503, "{\"error\":\"llm server loading model\"}"), "ProviderUnavailable"],
  ["a 500", answer(500, "{\"error\":\"internal\"}"), "ProviderUnavailable"],
  ["a 401", answer(401, "{\"error\":\"unauthorized\"}"), "AuthenticationFailed"],
  [
    "a text that is too long",
    answer(400, "{\"error\":\"the input length exceeds the context length\"}"),
    "ContextLengthExceeded"
  ]
]

for (const { concurrency, kind, layer, model, probed, start } of kinds) {
  const pair = (options: Options = {}, settings: Partial<Settings> = {}, answersAs?: string) =>
    Effect.gen(function*() {
      const server = yield* start(options, answersAs)
      const embedder = yield* embedderOf(layer, { kind, url: server.url, ...settings })
      return { server, embedder }
    })

  describe(`the embedder ${kind} in trouble`, () => {
    for (const [name, fault, tag] of faults) {
      it.scopedLive(`takes ${name} for ${tag}, and is fine at the next call`, () =>
        Effect.gen(function*() {
          const slow = fault.kind === "hang" || fault.kind === "hang-in-body"
          const { embedder, server } = yield* pair({ fault: () => fault }, {
            timeout: slow ? "300 millis" : "10 seconds"
          })
          const failure = yield* Effect.flip(embedder.embed(["one", "two"]))
          expect(failure).toMatchObject({ _tag: tag, provider: kind })
          expect(server.seen().calls).toHaveLength(1)
          server.setFault(() => undefined)
          const again = Effect.retry(embedder.embed(["one"]), { while: (next) => next._tag === "Network", times: 2 })
          expect(yield* again).toHaveLength(1)
        }))
    }

    it.scopedLive("never passes on a number that is not finite", () =>
      Effect.gen(function*() {
        const { embedder } = yield* pair({ fault: () => ({ kind: "nan" }) })
        const failure = yield* Effect.flip(embedder.embed(["one", "two"]))
        expect(failure.provider).toBe(kind)
      }))

    it.scopedLive("names where a redirect leads, and takes no key there", () =>
      Effect.gen(function*() {
        const elsewhere = yield* start({})
        const { embedder } = yield* pair({
          fault: ({ path }) => answer(308, "", { location: `${elsewhere.url}/moved${path}` })
        }, { apiKey: "sk-key" })
        const failure = yield* Effect.flip(embedder.embed(["one", "two"]))
        expect(failure).toMatchObject({ _tag: "InvalidRequest", setting: "embedder.url" })
        expect(failure.detail).toMatch(
          new RegExp(`^embedder.url redirects to ${elsewhere.url}/moved/\\S+: set it to ${elsewhere.url}/moved$`, "u")
        )
        expect(elsewhere.seen().connections).toBe(0)
      }))

    it.scopedLive("refuses a key that no header can carry before any call, and does not show it", () =>
      Effect.gen(function*() {
        const server = yield* start({})
        const made = embedderOf(layer, { kind, url: server.url, apiKey: "\u201csk-planted\u201d" })
        const error = yield* Effect.flip(made)
        expect(String(error)).toContain("a typographic quotation mark (U+201C) at its beginning")
        expect(String(error)).not.toContain("planted")
        expect(server.seen().connections).toBe(0)
      }))

    it.scopedLive("names a wrong embedder.dimension at the first answer", () =>
      Effect.gen(function*() {
        const { embedder, server } = yield* pair({ dimension: 8 }, { dimension: 16 })
        // a server that cuts its vectors on request would make them as long as they were asked for
        if (kind === "openai") server.setFault(() => answer(200, "{\"data\":[{\"embedding\":[1,2,3,4,5,6,7,8]}]}"))
        expect(yield* Effect.flip(embedder.embed(["one"]))).toMatchObject({
          _tag: "InvalidRequest",
          setting: "embedder.dimension",
          detail: "embedder.dimension is 16 but the model answers 8"
        })
        expect(server.seen().calls).toHaveLength(1)
      }))

    it.scopedLive("notices an answer of another model than was asked for", () =>
      Effect.gen(function*() {
        const { embedder } = yield* pair({}, { model }, "other-model")
        expect(yield* Effect.flip(embedder.embed(["one"]))).toMatchObject({
          _tag: "InvalidRequest",
          setting: "embedder.model",
          detail:
            `embedder.model is ${model} but the answer is of other-model: correct embedder.model, or set embedder.served_model to other-model if the two are one`
        })
        expect(yield* named(embedder)).toEqual(Option.none())
      }))

    it.scopedLive("takes the name that the settings say answers carry, and tells how they call the model", () =>
      Effect.gen(function*() {
        const { embedder } = yield* pair({}, { model, servedModel: "other-model" }, "other-model")
        expect(yield* named(embedder)).toEqual(Option.none())
        yield* embedder.embed(["one"])
        expect(yield* named(embedder)).toEqual(Option.some("other-model"))
      }))

    it.scopedLive("mixes no vectors of two lengths that two answers have", () =>
      Effect.gen(function*() {
        const { embedder, server } = yield* pair()
        yield* embedder.embed(["one"])
        server.setFault(() => ({ kind: "wrong-dimension" }))
        expect(yield* Effect.flip(embedder.embed(["two"]))).toMatchObject({
          setting: "embedder.model",
          detail: "the model answered 8 dimensions and answers 7 now: another model stands behind embedder.url"
        })
      }))

    it.scopedLive("passes on how long to wait", () =>
      Effect.gen(function*() {
        const { embedder } = yield* pair({
          fault: () => answer(429, "{\"error\":\"slow down\"}", { "retry-after": "7" })
        })
        const failure = yield* Effect.flip(embedder.embed(["one"]))
        expect(failure._tag === "RateLimited" && failure.retryAfter).toEqual(Duration.seconds(7))
      }))

    it.scopedLive("is refused where nobody listens", () =>
      Effect.gen(function*() {
        const { embedder, server } = yield* pair()
        yield* Effect.promise(() => server.close())
        expect(yield* Effect.flip(embedder.embed(["one"]))).toMatchObject({ _tag: "Network", phase: "connect" })
        expect(yield* Effect.flip(embedder.probe)).toMatchObject({ _tag: "Network", phase: "connect" })
      }))

    it.scopedLive("keeps to its concurrency, and serves all in the end", () =>
      Effect.gen(function*() {
        const { embedder, server } = yield* pair({ latency: 5 })
        expect(embedder.concurrency).toBe(concurrency)
        const texts = Array.from({ length: 24 }, (_, number) => `text ${number}`)
        yield* Effect.forEach(texts, (text) => embedder.embed([text]), { concurrency: "unbounded" })
        expect(server.seen().calls).toHaveLength(24)
        expect(server.seen().mostInFlight).toBeLessThanOrEqual(concurrency)
        server.setFault(() => ({ kind: "hang" }))
        const waiting = yield* Effect.fork(
          Effect.forEach(texts, (text) => embedder.embed([text]), { concurrency: "unbounded" })
        )
        yield* Effect.promise(() => server.until(({ inFlight }) => inFlight === concurrency))
        yield* Fiber.interrupt(waiting)
        expect(server.seen().mostInFlight).toBe(concurrency)
        expect(server.seen().connections).toBeLessThanOrEqual(concurrency + 1)
      }))

    it.scopedLive("hangs up when it is interrupted", () =>
      Effect.gen(function*() {
        const { embedder, server } = yield* pair({ fault: () => ({ kind: "hang" }) })
        const fiber = yield* Effect.fork(embedder.embed(["one"]))
        yield* Effect.promise(() => server.until(({ inFlight }) => inFlight === 1))
        yield* Fiber.interrupt(fiber)
        yield* Effect.promise(() => server.until(({ aborted, inFlight }) => aborted === 1 && inFlight === 0))
        expect(server.seen().aborted).toBe(1)
      }))

    it.scopedLive("is probed under a limit of its own, apart from that of embedding", () =>
      Effect.gen(function*() {
        const { embedder, server } = yield* pair({ ignored: [probed] }, {
          probeTimeout: "200 millis",
          timeout: "1 hour"
        })
        expect(yield* Effect.flip(embedder.probe)).toMatchObject({ _tag: "Timeout", after: Duration.millis(200) })
        expect(server.seen().calls).toEqual([])
        expect(yield* embedder.embed(["one"])).toHaveLength(1)
      }))

    it.scopedLive("has a limit of its own for embedding, apart from that of the probe", () =>
      Effect.gen(function*() {
        const { embedder } = yield* pair({ fault: () => ({ kind: "hang" }) }, {
          probeTimeout: "1 hour",
          timeout: "200 millis"
        })
        expect(yield* Effect.flip(embedder.embed(["one"]))).toMatchObject({
          _tag: "Timeout",
          after: Duration.millis(200)
        })
        expect(Duration.toSeconds((yield* embedder.probe).took)).toBeLessThan(60)
      }))

    it.scopedLive("shares no socket with another embedder of the same server", () =>
      Effect.gen(function*() {
        const { embedder, server } = yield* pair()
        const other = yield* embedderOf(layer, { kind, url: server.url })
        yield* embedder.embed(["one"])
        yield* other.embed(["one"])
        yield* embedder.embed(["one"])
        yield* other.embed(["one"])
        expect(server.seen().connections).toBe(2)
      }))

    it.scopedLive("takes its settings before its defaults", () =>
      Effect.gen(function*() {
        const { embedder } = yield* pair({}, { concurrency: 3, chunkWords: 40, dimension: 8, model: "m" })
        expect(embedder).toMatchObject({
          concurrency: 3,
          chunkWords: 40,
          dimension: Option.some(8),
          model: "m",
          provider: kind
        })
      }))
  })
}
