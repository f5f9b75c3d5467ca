import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as AnthropicChat from "../../src/adapters/anthropic/AnthropicChat.js"
import * as OllamaChat from "../../src/adapters/ollama/OllamaChat.js"
import * as OpenAiChat from "../../src/adapters/openai/OpenAiChat.js"
import { ChatConfig } from "../../src/domain/chat/ChatConfig.js"
import { ChatProvider } from "../../src/domain/chat/ChatProvider.js"
import type { ChatRequest, Part } from "../../src/domain/chat/ChatProvider.js"
import type { Options } from "./ChatServer.js"
import { anthropicChatServer } from "./AnthropicChatServer.js"
import { ollamaChatServer } from "./OllamaChatServer.js"
import { openAiChatServer } from "./OpenAiChatServer.js"

/** Settings of a chat provider as a test writes them. */
export interface Settings {
  readonly url: string
  readonly model?: string
  readonly apiKey?: string
  readonly concurrency?: number
  readonly firstTokenTimeout?: Duration.DurationInput
  readonly tokenTimeout?: Duration.DurationInput
}

/** The provider of a layer under these settings; it ends with the scope. */
export const chatOf = <E>(layer: Layer.Layer<ChatProvider, E, ChatConfig>, settings: Settings) =>
  Effect.map(
    Layer.build(Layer.provide(
      layer,
      Layer.succeed(ChatConfig, {
        url: Option.some(new URL(settings.url)),
        model: settings.model ?? "m-1",
        apiKey: Option.map(Option.fromNullable(settings.apiKey), Redacted.make),
        concurrency: Option.fromNullable(settings.concurrency),
        firstTokenTimeout: Duration.decode(settings.firstTokenTimeout ?? "10 seconds"),
        tokenTimeout: Duration.decode(settings.tokenTimeout ?? "10 seconds")
      })
    )),
    Context.get(ChatProvider)
  )

/**
 * Each wire: its server and its adapter. The answer "Hello, world" has `frames`, its text stands in those from `text` on, and it is
 * whole with the first `whole` of them.
 */
export const wires = [
  {
    name: "openai",
    start: openAiChatServer,
    layer: OpenAiChat.layer,
    frames: 7,
    text: 1,
    whole: 5,
    event: (json: string) => `data: ${json}\n\n`
  },
  {
    name: "anthropic",
    start: anthropicChatServer,
    layer: AnthropicChat.layer,
    frames: 9,
    text: 3,
    whole: 9,
    event: (json: string) => `event: error\ndata: ${json}\n\n`
  },
  {
    name: "ollama",
    start: ollamaChatServer,
    layer: OllamaChat.layer,
    frames: 4,
    text: 0,
    whole: 4,
    event: (json: string) => `${json}\n`
  }
] as const

/** All parts of an answer; fails as its stream does. */
export const partsOf = (provider: ChatProvider["Type"], request: ChatRequest) =>
  Effect.map(Stream.runCollect(provider.stream(request)), Chunk.toReadonlyArray)

/** What arrived of an answer, and how it ended. */
export const heard = (provider: ChatProvider["Type"], request: ChatRequest) =>
  Effect.suspend(() => {
    const parts: Array<Part> = []
    return provider.stream(request).pipe(
      Stream.runForEach((part) => Effect.sync(() => parts.push(part))),
      Effect.either,
      Effect.map((ended) => ({ parts, failure: Option.getOrNull(Either.getLeft(ended)) }))
    )
  })

/** The text of these parts. */
export const textOf = (parts: ReadonlyArray<Part>): string =>
  parts.map((part) => part._tag === "Text" ? part.text : "").join("")

/** What a model says that reasons and looks two words up, and answers once it has them. */
export const looksUp: NonNullable<Options["says"]> = ({ number }) =>
  number === 1
    ? {
      reasoning: ["Hm."],
      calls: [{ name: "look_up", arguments: { word: "a" } }, { name: "look_up", arguments: { word: "b" } }]
    }
    : { text: ["Both."] }
