import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Answer from "../../../../src/domain/chat/Answer.js"
import type { ChatRequest } from "../../../../src/domain/chat/ChatProvider.js"
import * as History from "../../../../src/domain/chat/History.js"
import type { Message } from "../../../../src/domain/chat/Message.js"
import { chatOf, looksUp, partsOf, wires } from "../../../support/Chats.js"
import type { Options } from "../../../support/ChatServer.js"
import { answer, anyTurns, call, lookUp, result, resultsOf, user } from "../../../support/Messages.js"

const asking = (...messages: ReadonlyArray<Message>): ChatRequest => ({ messages })

const tools = [lookUp]

const toolExchange = [
  user("What is the weather?"),
  answer("I look.", call("call_1", "weather", { city: "Oslo" }), call("call_2", "weather", { city: "Rome" })),
  result("call_2", "warm"),
  result("call_1", "cold", true)
]

describe.each(wires)("an answer over the wire of $name", ({ layer, name, start }) => {
  const pair = (options: Options = {}) =>
    Effect.gen(function*() {
      const server = yield* start(options)
      return { server, provider: yield* chatOf(layer, { url: server.url }) }
    })

  it.scopedLive("arrives piece by piece, with what it took and why it ended", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair()
      expect(yield* partsOf(provider, asking(user("Hi")))).toEqual([
        { _tag: "Text", text: "Hello" },
        { _tag: "Text", text: ", " },
        { _tag: "Text", text: "world" },
        { _tag: "Usage", usage: { input: 12, output: 7, cached: name === "ollama" ? 0 : 4 } },
        { _tag: "Finish", reason: "stop" }
      ])
      expect(server.seen().calls).toHaveLength(1)
    }))

  it.scopedLive("may be reasoned, and call several tools at once", () =>
    Effect.gen(function*() {
      const { provider } = yield* pair({
        says: () => ({
          reasoning: ["The user ", "wants both."],
          text: ["I look."],
          calls: [{ name: "weather", arguments: { city: "Oslo", note: "\"ø\" {" } }, { name: "now", arguments: {} }]
        })
      })
      const parts = yield* partsOf(provider, { ...asking(user("Hi")), tools })
      const { finish, message } = Option.getOrThrow(Answer.whole(parts.reduce(Answer.add, Answer.nothing)))
      expect(finish).toBe("tool-calls")
      expect(message.content).toMatchObject([
        {
          _tag: "Reasoning",
          text: "The user wants both.",
          proof: name === "anthropic" ? { provider: "anthropic", kind: "signature", value: "sig_1" } : null
        },
        { _tag: "Text", text: "I look." },
        { _tag: "ToolCall", name: "weather", arguments: { city: "Oslo", note: "\"ø\" {" } },
        { _tag: "ToolCall", name: "now", arguments: {} }
      ])
    }))

  it.scopedLive("is continued with its reasoning, calls and results, which the server finds in order", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair({ says: looksUp })
      const first = yield* partsOf(provider, { ...asking(user("Hi")), tools })
      const { message } = Option.getOrThrow(Answer.whole(first.reduce(Answer.add, Answer.nothing)))
      const results = resultsOf(message)
      yield* partsOf(provider, { ...asking(user("Hi"), message, ...results), tools })
      expect(server.seen().calls.map(({ refused }) => refused)).toEqual([null, null])
      expect(results).toHaveLength(2)
    }))

  it.scopedLive("is the same, wherever the network cuts its bytes", () =>
    Effect.gen(function*() {
      const says = () => ({
        reasoning: ["größer", " als 日本"],
        text: ["žluťoučký ", "🐎\r\n\n", "data: x"],
        calls: [{ name: "look_up", arguments: { word: "日本語\n🐎" } }]
      })
      const whole = yield* pair({ says })
      const expected = yield* partsOf(whole.provider, asking(user("Hi")))
      for (const chunk of [1, 2, 7]) {
        const cut = yield* pair({ says, chunk })
        const parts = yield* partsOf(cut.provider, asking(user("Hi")))
        const shown = (all: typeof parts) => all.map((one) => one._tag === "ToolCall" ? { ...one.call, id: "" } : one)
        expect(shown(parts)).toEqual(shown(expected))
      }
    }))

  it.scopedLive("says that it was too long", () =>
    Effect.gen(function*() {
      const { provider } = yield* pair({
        says: () => ({ text: ["Once upon"], finish: name === "anthropic" ? "max_tokens" : "length" })
      })
      const parts = yield* partsOf(provider, asking(user("Hi")))
      expect(parts.at(-1)).toEqual({ _tag: "Finish", reason: "length" })
    }))

  it.scopedLive("is asked with a history that the server never refuses, whatever became of the turns before", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair({ says: () => ({ text: ["ok"] }) })
      const threads = FastCheck.sample(anyTurns, { numRuns: 150, seed: 7 })
      yield* Effect.forEach(threads, (turns) => {
        const messages = [...History.exchanges(turns).flat(), user("and now?")]
        return partsOf(provider, { system: "Be kind.", messages, tools })
      }, { concurrency: 4, discard: true })
      expect(server.seen().calls.filter(({ refused }) => refused !== null)).toEqual([])
      expect(server.seen().calls).toHaveLength(150)
    }))

  it.scopedLive("is refused where a tool call has no result, as the real server does", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair()
      const failure = yield* Effect.flip(partsOf(provider, asking(...toolExchange.slice(0, 3))))
      expect(failure._tag).toBe("InvalidRequest")
      expect(failure.detail).toContain(
        {
          openai: "did not have response messages: call_1",
          anthropic: "call_1. Each `tool_use`",
          ollama: "without a response"
        }[name]
      )
      expect(server.seen().calls[0]?.refused).not.toBeNull()
    }))

  it.scopedLive("leaves its connection to the next one", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* pair()
      for (let turn = 0; turn < 20; turn++) yield* partsOf(provider, asking(user("Hi")))
      expect(server.seen().connections).toBeLessThanOrEqual(2)
    }))

  it.scopedLive("shows its key to the server and to nobody else", () =>
    Effect.gen(function*() {
      const server = yield* start({ key: "sk-right-0123456789" })
      const right = yield* chatOf(layer, { url: server.url, apiKey: "sk-right-0123456789" })
      expect((yield* partsOf(right, asking(user("Hi")))).at(-1)).toEqual({ _tag: "Finish", reason: "stop" })
      const wrong = yield* chatOf(layer, { url: server.url, apiKey: "sk-wrong-0123456789" })
      const failure = yield* Effect.flip(partsOf(wrong, asking(user("Hi"))))
      expect(failure._tag).toBe("AuthenticationFailed")
      expect(JSON.stringify(failure)).not.toContain("sk-wrong-0123456789")
    }))
})
