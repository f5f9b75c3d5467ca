import { chatServer } from "./ChatServer.js"
import type { Saying, Wire } from "./ChatServer.js"
import { list, member } from "./ReceivedRequest.js"

const line = (value: unknown): string => `${JSON.stringify(value)}\n`

const frames = (saying: Saying, body: unknown): ReadonlyArray<string> => {
  const { calls = [], reasoning = [], text = [] } = saying
  const said = (
    message: Readonly<Record<string, unknown>>,
    rest: Readonly<Record<string, unknown>> = { done: false }
  ) =>
    line({
      model: member(body, "model"),
      created_at: "2026-11-27T12:00:00.000000Z",
      message: { role: "assistant", content: "", ...message },
      ...rest
    })
  return [
    ...reasoning.map((thinking) => said({ thinking })),
    ...text.map((content) => said({ content })),
    ...calls.map((call, index) => said({ tool_calls: [{ function: { index, ...call } }] })),
    said({}, {
      done: true,
      done_reason: saying.finish ?? "stop",
      total_duration: 4_883_583_458,
      load_duration: 1_334_875,
      prompt_eval_count: 12,
      prompt_eval_duration: 342_546_000,
      eval_count: 7,
      eval_duration: 4_535_599_000
    })
  ]
}

const roles = ["system", "user", "assistant", "tool"]

/** Ollama's own checks, and those of the strictest chat templates, whose words llama.cpp's engine passes on. */
const refuse = (body: unknown): string | null => {
  let due = 0
  let asked = false
  for (const message of list(member(body, "messages"))) {
    const role = String(member(message, "role"))
    if (!roles.includes(role)) return "invalid role: must be one of system, user, assistant, tool"
    const calls = list(member(message, "tool_calls"))
    if (calls.some((call) => typeof member(member(call, "function"), "arguments") !== "object")) {
      return "json: cannot unmarshal string into Go struct field ChatRequest.messages.tool_calls.function.arguments of type api.ToolCallFunctionArguments"
    }
    if (role === "system") continue
    const isTurn = role === "tool" ? due > 0 : due === 0 && (role === "user") !== asked
    if (!isTurn) {
      return "template: :1: executing \"\" at <raise_exception>: Conversation roles must alternate user/assistant/user/assistant/..."
    }
    if (role === "tool") due -= 1
    if (role === "user") asked = true
    if (role === "assistant") {
      due = calls.length
      asked = calls.length > 0
    }
  }
  return due > 0 ? "template: :1: executing \"\" at <raise_exception>: Tool call without a response" : null
}

const wire: Wire = {
  path: "/api/chat",
  contentType: "application/x-ndjson",
  ping: "\n",
  frames,
  refuse,
  refusal: (words) => ({ status: 400, body: { error: words } }),
  unknownModel: (model) => ({ status: 404, body: { error: `model '${model}' not found` } }),
  unauthorized: { status: 401, body: { error: "unauthorized" } },
  key: ({ authorization }) => authorization?.replace(/^Bearer /u, "")
}

/** A server of Ollama's `POST /api/chat`. */
export const ollamaChatServer = chatServer(wire)
