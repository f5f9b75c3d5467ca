import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import OpenAI from "openai"
import * as OpenAiEmbedder from "../../../src/adapters/openai/OpenAiEmbedder.js"
import { embedderOf } from "../../support/Embedders.js"
import type { Settings } from "../../support/Embedders.js"
import { named } from "../../support/named.js"
import { openAiServer } from "../../support/OpenAiServer.js"
import type { Options } from "../../support/OpenAiServer.js"
import { textVector } from "../../support/TextVectors.js"

const pair = (options: Options = {}, settings: Partial<Settings> = {}) =>
  Effect.gen(function*() {
    const server = yield* openAiServer(options)
    const embedder = yield* embedderOf(OpenAiEmbedder.layer, { kind: "openai", url: server.url, ...settings })
    return { server, embedder }
  })

const texts = ["one", "two", "three"]
const expected = texts.map((text) => textVector(text, 8))

describe("the OpenAI-compatible embedder", () => {
  it.scopedLive("asks for base64 and reads it exactly", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair()
      expect(yield* embedder.embed(texts)).toEqual(expected)
      expect(server.seen().calls[0]?.body).toEqual({
        model: "text-embedding-3-small",
        encoding_format: "base64",
        input: texts
      })
    }))

  it.scopedLive("reads numbers where the server knows no base64", () =>
    Effect.gen(function*() {
      const { embedder } = yield* pair({ floatsOnly: true })
      expect(yield* embedder.embed(texts)).toEqual(expected)
    }))

  it.scopedLive("puts the vectors in the order of their index", () =>
    Effect.gen(function*() {
      const { embedder } = yield* pair({ reversed: true })
      expect(yield* embedder.embed(texts)).toEqual(expected)
    }))

  it.scopedLive("asks for a dimension only where one is configured", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair({}, { dimension: 4 })
      expect((yield* embedder.embed(["one"]))[0]).toHaveLength(4)
      expect(server.seen().calls[0]?.body).toMatchObject({ dimensions: 4 })
    }))

  for (const path of ["", "/", "/v1", "/v1/", "/v1//", "/v1/embeddings", "/v1/embeddings/"]) {
    it.scopedLive(`finds the route below the address with the path "${path}"`, () =>
      Effect.gen(function*() {
        const server = yield* openAiServer()
        const embedder = yield* embedderOf(OpenAiEmbedder.layer, { kind: "openai", url: `${server.url}${path}` })
        yield* embedder.embed(["one"])
        yield* embedder.probe
        expect(server.seen().requests).toEqual(["POST /v1/embeddings", "GET /v1/models"])
      }))
  }

  const lenient = [
    ["an index that is null", "{\"data\":[{\"index\":null,\"embedding\":[1,2]}]}"],
    ["an index that is text", "{\"data\":[{\"index\":\"0\",\"embedding\":[1,2]}]}"],
    ["a model that is no name", "{\"model\":5,\"data\":[{\"embedding\":[1,2]}]}"],
    ["no model", "{\"model\":null,\"data\":[{\"embedding\":[1,2]}]}"]
  ] as const
  for (const [what, body] of lenient) {
    it.scopedLive(`reads an answer with ${what}`, () =>
      Effect.gen(function*() {
        const { embedder } = yield* pair({ fault: () => ({ kind: "answer", status: 200, body }) })
        expect(yield* embedder.embed(["one"])).toEqual([[1, 2]])
        expect(yield* named(embedder)).toEqual(Option.none())
      }))
  }

  it.scopedLive("sends the key as a bearer token, also with the probe", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair({ credentials: "sk-test-key" }, { apiKey: "sk-test-key" })
      yield* embedder.embed(["one"])
      yield* embedder.probe
      expect(server.seen().calls[0]?.headers.authorization).toBe("Bearer sk-test-key")
    }))

  it.scopedLive("makes basic authentication of the address's user and password, and shows them nowhere", () =>
    Effect.gen(function*() {
      const server = yield* openAiServer({ credentials: "ann:p@ss word" })
      const url = server.url.replace("http://", "http://ann:p%40ss%20word@")
      const embedder = yield* embedderOf(OpenAiEmbedder.layer, { kind: "openai", url })
      expect(yield* embedder.embed(["one"])).toHaveLength(1)
      yield* Effect.promise(() => server.close())
      const failure = yield* Effect.flip(embedder.embed(["one"]))
      expect(failure._tag).toBe("Network")
      expect(JSON.stringify(failure)).not.toMatch(/ann|p@ss|p%40ss/u)
    }))

  it.scopedLive("takes a wrong key for a wrong key", () =>
    Effect.gen(function*() {
      const { embedder } = yield* pair({ credentials: "sk-right" }, { apiKey: "sk-wrong" })
      expect((yield* Effect.flip(embedder.embed(["one"])))._tag).toBe("AuthenticationFailed")
    }))

  const contracts = [
    [
      "two vectors of one index",
      "[{\"index\":0,\"embedding\":[1,2]},{\"index\":0,\"embedding\":[1,2]}]",
      "two vectors have the index 0"
    ],
    [
      "an index that is missing",
      "[{\"index\":0,\"embedding\":[1,2]},{\"index\":2,\"embedding\":[1,2]}]",
      "no vector has the index 1"
    ],
    [
      "text that is no base64",
      "[{\"index\":0,\"embedding\":\"%%%%\"},{\"index\":1,\"embedding\":[1,2]}]",
      "vector 0 is not base64"
    ],
    [
      "bytes that are no floats",
      "[{\"index\":0,\"embedding\":\"AAA=\"},{\"index\":1,\"embedding\":[1,2]}]",
      "vector 0 is not base64"
    ],
    [
      "null among the numbers",
      "[{\"index\":0,\"embedding\":[null,1]},{\"index\":1,\"embedding\":[1,2]}]",
      "expected a list of numbers or base64"
    ],
    ["no list at all", "null", "`data` is not what its contract says: expected a list of embeddings"]
  ] as const
  for (const [what, data, words] of contracts) {
    it.scopedLive(`refuses ${what}`, () =>
      Effect.gen(function*() {
        const { embedder } = yield* pair({
          fault: () => ({ kind: "answer", status: 200, body: `{"object":"list","data":${data}}` })
        })
        const failure = yield* Effect.flip(embedder.embed(["one", "two"]))
        expect(failure._tag).toBe("MalformedResponse")
        expect(failure.detail).toContain(words)
      }))
  }
})

describe("the probe of an OpenAI-compatible server", () => {
  it.scopedLive("looks for the model in the list", () =>
    Effect.gen(function*() {
      const { embedder } = yield* pair()
      expect((yield* embedder.probe).modelKnown).toEqual(Option.some(true))
      const other = yield* pair({}, { model: "text-embedding-4" })
      expect((yield* other.embedder.probe).modelKnown).toEqual(Option.some(false))
    }))

  it.scopedLive("does not know where the server lists no models", () =>
    Effect.gen(function*() {
      const { embedder } = yield* pair({ unlisted: true })
      expect((yield* embedder.probe).modelKnown).toEqual(Option.none())
    }))
})

const clientOf = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-test", maxRetries: 0 })

describe("the OpenAI server of the tests", () => {
  for (const floatsOnly of [false, true]) {
    it.scopedLive(`is understood by OpenAI's own client${floatsOnly ? ", with numbers" : ", in base64"}`, () =>
      Effect.gen(function*() {
        const server = yield* openAiServer({ floatsOnly })
        const answer = yield* Effect.promise(() =>
          clientOf(server.url).embeddings.create({
            model: "text-embedding-3-small",
            input: texts,
            ...(floatsOnly ? { encoding_format: "float" as const } : {})
          })
        )
        expect(answer.data.map(({ embedding }) => Array.from(embedding))).toEqual(expected)
      }))
  }

  it.scopedLive("refuses an unknown model in the envelope that OpenAI's own client reads", () =>
    Effect.gen(function*() {
      const server = yield* openAiServer()
      const refused = yield* Effect.flip(Effect.tryPromise({
        try: () => clientOf(server.url).embeddings.create({ model: "absent", input: "one" }),
        catch: (error) => error
      }))
      expect(refused).toMatchObject({ status: 404, code: "model_not_found" })
    }))
})
