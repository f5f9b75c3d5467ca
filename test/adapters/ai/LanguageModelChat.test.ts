import * as Tool from "@effect/ai/Tool"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Answer from "../../../src/domain/chat/Answer.js"
import * as History from "../../../src/domain/chat/History.js"
import { AssistantMessage, Reasoning } from "../../../src/domain/chat/Message.js"
import { heard, partsOf } from "../../support/Chats.js"
import { ending, saying, scripted, text } from "../../support/LanguageModels.js"
import type { Piece } from "../../support/LanguageModels.js"
import { answer, call, lookUp, result, user } from "../../support/Messages.js"

const request = { messages: [user("Hi")] }

const tools = [lookUp]

const called = (params: unknown, more: Partial<Extract<Piece, { readonly type: "tool-call" }>> = {}): Piece => ({
  type: "tool-call",
  id: "c1",
  name: "look_up",
  params,
  ...more
})

describe("the chat provider of a LanguageModel", () => {
  it.effect("hands out text, what it took and why it ended", () =>
    Effect.gen(function*() {
      const { provider } = yield* saying(
        { type: "response-metadata", id: "r", modelId: "m-1", timestamp: undefined },
        { type: "text-start", id: "t" },
        text("Hello"),
        text(""),
        text(" you"),
        { type: "text-end", id: "t" },
        { type: "source", sourceType: "url", id: "s", url: "https://example.com", title: "x" },
        ending("stop", { inputTokens: 12, outputTokens: 7, cachedInputTokens: 4 }),
        text("never")
      )
      expect(yield* partsOf(provider, request)).toEqual([
        { _tag: "Text", text: "Hello" },
        { _tag: "Text", text: " you" },
        { _tag: "Usage", usage: { input: 12, output: 7, cached: 4 } },
        { _tag: "Finish", reason: "stop" }
      ])
      expect([provider.provider, provider.model, provider.concurrency]).toEqual(["house", "m-1", 4])
    }))

  it.effect.each(
    [
      ["stop", "stop"],
      ["length", "length"],
      ["tool-calls", "tool-calls"],
      ["pause", "other"],
      ["other", "other"],
      ["unknown", "other"]
    ] as const
  )("ends with a reason of the closed set where the model says %s", ([told, reason]) =>
    Effect.gen(function*() {
      const { provider } = yield* saying(ending(told))
      expect(yield* partsOf(provider, request)).toEqual([{ _tag: "Finish", reason }])
    }))

  it.effect("describes its tools by their own JSON Schema, and runs none of the calls", () =>
    Effect.gen(function*() {
      const { asked, provider } = yield* saying(
        { type: "tool-params-start", id: "c1", name: "look_up" },
        { type: "tool-params-delta", id: "c1", delta: "{\"word\":" },
        { type: "tool-params-end", id: "c1" },
        called({ word: "a", more: { n: [1] } }),
        called({ word: "b" }, { id: "c2", providerExecuted: true }),
        called({}, { id: "c3" }),
        ending("stop")
      )
      expect(yield* partsOf(provider, { ...request, tools })).toEqual([
        { _tag: "ToolCall", call: call("c1", "look_up", { word: "a", more: { n: [1] } }) },
        { _tag: "ToolCall", call: call("c3", "look_up", {}) },
        { _tag: "Finish", reason: "tool-calls" }
      ])
      expect(asked[0]?.toolChoice).toBe("auto")
      expect(
        asked[0]?.tools.map((tool) => [
          tool.name,
          tool.description,
          Tool.getJsonSchemaFromSchemaAst(tool.parametersSchema.ast)
        ])
      ).toEqual([["look_up", "Looks a word up.", tools[0]?.parameters]])
    }))

  it.effect("takes a call that cannot be run for a broken contract", () =>
    Effect.gen(function*() {
      for (const broken of [called({}, { id: "" }), called("word"), called([1]), called({}, { name: "unheard_of" })]) {
        const { provider } = yield* saying(text("I look."), broken, ending())
        const { failure } = yield* heard(provider, { ...request, tools })
        expect(failure?._tag).toBe("MalformedResponse")
      }
    }))

  it.effect("tells system, questions, answers, calls and results in their order", () =>
    Effect.gen(function*() {
      const { asked, provider } = yield* saying(text("ok"), ending())
      const messages = [
        user("one?"),
        answer("I look.", call("c1"), call("c2")),
        result("c2", "{\"found\":true}"),
        result("c1", "{\"id\":12345678901234567890}", true),
        answer("", call("c3")),
        result("c3", "plain"),
        answer("One."),
        user("two?")
      ]
      expect(History.problem(messages)).toEqual(Option.none())
      yield* partsOf(provider, { system: "Be kind.", messages, tools })
      const told = (id: string, is: unknown, isFailure = false) => ({
        type: "tool-result",
        id,
        name: "look_up",
        result: is,
        isFailure
      })
      expect(asked[0]?.prompt.content).toMatchObject([
        { role: "system", content: "Be kind." },
        { role: "user", content: [{ type: "text", text: "one?" }] },
        {
          role: "assistant",
          content: [
            { type: "text", text: "I look." },
            { type: "tool-call", id: "c1", name: "look_up", params: { id: "c1" } },
            { type: "tool-call", id: "c2", name: "look_up", params: { id: "c2" } }
          ]
        },
        { role: "tool", content: [told("c2", { found: true }), told("c1", "{\"id\":12345678901234567890}", true)] },
        { role: "assistant", content: [{ type: "tool-call", id: "c3" }] },
        { role: "tool", content: [told("c3", "plain")] },
        { role: "assistant", content: [{ type: "text", text: "One." }] },
        { role: "user", content: [{ type: "text", text: "two?" }] }
      ])
    }))

  it.effect("gives reasoning back to who proved it, and to nobody else", () =>
    Effect.gen(function*() {
      const sealed = { anthropic: { type: "redacted_thinking", redactedData: "xyz" } } as const
      const { asked, provider } = yield* saying(
        { type: "reasoning-start", id: "0" },
        { type: "reasoning-delta", id: "0", delta: "Hm" },
        { type: "reasoning-delta", id: "0", delta: "." },
        { type: "reasoning-delta", id: "0", delta: "", metadata: { anthropic: { type: "thinking", signature: "s1" } } },
        { type: "reasoning-end", id: "0", metadata: { anthropic: { signature: null }, other: undefined } },
        { type: "reasoning-start", id: "1", metadata: sealed },
        { type: "reasoning-end", id: "1" },
        { type: "reasoning-end", id: "2" },
        text("Yes."),
        ending()
      )
      const parts = yield* partsOf(provider, request)
      const { message } = Option.getOrThrow(Answer.whole(parts.reduce(Answer.add, Answer.nothing)))
      expect(message.content).toMatchObject([
        { _tag: "Reasoning", text: "Hm.", proof: { provider: "house", kind: "signature" } },
        { _tag: "Reasoning", text: "", proof: { provider: "house", kind: "cipher" } },
        { _tag: "Text", text: "Yes." }
      ])
      const foreign = AssistantMessage.make({
        content: [
          Reasoning.make({ text: "Mine.", proof: { provider: "another", kind: "signature", value: "{}" } }),
          Reasoning.make({ text: "Old.", proof: { provider: "house", kind: "signature", value: "not JSON" } }),
          Reasoning.make({ text: "Free.", proof: null }),
          ...answer("Well.").content
        ]
      })
      yield* partsOf(provider, { messages: [user("Hi"), message, user("And?"), foreign, user("So?")] })
      expect(asked[1]?.prompt.content[1]?.content).toMatchObject([
        { type: "reasoning", text: "Hm.", options: { anthropic: { type: "thinking", signature: "s1" } } },
        { type: "reasoning", text: "", options: sealed },
        { type: "text", text: "Yes." }
      ])
      expect(asked[1]?.prompt.content[3]?.content).toMatchObject([{ type: "text", text: "Well." }])
    }))

  it.effect("keeps one proof of reasoning in several blocks", () =>
    Effect.gen(function*() {
      const metadata = { openai: { itemId: "rs_1", encryptedContent: "e" } }
      const { provider } = yield* saying(
        { type: "reasoning-start", id: "0", metadata },
        { type: "reasoning-delta", id: "0", delta: "a" },
        { type: "reasoning-start", id: "1", metadata },
        { type: "reasoning-delta", id: "1", delta: "b" },
        { type: "reasoning-end", id: "0", metadata },
        { type: "reasoning-end", id: "1", metadata },
        ending()
      )
      const parts = yield* partsOf(provider, request)
      expect(parts.reduce(Answer.add, Answer.nothing).content).toMatchObject([
        { text: "ab", proof: { value: JSON.stringify(metadata) } }
      ])
    }))

  it.effect("refuses what the model cannot be told, before it is asked", () =>
    Effect.gen(function*() {
      const { asked, provider } = yield* saying(text("ok"), ending())
      const other = yield* heard(provider, { ...request, model: "m-2" })
      expect(other.failure).toMatchObject({
        _tag: "InvalidRequest",
        detail: "this LanguageModel cannot be told: model m-2"
      })
      const extra = yield* heard(provider, { ...request, parameters: { extra: { seed: 1 } } })
      expect(extra.failure?.detail).toContain("parameters.extra")
      expect(asked).toEqual([])
      expect((yield* heard(provider, { ...request, model: "m-1", parameters: {} })).failure).toBeNull()
    }))

  it.effect("tells model and parameters by the configuration that is made of them", () =>
    Effect.gen(function*() {
      class Config extends Context.Tag("test/Config")<Config, unknown>() {}
      const { provider } = yield* scripted(
        () =>
          Stream.unwrap(Effect.map(Effect.context<never>(), (context) =>
            Stream.make(text(JSON.stringify(Option.getOrNull(Context.getOption(context, Config)))), ending()))),
        {
          configure: (wanted) =>
            Context.make(Config, wanted)
        }
      )
      const [first] = yield* partsOf(provider, { ...request, model: "m-2", parameters: { maxTokens: 5 } })
      expect(first).toEqual({ _tag: "Text", text: "{\"model\":\"m-2\",\"parameters\":{\"maxTokens\":5}}" })
    }))
})

describe("the end of a LanguageModel's answer", () => {
  it.effect("is a failure where it breaks off, with what was said before", () =>
    Effect.gen(function*() {
      for (const said of [[], [text("So")]]) {
        const { provider } = yield* saying(...said)
        const { failure, parts } = yield* heard(provider, request)
        expect(failure).toMatchObject({ _tag: "MalformedResponse", detail: "the answer breaks off before its end" })
        expect(parts).toHaveLength(said.length)
      }
    }))

  it.effect("ends the model's stream, whoever has read enough or is stopped, and gives the turn back", () =>
    Effect.gen(function*() {
      let ended = 0
      const begun = yield* Deferred.make<void>()
      const { asked, provider } = yield* scripted(
        () =>
          Stream.concat(Stream.make(text("So")), Stream.never).pipe(
            Stream.ensuring(Effect.sync(() => {
              ended += 1
            }))
          ),
        { concurrency: 1 }
      )
      const first = yield* provider.stream(request).pipe(Stream.take(1), Stream.runCollect)
      expect([first.length, ended]).toEqual([1, 1])
      const reading = yield* provider.stream(request).pipe(
        Stream.runForEach(() => Deferred.succeed(begun, undefined)),
        Effect.fork
      )
      yield* Deferred.await(begun)
      const waiting = yield* Effect.fork(partsOf(provider, request))
      yield* Effect.yieldNow()
      expect(asked).toHaveLength(2)
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(reading)
      expect(ended).toBe(2)
      yield* provider.stream(request).pipe(Stream.take(1), Stream.runDrain)
      expect(asked).toHaveLength(3)
    }))

  it.effect("tells how long its first and its next piece were waited for", () =>
    Effect.gen(function*() {
      const { provider } = yield* scripted(
        ({ prompt }) =>
          Stream.concat(
            prompt.content.length === 1
              ? Stream.make<[Piece]>({ type: "response-metadata", id: "r", modelId: "m-1", timestamp: undefined })
              : Stream.make(text("So")),
            Stream.never
          ),
        { firstTokenTimeout: "3 minutes", tokenTimeout: "30 seconds" }
      )
      const wait = (asked: typeof request & { readonly system?: string }, after: Duration.DurationInput) =>
        Effect.gen(function*() {
          const reading = yield* Effect.fork(heard(provider, asked))
          yield* TestClock.adjust(after)
          return yield* Fiber.join(reading)
        })
      const first = yield* wait(request, "3 minutes")
      expect(first).toMatchObject({ parts: [], failure: { _tag: "Timeout", after: Duration.minutes(3) } })
      const next = yield* wait({ ...request, system: "x" }, "30 seconds")
      expect(next).toMatchObject({
        parts: [{ text: "So" }],
        failure: { _tag: "Timeout", after: Duration.seconds(30) }
      })
    }))

  it.effect("is as good as the stream's own, which is waited for a moment alone", () =>
    Effect.gen(function*() {
      const { provider } = yield* scripted(() => Stream.concat(Stream.make(text("So"), ending()), Stream.never))
      const reading = yield* Effect.fork(heard(provider, request))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(reading)).toMatchObject({ failure: null, parts: [{ text: "So" }, { reason: "stop" }] })
    }))
})
