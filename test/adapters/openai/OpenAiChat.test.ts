import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import * as OpenAiChat from "../../../src/adapters/openai/OpenAiChat.js"
import { chatOf, heard, partsOf } from "../../support/Chats.js"
import type { Options } from "../../support/ChatServer.js"
import { answer, call, result, user } from "../../support/Messages.js"
import { openAiChatServer } from "../../support/OpenAiChatServer.js"

const pair = (options: Options = {}, path = "") =>
  Effect.gen(function*() {
    const server = yield* openAiChatServer(options)
    return { server, provider: yield* chatOf(OpenAiChat.layer, { url: `${server.url}${path}` }) }
  })

const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`
const delta = (value: unknown, finish_reason: string | null = null) =>
  event({ choices: [{ delta: value, finish_reason }] })

/** What is heard of a body as a server of this wire sends it. */
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

const calls = (parts: ReadonlyArray<{ readonly _tag: string; readonly call?: unknown }>) =>
  parts.flatMap((part) => part.call === undefined ? [] : [part.call])

describe("the chat provider of OpenAI's wire", () => {
  it.scopedLive("puts system, exchanges and results as the wire has them", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair()
      yield* partsOf(provider, {
        system: "Be kind.",
        messages: [user("Hi"), answer("", call("c1", "now", { zone: "UTC" })), result("c1", "noon")],
        tools: [{ name: "now", description: "The time.", parameters: { type: "object", properties: {} } }],
        parameters: { temperature: 0.2, maxTokens: 50, stop: ["END"], extra: { reasoning_effort: "low" } }
      })
      expect(server.seen().calls[0]?.body).toEqual({
        model: "m-1",
        messages: [
          { role: "system", content: "Be kind." },
          { role: "user", content: "Hi" },
          {
            role: "assistant",
            content: null,
            tool_calls: [{ id: "c1", type: "function", function: { name: "now", arguments: "{\"zone\":\"UTC\"}" } }]
          },
          { role: "tool", tool_call_id: "c1", content: "noon" }
        ],
        stream: true,
        stream_options: { include_usage: true },
        tools: [{
          type: "function",
          function: { name: "now", description: "The time.", parameters: { type: "object", properties: {} } }
        }],
        temperature: 0.2,
        max_tokens: 50,
        stop: ["END"],
        reasoning_effort: "low"
      })
    }))

  for (const path of ["", "/", "/v1", "/v1/", "/v1/chat/completions"]) {
    it.scopedLive(`takes an address with "${path}" behind it`, () =>
      Effect.gen(function*() {
        const { provider, server } = yield* pair({}, path)
        yield* partsOf(provider, { messages: [user("Hi")] })
        expect(server.seen().calls).toHaveLength(1)
      }))
  }

  it.scopedLive("asks again without what the server does not know, and never with it after that", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair({
        fault: ({ body }) =>
          JSON.stringify(body).includes("stream_options")
            ? {
              kind: "answer",
              status: 400,
              body: "{\"error\":{\"message\":\"Unrecognized request argument supplied: stream_options\"}}"
            }
            : undefined
      })
      for (let turn = 0; turn < 2; turn++) {
        expect((yield* partsOf(provider, { messages: [user("Hi")] })).at(-1)).toEqual({
          _tag: "Finish",
          reason: "stop"
        })
      }
      expect(server.seen().calls).toHaveLength(3)
    }))

  it.scopedLive("reads a server that was asked to stream and answers at once", () =>
    Effect.gen(function*() {
      const message = { role: "assistant", content: "All of it." }
      const body = JSON.stringify({ object: "chat.completion", choices: [{ message, finish_reason: "stop" }] })
      const { failure, parts } = yield* heardOf(body)
      expect(failure).toBeNull()
      expect(parts).toEqual([{ _tag: "Text", text: "All of it." }, { _tag: "Finish", reason: "stop" }])
    }))

  it.scopedLive("tells calls apart by index, by id alone, and by id where all have one index", () =>
    Effect.gen(function*() {
      const piece = (given: Readonly<Record<string, unknown>>) => delta({ tool_calls: [given] })
      const whole = [{ id: "a", name: "f", arguments: { x: 1 } }, { id: "b", name: "f", arguments: { x: 2 } }]
      const end = delta({}, "tool_calls")
      const interleaved = yield* heardOf(
        piece({ index: 0, id: "a", function: { name: "f", arguments: "{\"x\"" } }),
        piece({ index: 1, id: "b", function: { name: "f", arguments: "{\"x\"" } }),
        piece({ index: 0, function: { arguments: ":1}" } }),
        piece({ index: 1, id: "", function: { name: "", arguments: ":2}" } }),
        end
      )
      expect(calls(interleaved.parts)).toMatchObject(whole)
      const unnumbered = yield* heardOf(
        piece({ id: "a", function: { name: "f", arguments: "{\"x\":1}" } }),
        piece({ id: "b", function: { name: "f", arguments: "{\"x\":" } }),
        piece({ function: { arguments: "2}" } }),
        end
      )
      expect(calls(unnumbered.parts)).toMatchObject(whole)
      const oneIndex = yield* heardOf(
        piece({ index: 0, id: "a", function: { name: "f", arguments: "{\"x\":1}" } }),
        piece({ index: 0, id: "b", function: { name: "f", arguments: "{\"x\":2}" } }),
        end
      )
      expect(calls(oneIndex.parts)).toMatchObject(whole)
    }))

  it.scopedLive("takes `stop` behind a call for what it is, and gives a call without an id one of its own", () =>
    Effect.gen(function*() {
      const one = delta({ tool_calls: [{ index: 0, function: { name: "f", arguments: "" } }] })
      const first = yield* heardOf(one, delta({}, "stop"))
      const second = yield* heardOf(one, delta({}, "stop"))
      expect(first.parts.at(-1)).toEqual({ _tag: "Finish", reason: "tool-calls" })
      expect(calls(first.parts)).toMatchObject([{ name: "f", arguments: {} }])
      expect(JSON.stringify(calls(first.parts))).not.toBe(JSON.stringify(calls(second.parts)))
    }))

  it.scopedLive("never hands out half a call: left out where the room was used up, else the answer is malformed", () =>
    Effect.gen(function*() {
      const half = delta({ tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: "{\"x\":" } }] })
      const long = yield* heardOf(delta({ content: "so" }), half, delta({}, "length"))
      expect(long.failure).toBeNull()
      expect(long.parts).toEqual([{ _tag: "Text", text: "so" }, { _tag: "Finish", reason: "length" }])
      const broken = yield* heardOf(half, delta({}, "tool_calls"))
      expect(broken.failure).toMatchObject({
        _tag: "MalformedResponse",
        detail: "the arguments of the tool call f are not a JSON object"
      })
    }))

  it.scopedLive("reads reasoning under each of its names", () =>
    Effect.gen(function*() {
      const { parts } = yield* heardOf(
        delta({ reasoning: "a", content: "" }),
        delta({ reasoning_content: "b", content: null }),
        delta({
          content: [{ type: "thinking", thinking: [{ type: "text", text: "c" }] }, { type: "text", text: "d" }]
        }),
        delta({}, "stop")
      )
      expect(parts.map((part) => part._tag === "Reasoning" || part._tag === "Text" ? `${part._tag} ${part.text}` : ""))
        .toEqual(["Reasoning a", "Reasoning b", "Reasoning c", "Text d", ""])
    }))

  it.scopedLive("takes an ending that is a failure for one, and any other unknown word for an end", () =>
    Effect.gen(function*() {
      const filtered = yield* heardOf(delta({ content: "I" }), delta({}, "content_filter"))
      expect(filtered.failure?._tag).toBe("ContentFiltered")
      expect(filtered.parts).toEqual([{ _tag: "Text", text: "I" }])
      const starved = yield* heardOf(delta({}, "insufficient_system_resource"))
      expect(starved.failure?._tag).toBe("ProviderUnavailable")
      const strange = yield* heardOf(delta({ content: "I" }), delta({}, "whatever"))
      expect(strange.parts.at(-1)).toEqual({ _tag: "Finish", reason: "other" })
    }))

  it.scopedLive("needs no last word of the wire behind the last word of the answer", () =>
    Effect.gen(function*() {
      const { failure, parts } = yield* heardOf(delta({ content: "I" }), delta({}, "stop"))
      expect([failure, parts.length]).toEqual([null, 2])
      const early = yield* heardOf(delta({ content: "I" }), "data: [DONE]\n\n")
      expect(early.failure).toMatchObject({ _tag: "MalformedResponse", detail: "the answer breaks off before its end" })
    }))
})

describe("the server of the tests, to OpenAI's own client", () => {
  const client = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-test", maxRetries: 0 })
  const model = "m-1"

  it.scopedLive("streams words, calls and usage", () =>
    Effect.gen(function*() {
      const server = yield* openAiChatServer({
        says: () => ({ text: ["I ", "look."], calls: [{ name: "now", arguments: { zone: "UTC" } }] })
      })
      const whole = yield* Effect.promise(() =>
        client(server.url).chat.completions.stream({
          model,
          messages: [{ role: "user", content: "Hi" }],
          stream_options: { include_usage: true }
        }).finalChatCompletion()
      )
      expect(whole.choices[0]?.message.content).toBe("I look.")
      expect(whole.choices[0]?.finish_reason).toBe("tool_calls")
      expect(whole.choices[0]?.message.tool_calls).toMatchObject([
        { id: "call_1_0", function: { name: "now", arguments: "{\"zone\":\"UTC\"}" } }
      ])
      expect(whole.usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 7 })
    }))

  it.scopedLive("refuses a call without its result, and a model that it does not have", () =>
    Effect.gen(function*() {
      const server = yield* openAiChatServer({ model })
      const ask = (name: string, calls: boolean) =>
        Effect.flip(Effect.tryPromise({
          try: () =>
            client(server.url).chat.completions.create({
              model: name,
              stream: true,
              messages: [
                { role: "user", content: "Hi" },
                ...(calls
                  ? [{
                    role: "assistant" as const,
                    tool_calls: [{ id: "c1", type: "function" as const, function: { name: "now", arguments: "{}" } }]
                  }, { role: "user" as const, content: "Well?" }]
                  : [])
              ]
            }),
          catch: (error) => error
        }))
      expect(yield* ask(model, true)).toMatchObject({
        status: 400,
        message: expect.stringContaining("did not have response messages: c1")
      })
      expect(yield* ask("absent", false)).toMatchObject({ status: 404, code: "model_not_found" })
    }))
})
