import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as OpenAiEmbedder from "../../../src/adapters/openai/OpenAiEmbedder.js"
import { embedderOf } from "../../support/Embedders.js"
import type { Settings } from "../../support/Embedders.js"
import type { Call, Fault } from "../../support/FaultyServer.js"
import { member } from "../../support/ReceivedRequest.js"
import { openAiServer } from "../../support/OpenAiServer.js"
import { textVector } from "../../support/TextVectors.js"

const pair = (fault: (call: Call) => Fault | undefined, settings: Partial<Settings> = {}) =>
  Effect.gen(function*() {
    const server = yield* openAiServer({ fault })
    const embedder = yield* embedderOf(OpenAiEmbedder.layer, { kind: "openai", url: server.url, ...settings })
    return { server, embedder }
  })

const answer = (status: number, body: unknown): Fault => ({ kind: "answer", status, body: JSON.stringify(body) })

/** Calls as the parameters that they had beside texts and model. */
const asked = (calls: ReadonlyArray<Call>) =>
  calls.map(({ body }) =>
    ["encoding_format", "dimensions"].filter((name) => member(body, name) !== undefined).join("+")
  )

const has = (call: Call, name: string): boolean => member(call.body, name) !== undefined

const refusals: ReadonlyArray<readonly [server: string, status: number, body: unknown]> = [
  ["vLLM before base64", 400, {
    object: "error",
    message: "base64 encoding is not currently supported",
    type: "BadRequestError",
    param: null,
    code: 400
  }],
  ["a server that names the parameter", 400, {
    error: { message: "Unsupported value.", type: "invalid_request_error", param: "encoding_format" }
  }],
  ["FastAPI", 422, {
    detail: [{
      loc: ["body", "encoding_format"],
      msg: "unexpected value; permitted: 'float'",
      type: "value_error.const"
    }]
  }],
  ["Jina", 400, { detail: "extra fields not permitted: ['encoding_format']" }],
  ["LiteLLM", 500, {
    error: {
      message: "litellm.UnsupportedParamsError: Setting {'encoding_format': 'base64'} is not supported by ollama",
      type: "None",
      code: "500"
    }
  }],
  ["LiteLLM before Gemini", 400, {
    error: { message: "litellm.UnsupportedParamsError: Setting user/encoding format is not supported by gemini." }
  }],
  ["Go's validator", 400, {
    error:
      "Key: 'EmbeddingRequest.EncodingFormat' Error:Field validation for 'EncodingFormat' failed on the 'oneof' tag"
  }],
  ["a gateway that refuses in a success", 200, { error: { message: "encoding_format: only float is implemented" } }],
  ["a proxy that cannot read base64 and names nothing", 400, {
    errorMessage: "An error occurred while reading the response body for the openai provider",
    errorCode: "PROXY_READ_ERROR",
    statusCode: 400
  }]
]

describe("a server that refuses base64", () => {
  for (const [server, status, body] of refusals) {
    it.scopedLive(`is asked again without it, and at once from then on: ${server}`, () =>
      Effect.gen(function*() {
        const { embedder, server } = yield* pair((call) =>
          has(call, "encoding_format") ? answer(status, body) : undefined
        )
        expect(yield* embedder.embed(["one", "two"])).toEqual([textVector("one", 8), textVector("two", 8)])
        expect(yield* embedder.embed(["three"])).toHaveLength(1)
        expect(asked(server.seen().calls)).toEqual(["encoding_format", "", ""])
      }))
  }
})

describe("a server that refuses dimensions", () => {
  const unable = { message: "Model \"m\" does not support matryoshka representation, changing output dimensions..." }
  const all = "encoding_format+dimensions"

  it.scopedLive("is asked again without them, and serves where its vectors are as long all the same", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair((call) => has(call, "dimensions") ? answer(400, unable) : undefined, {
        dimension: 8
      })
      expect((yield* embedder.embed(["one"]))[0]).toHaveLength(8)
      expect((yield* embedder.embed(["one"]))[0]).toHaveLength(8)
      expect(asked(server.seen().calls)).toEqual([all, "encoding_format", "encoding_format"])
    }))

  it.scopedLive("is told of by the setting where they are longer", () =>
    Effect.gen(function*() {
      const { embedder } = yield* pair((call) => has(call, "dimensions") ? answer(400, unable) : undefined, {
        dimension: 4
      })
      expect(yield* Effect.flip(embedder.embed(["one"]))).toMatchObject({
        setting: "embedder.dimension",
        detail: "embedder.dimension is 4 but the model answers 8"
      })
    }))

  it.scopedLive("and base64 too is asked without both, whatever it names first", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair((call) =>
        has(call, "dimensions")
          ? answer(422, { detail: [{ loc: ["body", "dimensions"], msg: "extra inputs are not permitted" }] })
          : has(call, "encoding_format")
          ? answer(422, { detail: [{ loc: ["body", "encoding_format"], msg: "extra inputs are not permitted" }] })
          : undefined, { dimension: 8 })
      expect(yield* embedder.embed(["one"])).toHaveLength(1)
      expect(asked(server.seen().calls)).toEqual([all, "encoding_format", ""])
    }))
})

describe("a refusal for another reason", () => {
  const tooLong = answer(400, { error: { message: "the input of base64 text exceeds the context length", code: null } })

  it.scopedLive("is not swallowed, and nothing is remembered of it", () =>
    Effect.gen(function*() {
      const { embedder, server } = yield* pair((call) => call.number <= 2 ? tooLong : undefined)
      expect((yield* Effect.flip(embedder.embed(["one"])))._tag).toBe("ContextLengthExceeded")
      yield* embedder.embed(["one"])
      expect(asked(server.seen().calls)).toEqual(["encoding_format", "", "encoding_format"])
    }))

  it.scopedLive("that names none is asked again once in a process, and not where base64 was served before", () =>
    Effect.gen(function*() {
      const bad = answer(400, { error: { message: "bad input" } })
      const { embedder, server } = yield* pair((call) => call.number <= 3 ? bad : undefined)
      expect((yield* Effect.flip(embedder.embed(["one"])))._tag).toBe("InvalidRequest")
      expect((yield* Effect.flip(embedder.embed(["one"])))._tag).toBe("InvalidRequest")
      expect(asked(server.seen().calls)).toEqual(["encoding_format", "", "encoding_format"])

      const other = yield* pair((call) => call.number === 2 ? bad : undefined)
      yield* other.embedder.embed(["one"])
      yield* Effect.flip(other.embedder.embed(["one"]))
      expect(asked(other.server.seen().calls)).toEqual(["encoding_format", "encoding_format"])
    }))

  for (const status of [401, 402, 403, 404, 413, 429, 502, 503]) {
    it.scopedLive(`is believed where its status is ${status}, whatever it names`, () =>
      Effect.gen(function*() {
        const { embedder, server } = yield* pair(() => answer(status, { error: { message: "encoding_format base64" } }))
        yield* Effect.flip(embedder.embed(["one"]))
        expect(server.seen().calls).toHaveLength(1)
      }))
  }
})
