import Anthropic from "@anthropic-ai/sdk"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as AnthropicChat from "../../../src/adapters/anthropic/AnthropicChat.js"
import { AssistantMessage, Reasoning, Text } from "../../../src/domain/chat/Message.js"
import { anthropicChatServer } from "../../support/AnthropicChatServer.js"
import { chatOf, heard, partsOf } from "../../support/Chats.js"
import type { Options } from "../../support/ChatServer.js"
import { answer, call, result, user } from "../../support/Messages.js"

const pair = (options: Options = {}, path = "") =>
  Effect.gen(function*() {
    const server = yield* anthropicChatServer(options)
    return { server, provider: yield* chatOf(AnthropicChat.layer, { url: `${server.url}${path}`, apiKey: "sk-ant-1" }) }
  })

const event = (type: string, rest: Readonly<Record<string, unknown>> = {}) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`

const heardOf = (...frames: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { provider } = yield* pair({
      fault: () => ({
        kind: "answer",
        status: 200,
        body: frames.join(""),
        headers: { "content-type": "text/event-stream" }
      })
    })
    return yield* heard(provider, { messages: [user("Hi")] })
  })

const ended = (stop_reason: string) => [event("message_delta", { delta: { stop_reason } }), event("message_stop")]

describe("the chat provider of Anthropic's wire", () => {
  it.scopedLive("puts system, exchanges, proofs and the results of one round as the wire has them", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair()
      const reasoned = AssistantMessage.make({
        content: [
          Reasoning.make({ text: "mine", proof: { provider: "anthropic", kind: "signature", value: "sig_1" } }),
          Reasoning.make({ text: "", proof: { provider: "anthropic", kind: "cipher", value: "c" } }),
          Reasoning.make({ text: "another's", proof: { provider: "elsewhere", kind: "signature", value: "s" } }),
          Reasoning.make({ text: "nobody's", proof: null }),
          Text.make({ text: "\n" }),
          call("functions.now:0", "now", { zone: "UTC" }),
          call("c2", "now", {})
        ]
      })
      yield* partsOf(provider, {
        system: "Be kind.",
        messages: [
          user("Hi"),
          reasoned,
          result("functions.now:0", "noon"),
          result("c2", "no such zone", true),
          answer("Noon."),
          user("Thanks")
        ],
        tools: [{ name: "now", description: "The time.", parameters: { type: "object", properties: {} } }],
        parameters: { temperature: 0.2, stop: ["END"] }
      })
      expect(server.seen().calls[0]).toMatchObject({ refused: null, headers: { "x-api-key": "sk-ant-1" } })
      expect(server.seen().calls[0]?.body).toEqual({
        model: "m-1",
        max_tokens: 8192,
        system: "Be kind.",
        messages: [
          { role: "user", content: "Hi" },
          {
            role: "assistant",
            content: [
              { type: "thinking", thinking: "mine", signature: "sig_1" },
              { type: "redacted_thinking", data: "c" },
              { type: "tool_use", id: "functions_now_0", name: "now", input: { zone: "UTC" } },
              { type: "tool_use", id: "c2", name: "now", input: {} }
            ]
          },
          {
            role: "user",
            content: [
              { type: "tool_result", tool_use_id: "functions_now_0", content: "noon" },
              { type: "tool_result", tool_use_id: "c2", content: "no such zone", is_error: true }
            ]
          },
          { role: "assistant", content: [{ type: "text", text: "Noon." }] },
          { role: "user", content: "Thanks" }
        ],
        stream: true,
        tools: [{ name: "now", description: "The time.", input_schema: { type: "object", properties: {} } }],
        temperature: 0.2,
        stop_sequences: ["END"]
      })
    }))

  it.scopedLive("speaks the newest version, and the one before where a sampling parameter is asked for", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair()
      yield* partsOf(provider, { messages: [user("Hi")] })
      yield* partsOf(provider, { messages: [user("Hi")], parameters: { temperature: 0 } })
      yield* partsOf(provider, { messages: [user("Hi")], parameters: { extra: { top_p: 0.5 } } })
      expect(server.seen().calls.map(({ headers }) => headers["anthropic-version"])).toEqual([
        "2026-10-21",
        "2023-06-01",
        "2023-06-01"
      ])
    }))

  for (const path of ["", "/", "/v1", "/v1/messages"]) {
    it.scopedLive(`takes an address with "${path}" behind it`, () =>
      Effect.gen(function*() {
        const { provider, server } = yield* pair({}, path)
        yield* partsOf(provider, { messages: [user("Hi")] })
        expect(server.seen().calls).toHaveLength(1)
      }))
  }

  it.scopedLive("never hands out half a call: left out where the room was used up, else the answer is malformed", () =>
    Effect.gen(function*() {
      const half = [
        event("content_block_start", { index: 0, content_block: { type: "tool_use", id: "t", name: "f", input: {} } }),
        event("content_block_delta", { index: 0, delta: { type: "input_json_delta", partial_json: "{\"x\":" } }),
        event("content_block_stop", { index: 0 })
      ]
      const long = yield* heardOf(...half, ...ended("max_tokens"))
      expect(long.parts.map(({ _tag }) => _tag)).toEqual(["Usage", "Finish"])
      expect((yield* heardOf(...half, ...ended("tool_use"))).failure?._tag).toBe("MalformedResponse")
    }))

  it.scopedLive("takes a refusal for what it is", () =>
    Effect.gen(function*() {
      expect((yield* heardOf(...ended("refusal"))).failure?._tag).toBe("ContentFiltered")
    }))

  it.scopedLive("passes over what the server's own tools do", () =>
    Effect.gen(function*() {
      const { failure, parts } = yield* heardOf(
        event("content_block_start", {
          index: 0,
          content_block: { type: "server_tool_use", id: "s", name: "search", input: {} }
        }),
        event("content_block_delta", { index: 0, delta: { type: "input_json_delta", partial_json: "{\"q\":1}" } }),
        event("content_block_start", { index: 1, content_block: { type: "text", text: "Found." } }),
        ...ended("end_turn")
      )
      expect(failure).toBeNull()
      expect(parts.map(({ _tag }) => _tag)).toEqual(["Text", "Usage", "Finish"])
    }))
})

describe("the server of the tests, to Anthropic's own client", () => {
  const client = (url: string) => new Anthropic({ baseURL: url, apiKey: "sk-ant-1", maxRetries: 0 })
  const model = "m-1"

  it.scopedLive("streams words, calls and usage", () =>
    Effect.gen(function*() {
      const server = yield* anthropicChatServer({
        key: "sk-ant-1",
        says: () => ({
          reasoning: ["Hm."],
          text: ["I ", "look."],
          calls: [{ name: "now", arguments: { zone: "UTC" } }]
        })
      })
      const whole = yield* Effect.promise(() =>
        client(server.url).messages.stream({ model, max_tokens: 100, messages: [{ role: "user", content: "Hi" }] })
          .finalMessage()
      )
      expect(whole.content).toMatchObject([
        { type: "thinking", thinking: "Hm.", signature: "sig_1" },
        { type: "text", text: "I look." },
        { type: "tool_use", id: "toolu_1_0", name: "now", input: { zone: "UTC" } }
      ])
      expect(whole.stop_reason).toBe("tool_use")
      expect(whole.usage).toMatchObject({ input_tokens: 8, cache_read_input_tokens: 4, output_tokens: 7 })
    }))

  it.scopedLive("refuses a call without its result, and a model that it does not have", () =>
    Effect.gen(function*() {
      const server = yield* anthropicChatServer({ model })
      const ask = (name: string, messages: ReadonlyArray<Anthropic.MessageParam>) =>
        Effect.flip(Effect.tryPromise({
          try: () =>
            client(server.url).messages.create({ model: name, max_tokens: 100, stream: true, messages: [...messages] }),
          catch: (error) => error
        }))
      const dangling: ReadonlyArray<Anthropic.MessageParam> = [
        { role: "user", content: "Hi" },
        { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "now", input: {} }] },
        { role: "user", content: "Well?" }
      ]
      expect(yield* ask(model, dangling)).toMatchObject({
        status: 400,
        message: expect.stringContaining("`tool_use` ids were found without `tool_result` blocks immediately after: t1")
      })
      expect(yield* ask("absent", dangling.slice(0, 1))).toMatchObject({
        status: 404,
        error: { error: { type: "not_found_error" } }
      })
    }))

  it.scopedLive("breaks off with the error that its client reads", () =>
    Effect.gen(function*() {
      const text = event("error", { error: { type: "overloaded_error", message: "Overloaded" } })
      const server = yield* anthropicChatServer({ fault: () => ({ kind: "frame", after: 4, text }) })
      const failed = yield* Effect.flip(Effect.tryPromise({
        try: () =>
          client(server.url).messages.stream({ model, max_tokens: 100, messages: [{ role: "user", content: "Hi" }] })
            .finalMessage(),
        catch: (error) => error
      }))
      expect(failed).toMatchObject({ error: { error: { type: "overloaded_error" } } })
    }))
})
