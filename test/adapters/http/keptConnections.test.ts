import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as OpenAiEmbedder from "../../../src/adapters/openai/OpenAiEmbedder.js"
import { retryRequest } from "../../../src/domain/failure/RetryRequest.js"
import { embedderOf } from "../../support/Embedders.js"
import { openAiServer } from "../../support/OpenAiServer.js"

describe("a connection that was kept for the next request", () => {
  it.scopedLive("and that the server resets at its reuse costs one try more, on a new one", () =>
    Effect.gen(function*() {
      const server = yield* openAiServer({ fault: ({ number }) => number === 2 ? { kind: "reset" } : undefined })
      const { embed } = yield* embedderOf(OpenAiEmbedder.layer, { kind: "openai", url: server.url })
      yield* retryRequest(embed(["one"]))
      expect(server.seen().connections).toBe(1)
      expect(yield* retryRequest(embed(["two"]))).toHaveLength(1)
      expect(server.seen().calls.map(({ texts }) => texts)).toEqual([["one"], ["two"], ["two"]])
      expect(server.seen().connections).toBe(2)
    }))

  it.scopedLive("is a failure of the network to whoever tries once", () =>
    Effect.gen(function*() {
      const server = yield* openAiServer({ fault: ({ number }) => number === 2 ? { kind: "reset" } : undefined })
      const { embed } = yield* embedderOf(OpenAiEmbedder.layer, { kind: "openai", url: server.url })
      yield* embed(["one"])
      expect((yield* Effect.flip(embed(["two"])))._tag).toBe("Network")
    }))
})
