import * as LanguageModel from "@effect/ai/LanguageModel"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ChatProvider } from "../../domain/chat/ChatProvider.js"
import type { ChatRequest, Parameters } from "../../domain/chat/ChatProvider.js"
import * as Permits from "../http/chat/Permits.js"
import type { Peer } from "../http/WireFailure.js"
import * as AiFailure from "./AiFailure.js"
import * as AnswerStream from "./AnswerStream.js"
import * as ChatPrompt from "./ChatPrompt.js"
import * as DescribedTools from "./DescribedTools.js"

/** What a request asks for beyond its prompt and its tools. */
export interface Wanted {
  readonly model: string
  readonly parameters: Parameters
}

export interface Options {
  /** The name that gates and cooldowns are kept by. */
  readonly provider: string
  /** The model that the layer of the LanguageModel names. */
  readonly model: string
  /** Answers that may be under way at once in this process. */
  readonly concurrency: number
  /**
   * How this LanguageModel is told of another model, and of parameters: its own configuration, for one request. Without it, a request
   * that wants any of them fails.
   */
  readonly configure?: (wanted: Wanted) => Context.Context<never>
  /** From the request to the first piece of its answer; two minutes unless told. */
  readonly firstTokenTimeout?: Duration.DurationInput
  /** From one piece of an answer to the next; one minute unless told. */
  readonly tokenTimeout?: Duration.DurationInput
}

/** What a request wants that a LanguageModel by itself cannot be told. */
const unheard = ({ model, parameters = {} }: ChatRequest, configured: string): Option.Option<string> => {
  const given = Object.entries(parameters).flatMap(([name, value]) => value === undefined ? [] : [`parameters.${name}`])
  const [first] = [...(model === undefined || model === configured ? [] : [`model ${model}`]), ...given]
  return Option.fromNullable(first)
}

/**
 * A chat provider of the LanguageModel in context. Its tools are described to the model and never run by it. What @effect/ai has no word
 * for is handled so: another `model` and all `parameters`, `extra` included, are for `configure` to tell, and fail as InvalidRequest
 * before any call where there is none; a call of a tool that was not described is a MalformedResponse; reasoning goes back to the
 * provider that proved it, and is else left out; metadata of text and of calls is not kept; usage is as the model's package counts it.
 */
export const make = (options: Options): Effect.Effect<ChatProvider["Type"], never, LanguageModel.LanguageModel> =>
  Effect.gen(function*() {
    const { concurrency, configure, model, provider } = options
    const languageModel = yield* LanguageModel.LanguageModel
    const permits = yield* Effect.makeSemaphore(concurrency)
    const limits = {
      first: Duration.decode(options.firstTokenTimeout ?? "2 minutes"),
      between: Duration.decode(options.tokenTimeout ?? "1 minute")
    }

    const answer = (request: ChatRequest) => {
      const configuration = configure?.({
        model: request.model ?? model,
        parameters: request.parameters ?? {}
      }) ?? Context.empty()
      return languageModel.streamText({
        prompt: ChatPrompt.make(request, provider),
        toolkit: DescribedTools.toolkit(request.tools ?? []),
        disableToolCallResolution: true
      }).pipe(Stream.mapInputContext((context: Context.Context<never>) => Context.merge(context, configuration)))
    }

    const stream = (request: ChatRequest) => {
      const asked = request.model ?? model
      const peer: Peer = { provider, surface: "chat", auth: "key", model: asked }
      const refused = configure === undefined ? unheard(request, model) : Option.none()
      return Stream.unwrapScoped(
        Option.match(refused, {
          onSome: (what) => Effect.fail(AiFailure.notAskable(peer, `this LanguageModel cannot be told: ${what}`)),
          onNone: () => Effect.map(Permits.take(permits), () => AnswerStream.parts(peer, limits, answer(request)))
        })
      ).pipe(Stream.withSpan("ChatProvider.stream", { attributes: { provider, model: asked } }))
    }

    return { provider, model, concurrency, stream }
  })

/** A chat provider of the LanguageModel in context, as a Layer. */
export const layer = (options: Options): Layer.Layer<ChatProvider, never, LanguageModel.LanguageModel> =>
  Layer.effect(ChatProvider, make(options))
