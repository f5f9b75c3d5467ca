import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { Failure } from "../failure/Failure.js"
import type { Message, Proof, ToolCall } from "./Message.js"

/** A tool as a model is told of it. `parameters` is the JSON Schema of its arguments, an object's. */
export interface Tool {
  readonly name: string
  readonly description: string
  readonly parameters: Readonly<Record<string, unknown>>
}

/** How the answer is to be made. What is left out is the provider's to choose. */
export interface Parameters {
  readonly temperature?: number
  /** The most tokens of the answer. */
  readonly maxTokens?: number
  readonly stop?: ReadonlyArray<string>
  /** Members of the request that only this provider knows, put into it as they stand. */
  readonly extra?: Readonly<Record<string, unknown>>
}

/** One request. Its messages must be what `History.problem` finds nothing wrong with: all providers refuse others, some for ever. */
export interface ChatRequest {
  /** The configured model unless told. */
  readonly model?: string
  readonly system?: string
  readonly messages: ReadonlyArray<Message>
  readonly tools?: ReadonlyArray<Tool>
  readonly parameters?: Parameters
}

/** Why an answer ended. `other` where the provider's word is none that is known. */
export const FinishReason = Schema.Literal("stop", "length", "tool-calls", "other")
export type FinishReason = typeof FinishReason.Type

/** Tokens as the provider counted them. `cached` is the part of the input that it had read before. */
export const Usage = Schema.Struct({ input: Schema.Number, output: Schema.Number, cached: Schema.Number })
export type Usage = typeof Usage.Type

/** A piece of an answer, in the order in which it arrived. */
export type Part = Data.TaggedEnum<{
  Text: { readonly text: string }
  /** A proof closes the reasoning before it; one with a proof alone has an empty text. */
  Reasoning: { readonly text: string; readonly proof: Proof | null }
  /** A whole call: its arguments were read to their end. */
  ToolCall: { readonly call: ToolCall }
  Usage: { readonly usage: Usage }
  /** The last part of every answer. */
  Finish: { readonly reason: FinishReason }
}>
export const Part = Data.taggedEnum<Part>()

/**
 * Answers questions. One run of `stream` is one request on the wire, or a second one where the server refused how the first was put;
 * ending it early closes the request. It ends with `Part.Finish`, or fails: an answer that breaks off never ends well.
 */
export class ChatProvider extends Context.Tag("holdfast/ChatProvider")<ChatProvider, {
  /** The name that gates and cooldowns are kept by. */
  readonly provider: string
  /** The model that is asked where a request names none. */
  readonly model: string
  /** Answers that may be under way at once in this process. */
  readonly concurrency: number
  readonly stream: (request: ChatRequest) => Stream.Stream<Part, Failure>
}>() {}
