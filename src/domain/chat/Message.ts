import * as Schema from "effect/Schema"

/**
 * What is said in a thread, as a model is told it. An exchange is a question and all that answers it: rounds of tool calls with their
 * results, and the last answer.
 */

export const ToolCallId = Schema.NonEmptyString.pipe(Schema.brand("ToolCallId"))
export type ToolCallId = typeof ToolCallId.Type

/** JSON of an object, as a tool takes it. */
export const Arguments = Schema.Record({ key: Schema.String, value: Schema.Unknown })
export type Arguments = typeof Arguments.Type

export const Text = Schema.TaggedStruct("Text", { text: Schema.String })
export type Text = typeof Text.Type

/** What a provider wants back unchanged with the reasoning that it gave: a signature, or the reasoning itself as a cipher. */
export const Proof = Schema.Struct({
  /** Who gave it, by its name as configured: nobody else can read it. */
  provider: Schema.String,
  kind: Schema.Literal("signature", "cipher"),
  value: Schema.String
})
export type Proof = typeof Proof.Type

export const Reasoning = Schema.TaggedStruct("Reasoning", { text: Schema.String, proof: Schema.NullOr(Proof) })
export type Reasoning = typeof Reasoning.Type

export const ToolCall = Schema.TaggedStruct("ToolCall", { id: ToolCallId, name: Schema.String, arguments: Arguments })
export type ToolCall = typeof ToolCall.Type

export const Content = Schema.Union(Text, Reasoning, ToolCall)
export type Content = typeof Content.Type

export const UserMessage = Schema.TaggedStruct("User", { text: Schema.String })
export type UserMessage = typeof UserMessage.Type

export const AssistantMessage = Schema.TaggedStruct("Assistant", { content: Schema.Array(Content) })
export type AssistantMessage = typeof AssistantMessage.Type

/** What one tool call came to. `failed` where the tool itself says so: the model is told, and may do better. */
export const ToolResult = Schema.TaggedStruct("ToolResult", {
  id: ToolCallId,
  name: Schema.String,
  text: Schema.String,
  failed: Schema.Boolean
})
export type ToolResult = typeof ToolResult.Type

export const Message = Schema.Union(UserMessage, AssistantMessage, ToolResult)
export type Message = typeof Message.Type

/** The tool calls of a message, in order. */
export const calls = (message: AssistantMessage): ReadonlyArray<ToolCall> =>
  message.content.filter((one) => one._tag === "ToolCall")

/** What a person reads of an answer. */
export const textOf = (message: AssistantMessage): string =>
  message.content.map((one) => one._tag === "Text" ? one.text : "").join("")
