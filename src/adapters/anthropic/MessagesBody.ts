import type { Asked } from "../http/chat/HttpChat.js"
import type { AssistantMessage, Content, Message, ToolResult } from "../../domain/chat/Message.js"

/** What is asked of a server of `POST /v1/messages`. */

/** The wire wants a limit with each request; all models that are served take this one. */
const mostTokens = 8192

/** Ids that another provider made may hold what this one refuses. */
const idOf = (id: string): string => id.replace(/[^\w-]/gu, "_")

/** A block of an answer; none where it is blank, which is refused, or where another provider reasoned. */
const block = (provider: string) => (one: Content): ReadonlyArray<unknown> => {
  switch (one._tag) {
    case "Text":
      return one.text.trim() === "" ? [] : [{ type: "text", text: one.text }]
    case "ToolCall":
      return [{ type: "tool_use", id: idOf(one.id), name: one.name, input: one.arguments }]
    case "Reasoning":
      return one.proof?.provider !== provider
        ? []
        : one.proof.kind === "cipher"
        ? [{ type: "redacted_thinking", data: one.proof.value }]
        : [{ type: "thinking", thinking: one.text, signature: one.proof.value }]
  }
}

const assistant = (message: AssistantMessage, provider: string) => ({
  role: "assistant",
  content: message.content.flatMap(block(provider))
})

const resultBlock = ({ failed, id, text }: ToolResult) => ({
  type: "tool_result",
  tool_use_id: idOf(id),
  content: text,
  ...(failed ? { is_error: true } : {})
})

/** The results of one round stand in one message. */
const results = (all: ReadonlyArray<ToolResult>) => ({ role: "user", content: all.map(resultBlock) })

const messagesOf = (messages: ReadonlyArray<Message>, provider: string): ReadonlyArray<unknown> => {
  const made: Array<unknown> = []
  let round: Array<ToolResult> = []
  for (const message of messages) {
    if (message._tag === "ToolResult") {
      round.push(message)
      continue
    }
    if (round.length > 0) made.push(results(round))
    round = []
    made.push(message._tag === "User" ? { role: "user", content: message.text } : assistant(message, provider))
  }
  return round.length > 0 ? [...made, results(round)] : made
}

export const body = ({ messages, model, parameters = {}, provider, system, tools = [] }: Asked) => ({
  model,
  max_tokens: parameters.maxTokens ?? mostTokens,
  ...(system === undefined || system.trim() === "" ? {} : { system }),
  messages: messagesOf(messages, provider),
  stream: true,
  ...(tools.length === 0
    ? {}
    : {
      tools: tools.map(({ description, name, parameters }) => ({ name, description, input_schema: parameters }))
    }),
  ...(parameters.temperature === undefined ? {} : { temperature: parameters.temperature }),
  ...(parameters.stop === undefined ? {} : { stop_sequences: parameters.stop })
})
