import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Chat, ChatProvider, Settings } from "../../src/programs/index.js"
import type { ChatKind } from "../../src/programs/index.js"
import { partsOf, wires } from "../support/Chats.js"
import { user } from "../support/Messages.js"

const kinds: Readonly<Record<ChatKind, (typeof wires)[number]>> = {
  openai: wires[0],
  anthropic: wires[1],
  ollama: wires[2]
}

const chat = (given: Settings.Given) => Layer.provide(Chat, Settings.layer(given))

describe("the chat provider that the settings name", () => {
  for (const [kind, { name, start }] of Object.entries(kinds)) {
    it.scopedLive(`is of the kind ${kind}`, () =>
      Effect.gen(function*() {
        const server = yield* start({ key: "k-0123456789", model: "m-2" })
        const settings = {
          "chat.kind": kind,
          "chat.url": server.url,
          "chat.model": "m-2",
          "chat.api_key": "k-0123456789",
          "chat.concurrency": 3
        }
        yield* Effect.gen(function*() {
          const provider = yield* ChatProvider
          expect(provider).toMatchObject({ provider: name, model: "m-2", concurrency: 3 })
          expect((yield* partsOf(provider, { messages: [user("Hi")] })).at(-1)?._tag).toBe("Finish")
        }).pipe(Effect.provide(chat(settings)))
      }))
  }

  it.scopedLive("ends at its limits of time", () =>
    Effect.gen(function*() {
      const server = yield* wires[0].start({
        fault: ({ number }) => number === 1 ? { kind: "hang" } : { kind: "hang", after: 2 }
      })
      const settings = {
        "chat.url": server.url,
        "chat.model": "m-2",
        "chat.first_token_timeout": "300ms",
        "chat.token_timeout": "200ms"
      }
      yield* Effect.gen(function*() {
        const provider = yield* ChatProvider
        const first = yield* Effect.flip(partsOf(provider, { messages: [user("Hi")] }))
        expect(first).toMatchObject({ _tag: "Timeout", after: Duration.millis(300) })
        const second = yield* Effect.flip(partsOf(provider, { messages: [user("Hi")] }))
        expect(second).toMatchObject({ _tag: "Timeout", after: Duration.millis(200) })
      }).pipe(Effect.provide(chat(settings)))
    }))

  it.effect("says what is missing, all of it, before anything is asked", () =>
    Effect.gen(function*() {
      const problem = yield* Effect.flip(Effect.provide(ChatProvider, chat({ "chat.kind": "anthropic" })))
      expect(String(problem.message).split("\n")).toEqual([
        "chat.model (HOLDFAST_CHAT_MODEL) is not set: chat needs the name of the model that is to answer.",
        "chat.kind is \"anthropic\", which needs chat.api_key (HOLDFAST_CHAT_API_KEY), or chat.url where another server speaks its protocol."
      ])
    }))
})
