import type { Asked } from "../http/chat/HttpChat.js"
import { calls, textOf } from "../../domain/chat/Message.js"
import type { AssistantMessage, Message, ToolCall } from "../../domain/chat/Message.js"

/** What is asked of a server of `POST /chat/completions`. */

const called = ({ arguments: given, id, name }: ToolCall) => ({
  id,
  type: "function",
  function: { name, arguments: JSON.stringify(given) }
})

const assistant = (message: AssistantMessage) => {
  const made = calls(message).map(called)
  const text = textOf(message)
  return {
    role: "assistant",
    content: text === "" ? null : text,
    ...(made.length === 0 ? {} : { tool_calls: made })
  }
}

const message = (one: Message) => {
  switch (one._tag) {
    case "User":
      return { role: "user", content: one.text }
    case "Assistant":
      return assistant(one)
    case "ToolResult":
      return { role: "tool", tool_call_id: one.id, content: one.text }
  }
}

/** OpenAI's newer models know the newer name alone, most other servers only the older one. */
const lengthName = (base: URL): string =>
  /(?:^|\.)(?:openai\.com|azure\.com)$/u.test(base.hostname) ? "max_completion_tokens" : "max_tokens"

export const body = ({ base, messages, model, parameters = {}, system, tools = [] }: Asked) => ({
  model,
  messages: [...(system === undefined ? [] : [{ role: "system", content: system }]), ...messages.map(message)],
  stream: true,
  stream_options: { include_usage: true },
  ...(tools.length === 0
    ? {}
    : {
      tools: tools.map(({ description, name, parameters }) => ({
        type: "function",
        function: { name, description, parameters }
      }))
    }),
  ...(parameters.temperature === undefined ? {} : { temperature: parameters.temperature }),
  ...(parameters.maxTokens === undefined ? {} : { [lengthName(base)]: parameters.maxTokens }),
  ...(parameters.stop === undefined ? {} : { stop: parameters.stop })
})
