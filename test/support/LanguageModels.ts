import type * as AiError from "@effect/ai/AiError"
import * as LanguageModel from "@effect/ai/LanguageModel"
import type * as Response from "@effect/ai/Response"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as LanguageModelChat from "../../src/adapters/ai/LanguageModelChat.js"
import { ChatProvider } from "../../src/domain/chat/ChatProvider.js"

export type Piece = Response.StreamPartEncoded
export type Script = (asked: LanguageModel.ProviderOptions) => Stream.Stream<Piece, AiError.AiError>

/** Parts of a model's stream as tests write them. */
export const text = (delta: string): Piece => ({ type: "text-delta", id: "t", delta })

export const ending = (reason: Response.FinishReason = "stop", usage: Partial<Response.Usage> = {}): Piece => ({
  type: "finish",
  reason,
  usage: { inputTokens: undefined, outputTokens: undefined, totalTokens: undefined, ...usage }
})

/** The chat provider of a model that streams what the script says, and what that model was asked. */
export const scripted = (script: Script, options: Partial<LanguageModelChat.Options> = {}) =>
  Effect.gen(function*() {
    const asked: Array<LanguageModel.ProviderOptions> = []
    const model = yield* LanguageModel.make({
      generateText: () => Effect.dieMessage("only streams are asked for"),
      streamText: (given) =>
        Stream.suspend(() => {
          asked.push(given)
          return script(given)
        })
    })
    const provider = yield* LanguageModelChat.make({ provider: "house", model: "m-1", concurrency: 4, ...options })
      .pipe(
        Effect.provideService(LanguageModel.LanguageModel, model)
      )
    return { asked, provider: ChatProvider.of(provider) }
  })

/** The same where each answer is these parts. */
export const saying = (...parts: ReadonlyArray<Piece>) => scripted(() => Stream.fromIterable(parts))
