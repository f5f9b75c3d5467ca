import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { Ollama } from "ollama"
import * as OllamaEmbedder from "../../../src/adapters/ollama/OllamaEmbedder.js"
import { embedderOf } from "../../support/Embedders.js"
import type { Settings } from "../../support/Embedders.js"
import { ollamaServer } from "../../support/OllamaServer.js"
import type { Options } from "../../support/OllamaServer.js"
import { textVector } from "../../support/TextVectors.js"

const pair = (options: Options = {}, settings: Partial<Settings> = {}) =>
  Effect.gen(function*() {
    const server = yield* ollamaServer(options)
    const embedder = yield* embedderOf(OllamaEmbedder.layer, { kind: "ollama", url: server.url, ...settings })
    return { server, embedder }
  })

describe("the Ollama embedder", () => {
  it.scopedLive("embeds a batch with one request, in order, and without truncation", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair()
      const vectors = yield* embedder.embed(["list remotes", "copy a file"])
      expect(vectors).toEqual([textVector("list remotes", 8), textVector("copy a file", 8)])
      expect(server.seen().requests).toEqual(["POST /api/embed"])
      expect(server.seen().calls[0]?.body).toEqual({
        model: "nomic-embed-text",
        input: ["list remotes", "copy a file"],
        truncate: false
      })
    }))

  for (const path of ["/", "/api", "/api/embed", "/v1", "/v1/embeddings"]) {
    it.scopedLive(`takes an address that was pasted with ${path} behind it`, () =>
      Effect.gen(function*() {
        const server = yield* ollamaServer()
        const embedder = yield* embedderOf(OllamaEmbedder.layer, { kind: "ollama", url: `${server.url}${path}` })
        yield* embedder.embed(["one"])
        expect(server.seen().requests).toEqual(["POST /api/embed"])
      }))
  }

  it.scopedLive("asks an old server one prompt at a time, and does not try the new route again", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair({ old: true })
      expect(yield* embedder.embed(["one", "two"])).toEqual([textVector("one", 8), textVector("two", 8)])
      yield* embedder.embed(["three"])
      expect(server.seen().requests).toEqual([
        "POST /api/embed",
        "POST /api/embeddings",
        "POST /api/embeddings",
        "POST /api/embeddings"
      ])
    }))

  it.scopedLive("takes the 404 of a model that is not pulled for that, not for an old server", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair({ pulled: [] })
      const failure = yield* Effect.flip(embedder.embed(["one"]))
      expect(failure._tag).toBe("ModelNotFound")
      expect(server.seen().requests).toEqual(["POST /api/embed"])
    }))

  it.scopedLive("calls nobody for no texts", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair()
      expect(yield* embedder.embed([])).toEqual([])
      expect(server.seen().requests).toEqual([])
    }))

  it.scopedLive("is probed by what is pulled and loaded, and loads nothing for it", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair({ loaded: ["nomic-embed-text"] })
      const probe = yield* embedder.probe
      expect(probe.modelKnown).toEqual(Option.some(true))
      expect(probe.detail).toBe("nomic-embed-text is pulled, loaded")
      expect(server.seen().requests).toEqual(["GET /api/tags", "GET /api/ps"])
    }))

  it.scopedLive("says that the model is not pulled", () =>
    Effect.gen(function*() {
      const { embedder } = yield* pair({ pulled: ["llama3.2"] })
      const probe = yield* embedder.probe
      expect(probe.modelKnown).toEqual(Option.some(false))
      expect(probe.detail).toBe("nomic-embed-text is not pulled")
    }))

  it.scopedLive("knows a model by its name without the tag that means the default", () =>
    Effect.gen(function*() {
      const { embedder } = yield* pair({ pulled: ["mxbai:v1"] }, { model: "mxbai" })
      expect((yield* embedder.probe).modelKnown).toEqual(Option.some(false))
      const other = yield* pair({ pulled: ["mxbai"] }, { model: "mxbai:latest" })
      expect((yield* other.embedder.probe).modelKnown).toEqual(Option.some(true))
    }))

  it.scopedLive("works on one call at a time, and the probe does not wait behind it", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair()
      server.setFault(() => ({ kind: "hang" }))
      const first = yield* Effect.fork(embedder.embed(["one"]))
      yield* Effect.promise(() => server.until(({ inFlight }) => inFlight === 1))
      const second = yield* Effect.fork(embedder.embed(["two"]))
      expect((yield* embedder.probe).modelKnown).toEqual(Option.some(true))
      expect(server.seen().calls).toHaveLength(1)
      server.setFault(() => undefined)
      yield* Fiber.interrupt(first)
      expect(yield* Fiber.join(second)).toEqual([textVector("two", 8)])
      expect(server.seen().mostInFlight).toBe(1)
    }))
})

describe("the Ollama server of the tests", () => {
  it.scopedLive("is understood by Ollama's own client", () =>
    Effect.gen(function*() {
      const server = yield* ollamaServer({ loaded: ["nomic-embed-text"] })
      const client = new Ollama({ host: server.url })
      const answer = yield* Effect.promise(() => client.embed({ model: "nomic-embed-text", input: ["one", "two"] }))
      expect(answer.embeddings).toEqual([textVector("one", 8), textVector("two", 8)])
      const single = yield* Effect.promise(() => client.embeddings({ model: "nomic-embed-text", prompt: "one" }))
      expect(single.embedding).toEqual(textVector("one", 8))
      const tags = yield* Effect.promise(() => client.list())
      expect(tags.models.map(({ name }) => name)).toEqual(["nomic-embed-text:latest"])
      const running = yield* Effect.promise(() => client.ps())
      expect(running.models).toHaveLength(1)
      expect((yield* Effect.promise(() => client.version())).version).toBe("0.12.6")
    }))

  it.scopedLive("refuses an unknown model in the words that Ollama's own client reads", () =>
    Effect.gen(function*() {
      const server = yield* ollamaServer()
      const client = new Ollama({ host: server.url })
      const refused = yield* Effect.flip(
        Effect.tryPromise({
          try: () => client.embed({ model: "absent", input: "one" }),
          catch: (error) => error
        })
      )
      expect(refused).toMatchObject({
        status_code: 404,
        error: "model \"absent\" not found, try pulling it first"
      })
    }))
})
