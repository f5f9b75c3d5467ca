import { chatServer } from "./ChatServer.js"
import type { Saying, Wire } from "./ChatServer.js"
import { list, member } from "./ReceivedRequest.js"

const error = (message: string, type: string, code: string | null, param: string | null = null) => ({
  error: { message, type, param, code }
})

const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`

const chunk = (model: string, number: number, delta: unknown, finish: string | null = null) =>
  event({
    id: `chatcmpl-${number}`,
    object: "chat.completion.chunk",
    created: 1_789_000_000,
    model,
    system_fingerprint: "fp_0123456789",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }]
  })

/** The pieces of one call: its name first, its arguments in two halves. */
const callDeltas = (call: { readonly name: string; readonly arguments: unknown }, index: number, number: number) => {
  const json = JSON.stringify(call.arguments)
  const half = Math.floor(json.length / 2)
  const piece = (given: string) => ({ tool_calls: [{ index, function: { arguments: given } }] })
  return [
    {
      tool_calls: [{
        index,
        id: `call_${number}_${index}`,
        type: "function",
        function: { name: call.name, arguments: "" }
      }]
    },
    piece(json.slice(0, half)),
    piece(json.slice(half))
  ]
}

const frames = (saying: Saying, body: unknown, number: number): ReadonlyArray<string> => {
  const model = String(member(body, "model"))
  const { calls = [], reasoning = [], text = [] } = saying
  const finish = saying.finish ?? (calls.length > 0 ? "tool_calls" : "stop")
  const usage = {
    object: "chat.completion.chunk",
    id: `chatcmpl-${number}`,
    created: 1_789_000_000,
    model,
    choices: [],
    usage: {
      prompt_tokens: 12,
      completion_tokens: 7,
      total_tokens: 19,
      prompt_tokens_details: { cached_tokens: 4 }
    }
  }
  return [
    chunk(model, number, { role: "assistant", content: calls.length > 0 ? null : "", refusal: null }),
    ...reasoning.map((piece) => chunk(model, number, { reasoning_content: piece })),
    ...text.map((piece) => chunk(model, number, { content: piece })),
    ...calls.flatMap((call, index) => callDeltas(call, index, number)).map((delta) => chunk(model, number, delta)),
    chunk(model, number, {}, finish),
    ...(member(member(body, "stream_options"), "include_usage") === true ? [event(usage)] : []),
    "data: [DONE]\n\n"
  ]
}

/** The rules of OpenAI's Chat Completions, in its own words (its spelling of "preceeding" included). */
const refuse = (body: unknown): string | null => {
  const messages = list(member(body, "messages"))
  if (messages.length === 0) {
    return "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
  }
  let due: Array<string> = []
  let called: ReadonlyArray<string> = []
  for (const [place, message] of messages.entries()) {
    const role = member(message, "role")
    if (role === "tool") {
      const id = String(member(message, "tool_call_id"))
      if (!called.includes(id)) {
        return `Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.`
      }
      due = due.filter((one) => one !== id)
      continue
    }
    if (due.length > 0) break
    called = []
    if (role !== "assistant") continue
    const content = member(message, "content")
    const calls = list(member(message, "tool_calls"))
    if (calls.length === 0 && typeof content !== "string") {
      return `Invalid value for 'content': expected a string, got null. (messages.[${place}].content)`
    }
    called = calls.map((call) => String(member(call, "id")))
    due = [...called]
    if (calls.some((call) => typeof member(member(call, "function"), "arguments") !== "string")) {
      return `Invalid type for 'messages[${place}].tool_calls[0].function.arguments': expected a string, but got an object instead.`
    }
  }
  return due.length === 0
    ? null
    : `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${
      due.join(", ")
    }`
}

const wire: Wire = {
  path: "/v1/chat/completions",
  contentType: "text/event-stream; charset=utf-8",
  ping: ": OPENROUTER PROCESSING\n\n",
  frames,
  refuse,
  refusal: (words) => ({ status: 400, body: error(words, "invalid_request_error", null, "messages") }),
  unknownModel: (model) => ({
    status: 404,
    body: error(
      `The model \`${model}\` does not exist or you do not have access to it.`,
      "invalid_request_error",
      "model_not_found"
    )
  }),
  unauthorized: {
    status: 401,
    body: error("Incorrect API key provided: sk-wrong.", "invalid_request_error", "invalid_api_key")
  },
  key: ({ authorization }) => authorization?.replace(/^Bearer /u, "")
}

/** A server of OpenAI's `POST /v1/chat/completions`. */
export const openAiChatServer = chatServer(wire)
