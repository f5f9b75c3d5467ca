import * as Prompt from "@effect/ai/Prompt"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ChatRequest } from "../../domain/chat/ChatProvider.js"
import type { AssistantMessage, Content, ToolCall, ToolResult } from "../../domain/chat/Message.js"
import * as ReasoningProof from "./ReasoningProof.js"

/** What a LanguageModel is asked. */

const called = ({ arguments: params, id, name }: ToolCall) =>
  Prompt.toolCallPart({ id, name, params, providerExecuted: false })

/** A part of an answer; none where it is blank, which some providers refuse. Reasoning is told to the one who gave it alone. */
const part = (provider: string) => (one: Content): ReadonlyArray<Prompt.AssistantMessagePart> => {
  switch (one._tag) {
    case "Text":
      return one.text.trim() === "" ? [] : [Prompt.textPart({ text: one.text })]
    case "ToolCall":
      return [called(one)]
    case "Reasoning":
      return Option.match(ReasoningProof.read(one.proof, provider), {
        onNone: () => [],
        onSome: (options) => [Prompt.reasoningPart({ text: one.text, options })]
      })
  }
}

const assistant = (message: AssistantMessage, provider: string) =>
  Prompt.assistantMessage({ content: message.content.flatMap(part(provider)) })

const parsed = Schema.decodeOption(Schema.parseJson())

/**
 * The text of a result as LanguageModels take it: they put it into JSON themselves, which would quote what is JSON already. Only what
 * comes out as it went in is read, lest a long number lose its digits.
 */
const resultOf = (text: string): unknown =>
  Option.getOrElse(Option.filter(parsed(text), (value) => JSON.stringify(value) === text), () => text)

const result = ({ failed, id, name, text }: ToolResult) =>
  Prompt.toolResultPart({ id, name, isFailure: failed, result: resultOf(text), providerExecuted: false })

/** The prompt of a request. The results of one round stand in one message. `provider` is the name of who is asked. */
export const make = ({ messages, system }: ChatRequest, provider: string): Prompt.Prompt => {
  const made: Array<Prompt.Message> = []
  let round: Array<ToolResult> = []
  const endRound = () => {
    if (round.length > 0) made.push(Prompt.toolMessage({ content: round.map(result) }))
    round = []
  }
  if (system !== undefined && system.trim() !== "") made.push(Prompt.systemMessage({ content: system }))
  for (const message of messages) {
    if (message._tag === "ToolResult") {
      round.push(message)
      continue
    }
    endRound()
    made.push(
      message._tag === "User"
        ? Prompt.userMessage({ content: [Prompt.textPart({ text: message.text })] })
        : assistant(message, provider)
    )
  }
  endRound()
  return Prompt.fromMessages(made)
}
