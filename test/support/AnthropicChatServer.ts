import { chatServer } from "./ChatServer.js"
import type { Saying, Wire } from "./ChatServer.js"
import { list, member } from "./ReceivedRequest.js"

const event = (type: string, rest: Readonly<Record<string, unknown>> = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`

const block = (index: number, content: unknown, deltas: ReadonlyArray<unknown>): ReadonlyArray<string> => [
  event("content_block_start", { index, content_block: content }),
  ...deltas.map((delta) => event("content_block_delta", { index, delta })),
  event("content_block_stop", { index })
]

const frames = (saying: Saying, body: unknown, number: number): ReadonlyArray<string> => {
  const { calls = [], reasoning = [], text = [] } = saying
  const blocks = [
    ...(reasoning.length === 0
      ? []
      : [
        [{ type: "thinking", thinking: "", signature: "" }, [
          ...reasoning.map((thinking) => ({ type: "thinking_delta", thinking })),
          { type: "signature_delta", signature: `sig_${number}` }
        ]] as const
      ]),
    ...(text.length === 0
      ? []
      : [[{ type: "text", text: "" }, text.map((piece) => ({ type: "text_delta", text: piece }))] as const]),
    ...calls.map((call, index) => {
      const json = JSON.stringify(call.arguments)
      const half = Math.floor(json.length / 2)
      return [
        { type: "tool_use", id: `toolu_${number}_${index}`, name: call.name, input: {} },
        ["", json.slice(0, half), json.slice(half)].map((partial_json) => ({ type: "input_json_delta", partial_json }))
      ] as const
    })
  ]
  return [
    event("message_start", {
      message: {
        id: `msg_${number}`,
        type: "message",
        role: "assistant",
        model: member(body, "model"),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 8, cache_creation_input_tokens: 0, cache_read_input_tokens: 4, output_tokens: 1 }
      }
    }),
    event("ping"),
    ...blocks.flatMap(([content, deltas], index) => block(index, content, deltas)),
    event("message_delta", {
      delta: { stop_reason: saying.finish ?? (calls.length > 0 ? "tool_use" : "end_turn"), stop_sequence: null },
      usage: { output_tokens: 7 }
    }),
    event("message_stop")
  ]
}

const blocksOf = (message: unknown): ReadonlyArray<unknown> => {
  const content = member(message, "content")
  return typeof content === "string" ? [{ type: "text", text: content }] : list(content)
}

const idsOf = (message: unknown, type: string, key: string): ReadonlyArray<string> =>
  blocksOf(message).filter((one) => member(one, "type") === type).map((one) => String(member(one, key)))

/** The rules of Anthropic's Messages, in its own words. */
const refuse: Wire["refuse"] = (body, headers) => {
  const version = headers["anthropic-version"]
  if (version === undefined) return "anthropic-version: header is required"
  const sampling = ["temperature", "top_p", "top_k"].find((name) => member(body, name) !== undefined)
  if (version === "2026-10-21" && sampling !== undefined) return `${sampling}: Extra inputs are not permitted`
  const messages = list(member(body, "messages"))
  if (messages.length === 0) return "messages: at least one message is required"
  if (typeof member(body, "max_tokens") !== "number") return "max_tokens: Field required"
  const used = new Set<string>()
  for (const [place, message] of messages.entries()) {
    const blocks = blocksOf(message)
    const isLast = place === messages.length - 1
    if (blocks.length === 0 && !(isLast && member(message, "role") === "assistant")) {
      return `messages.${place}: all messages must have non-empty content except for the optional final assistant message`
    }
    for (const [index, one] of blocks.entries()) {
      if (member(one, "type") === "text" && String(member(one, "text")).trim() === "") {
        return member(one, "text") === ""
          ? "messages: text content blocks must be non-empty"
          : "messages: text content blocks must contain non-whitespace text"
      }
      if (member(one, "type") === "tool_use" && !/^[\w-]+$/u.test(String(member(one, "id")))) {
        return `messages.${place}.content.${index}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`
      }
      if (member(one, "type") === "thinking" && !String(member(one, "signature")).startsWith("sig_")) {
        return `messages.${place}.content.${index}: Invalid \`signature\` in \`thinking\` block`
      }
    }
    const called = idsOf(message, "tool_use", "id")
    if (called.some((id) => used.has(id))) return "messages: `tool_use` ids must be unique"
    called.forEach((id) => used.add(id))
    const answered = idsOf(messages[place + 1], "tool_result", "tool_use_id")
    const missing = called.filter((id) => !answered.includes(id))
    if (missing.length > 0) {
      return `messages.${place}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${
        missing.join(", ")
      }. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`
    }
    const before = idsOf(messages[place - 1], "tool_use", "id")
    const stray = idsOf(message, "tool_result", "tool_use_id").find((id) => !before.includes(id))
    if (stray !== undefined) {
      return `messages.${place}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`
    }
  }
  return null
}

const error = (type: string, message: string) => ({ type: "error", error: { type, message }, request_id: "req_011" })

const wire: Wire = {
  path: "/v1/messages",
  contentType: "text/event-stream; charset=utf-8",
  ping: event("ping"),
  frames,
  refuse,
  refusal: (words) => ({ status: 400, body: error("invalid_request_error", words) }),
  unknownModel: (model) => ({ status: 404, body: error("not_found_error", `model: ${model}`) }),
  unauthorized: { status: 401, body: error("authentication_error", "invalid x-api-key") },
  // its documents have the one header, its own client sends the other
  key: (headers) => String(headers["x-api-key"] ?? headers.authorization?.replace(/^Bearer /u, ""))
}

/** A server of Anthropic's `POST /v1/messages`. */
export const anthropicChatServer = chatServer(wire)
