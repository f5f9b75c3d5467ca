import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Ollama } from "ollama"
import * as OllamaChat from "../../../src/adapters/ollama/OllamaChat.js"
import { chatOf, heard, partsOf } from "../../support/Chats.js"
import type { Options } from "../../support/ChatServer.js"
import { answer, call, result, user } from "../../support/Messages.js"
import { ollamaChatServer } from "../../support/OllamaChatServer.js"

const pair = (options: Options = {}, path = "") =>
  Effect.gen(function*() {
    const server = yield* ollamaChatServer(options)
    return { server, provider: yield* chatOf(OllamaChat.layer, { url: `${server.url}${path}` }) }
  })

const line = (value: unknown) => `${JSON.stringify(value)}\n`

const heardOf = (...lines: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { provider } = yield* pair({
      fault: () => ({
        kind: "answer",
        status: 200,
        body: lines.join(""),
        headers: { "content-type": "application/x-ndjson" }
      })
    })
    return yield* heard(provider, { messages: [user("Hi")] })
  })

describe("the chat provider of Ollama's wire", () => {
  it.scopedLive("puts system, exchanges and results as the wire has them", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair()
      yield* partsOf(provider, {
        system: "Be kind.",
        messages: [user("Hi"), answer("", call("c1", "now", { zone: "UTC" })), result("c1", "noon")],
        tools: [{ name: "now", description: "The time.", parameters: { type: "object", properties: {} } }],
        parameters: { temperature: 0.2, maxTokens: 50, stop: ["END"], extra: { think: true } }
      })
      expect(server.seen().calls[0]?.body).toEqual({
        model: "m-1",
        messages: [
          { role: "system", content: "Be kind." },
          { role: "user", content: "Hi" },
          { role: "assistant", content: "", tool_calls: [{ function: { name: "now", arguments: { zone: "UTC" } } }] },
          { role: "tool", content: "noon", tool_name: "look_up" }
        ],
        stream: true,
        tools: [{
          type: "function",
          function: { name: "now", description: "The time.", parameters: { type: "object", properties: {} } }
        }],
        options: { temperature: 0.2, num_predict: 50, stop: ["END"] },
        think: true
      })
    }))

  for (const path of ["", "/", "/api", "/api/chat", "/v1"]) {
    it.scopedLive(`takes an address with "${path}" behind it`, () =>
      Effect.gen(function*() {
        const { provider, server } = yield* pair({}, path)
        yield* partsOf(provider, { messages: [user("Hi")] })
        expect(server.seen().calls).toHaveLength(1)
      }))
  }

  it.scopedLive("reads a line that stands in one with its end, and the end of a server that gives no reason", () =>
    Effect.gen(function*() {
      const { failure, parts } = yield* heardOf(line({ message: { role: "assistant", content: "All." }, done: true }))
      expect(failure).toBeNull()
      expect(parts.map(({ _tag }) => _tag)).toEqual(["Text", "Usage", "Finish"])
    }))

  it.scopedLive("reads the last line without its line break", () =>
    Effect.gen(function*() {
      const { parts } = yield* heardOf(line({ message: { content: "a" } }), line({ message: {}, done: true }).trimEnd())
      expect(parts.at(-1)).toEqual({ _tag: "Finish", reason: "stop" })
    }))

  it.scopedLive("gives each call an id that no other answer gives", () =>
    Effect.gen(function*() {
      const { provider } = yield* pair({
        says: () => ({ calls: [{ name: "now", arguments: {} }, { name: "now", arguments: {} }] })
      })
      const ids = yield* Effect.forEach([1, 2, 3], () =>
        Effect.map(partsOf(provider, { messages: [user("Hi")] }), (parts) =>
          parts.flatMap((part) =>
            part._tag === "ToolCall" ? [part.call.id] : []
          )))
      expect(new Set(ids.flat()).size).toBe(6)
    }))
})

describe("the server of the tests, to Ollama's own client", () => {
  it.scopedLive("streams words, calls and its end", () =>
    Effect.gen(function*() {
      const server = yield* ollamaChatServer({
        says: () => ({
          reasoning: ["Hm."],
          text: ["I ", "look."],
          calls: [{ name: "now", arguments: { zone: "UTC" } }]
        })
      })
      const lines = yield* Effect.promise(async () => {
        const answer = await new Ollama({ host: server.url }).chat({
          model: "m-1",
          messages: [{ role: "user", content: "Hi" }],
          stream: true
        })
        const all = []
        for await (const one of answer) all.push(one)
        return all
      })
      expect(lines.map(({ message }) => message.thinking ?? "").join("")).toBe("Hm.")
      expect(lines.map(({ message }) => message.content).join("")).toBe("I look.")
      expect(lines.flatMap(({ message }) => message.tool_calls ?? [])).toMatchObject([
        { function: { name: "now", arguments: { zone: "UTC" } } }
      ])
      expect(lines.at(-1)).toMatchObject({ done: true, done_reason: "stop", eval_count: 7 })
    }))

  it.scopedLive("refuses a model that is not pulled, and breaks off with the error that its client reads", () =>
    Effect.gen(function*() {
      const server = yield* ollamaChatServer({
        model: "m-1",
        fault: () => ({ kind: "frame", after: 1, text: line({ error: "llama runner process has terminated" }) })
      })
      const ask = (model: string) =>
        Effect.flip(Effect.tryPromise({
          try: async () => {
            const request = { model, messages: [{ role: "user", content: "Hi" }], stream: true as const }
            for await (const _ of await new Ollama({ host: server.url }).chat(request)) continue
          },
          catch: (error) => error
        }))
      expect(yield* ask("absent")).toMatchObject({ status_code: 404, error: "model 'absent' not found" })
      expect(yield* ask("m-1")).toMatchObject({ message: "llama runner process has terminated" })
    }))
})
