import type * as LanguageModel from "@effect/ai/LanguageModel"
import { ChatProvider, Message } from "holdfast"
import { LanguageModelChat } from "holdfast/ai"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

/** The words of one answer, by any chat provider; it fails with a Failure, such as RateLimited. */
const ask = (text: string) =>
  Effect.flatMap(
    ChatProvider,
    ({ stream }) =>
      stream({ system: "Be brief.", messages: [Message.UserMessage.make({ text })] }).pipe(
        Stream.map((part) => part._tag === "Text" ? part.text : ""),
        Stream.mkString
      )
  )

/** `model` is what your service has, e.g. `AnthropicLanguageModel.layer({ model: "claude-sonnet-4-5" })` on its client. */
export const answer = <E, R>(text: string, model: Layer.Layer<LanguageModel.LanguageModel, E, R>) =>
  ask(text).pipe(Effect.provide(Layer.provide(
    LanguageModelChat.layer({ provider: "anthropic", model: "claude-sonnet-4-5", concurrency: 16 }),
    model
  )))
