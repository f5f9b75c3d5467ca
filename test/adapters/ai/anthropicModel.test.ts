import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as LanguageModelChat from "../../../src/adapters/ai/LanguageModelChat.js"
import * as Answer from "../../../src/domain/chat/Answer.js"
import { ChatProvider } from "../../../src/domain/chat/ChatProvider.js"
import type { FailureTag } from "../../../src/domain/failure/Failure.js"
import { anthropicChatServer } from "../../support/AnthropicChatServer.js"
import { heard, looksUp, partsOf } from "../../support/Chats.js"
import type { Fault, Options } from "../../support/ChatServer.js"
import { lookUp, resultsOf, user } from "../../support/Messages.js"

/** A model of @effect/ai's own package for Anthropic, over a real socket. */

const key = "sk-ant-right-0123456789"
const request = { messages: [user("Hi")] }

const pair = (options: Options = {}) =>
  Effect.gen(function*() {
    const server = yield* anthropicChatServer({ key, ...options })
    const layer = LanguageModelChat.layer({ provider: "anthropic", model: "m-1", concurrency: 2 }).pipe(
      Layer.provide(AnthropicLanguageModel.layer({ model: "m-1" })),
      Layer.provide(AnthropicClient.layer({ apiKey: Redacted.make(key), apiUrl: server.url })),
      Layer.provide(NodeHttpClient.layerUndici)
    )
    return { server, provider: Context.get(yield* Layer.build(layer), ChatProvider) }
  })

const tools = [lookUp]

const faults: ReadonlyArray<readonly [name: string, fault: Fault, tag: FailureTag]> = [
  [
    "a 429",
    { kind: "answer", status: 429, body: "slow down", headers: { "retry-after": "7", "content-type": "text/plain" } },
    "RateLimited"
  ],
  ["a reset at once", { kind: "reset" }, "Network"],
  ["a reset within", { kind: "reset", after: 4 }, "Network"],
  ["an end too early", { kind: "cut", after: 4 }, "MalformedResponse"],
  [
    "an error within",
    {
      kind: "frame",
      after: 4,
      text:
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
    },
    "ProviderUnavailable"
  ]
]

describe("the chat provider of a LanguageModel over a socket", () => {
  it.scopedLive("goes on with its reasoning, calls and results, which the server finds in order", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair({ says: looksUp })
      const first = yield* partsOf(provider, { ...request, tools })
      const { finish, message, usage } = Option.getOrThrow(Answer.whole(first.reduce(Answer.add, Answer.nothing)))
      // that package counts what was cached apart from the input
      expect([finish, usage]).toEqual(["tool-calls", { input: 8, output: 7, cached: 4 }])
      const results = resultsOf(message)
      const second = yield* partsOf(provider, { messages: [...request.messages, message, ...results], tools })
      expect(second.at(-1)).toEqual({ _tag: "Finish", reason: "stop" })
      expect(results).toHaveLength(2)
      const [asked, again] = server.seen().calls
      expect([asked?.refused, again?.refused]).toEqual([null, null])
      expect(asked?.body).toMatchObject({ tools: [{ name: "look_up", input_schema: tools[0]?.parameters }] })
      expect(again?.body).toMatchObject({
        messages: [{}, { content: [{ type: "thinking", thinking: "Hm.", signature: "sig_1" }, {}, {}] }, {}]
      })
    }))

  it.scopedLive.each(faults)("classifies what goes wrong: %s", ([, fault, tag]) =>
    Effect.gen(function*() {
      const { provider } = yield* pair({ fault: () => fault })
      const { failure } = yield* heard(provider, request)
      expect(failure?._tag).toBe(tag)
      expect(JSON.stringify(failure)).not.toContain(key)
      if (tag === "RateLimited") expect(failure).toMatchObject({ retryAfter: Duration.seconds(7) })
    }))

  it.scopedLive("is refused with a key that is not the server's", () =>
    Effect.gen(function*() {
      const { provider } = yield* pair({ key: "sk-ant-another-0123456789" })
      const { failure } = yield* heard(provider, request)
      expect(failure?._tag).toBe("AuthenticationFailed")
      expect(JSON.stringify(failure)).not.toContain(key)
    }))
})
