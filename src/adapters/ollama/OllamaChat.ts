import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { ChatProvider, Part } from "../../domain/chat/ChatProvider.js"
import type { FinishReason, Usage } from "../../domain/chat/ChatProvider.js"
import { calls, textOf } from "../../domain/chat/Message.js"
import type { Message } from "../../domain/chat/Message.js"
import { entries, member } from "../../domain/failure/LooseJson.js"
import * as Calls from "../http/chat/Calls.js"
import { list, numberAt, textAt } from "../http/chat/Fields.js"
import * as Framing from "../http/chat/Framing.js"
import * as HttpChat from "../http/chat/HttpChat.js"
import { unfinished } from "../http/chat/Reading.js"
import type { Read, Reading } from "../http/chat/Reading.js"

const message = (one: Message) => {
  switch (one._tag) {
    case "User":
      return { role: "user", content: one.text }
    case "Assistant": {
      const made = calls(one).map(({ arguments: given, name }) => ({ function: { name, arguments: given } }))
      return { role: "assistant", content: textOf(one), ...(made.length === 0 ? {} : { tool_calls: made }) }
    }
    case "ToolResult":
      return { role: "tool", content: one.text, tool_name: one.name }
  }
}

const body = ({ messages, model, parameters = {}, system, tools = [] }: HttpChat.Asked) => {
  const options = {
    ...(parameters.temperature === undefined ? {} : { temperature: parameters.temperature }),
    ...(parameters.maxTokens === undefined ? {} : { num_predict: parameters.maxTokens }),
    ...(parameters.stop === undefined ? {} : { stop: parameters.stop })
  }
  return {
    model,
    messages: [...(system === undefined ? [] : [{ role: "system", content: system }]), ...messages.map(message)],
    stream: true,
    ...(tools.length === 0
      ? {}
      : {
        tools: tools.map(({ description, name, parameters }) => ({
          type: "function",
          function: { name, description, parameters }
        }))
      }),
    ...(entries(options).length === 0 ? {} : { options })
  }
}

interface State {
  readonly calls: ReadonlyArray<Calls.Begun>
  readonly end: { readonly finish: FinishReason; readonly usage: Usage } | null
}

const endings: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  length: "length",
  load: "other",
  unload: "other"
}

/** Each call stands whole in one line; most versions name no ids. */
const called = (all: ReadonlyArray<Calls.Begun>, call: unknown): ReadonlyArray<Calls.Begun> => {
  const made = member(call, "function")
  const given = member(made, "arguments")
  return [...all, {
    key: String(all.length),
    id: textAt(call, "id"),
    name: textAt(made, "name"),
    json: typeof given === "string" ? given : given === undefined || given === null ? "" : JSON.stringify(given)
  }]
}

const endOf = (line: unknown): State["end"] =>
  member(line, "done") !== true ? null : {
    // before 0.1.33 a server gave no reason
    finish: endings[textAt(line, "done_reason") || "stop"] ?? "other",
    usage: { input: numberAt(line, "prompt_eval_count") ?? 0, output: numberAt(line, "eval_count") ?? 0, cached: 0 }
  }

const read = (state: State, line: unknown): Either.Either<Read<State>, string> => {
  const said = member(line, "message")
  const end = endOf(line)
  if (end === null && (typeof said !== "object" || said === null)) {
    return Either.left("a line of the answer holds no message")
  }
  const [reasoning, text] = [textAt(said, "thinking"), textAt(said, "content")]
  const made = list(member(said, "tool_calls"))
  const parts = [
    ...(reasoning === "" ? [] : [Part.Reasoning({ text: reasoning, proof: null })]),
    ...(text === "" ? [] : [Part.Text({ text })])
  ]
  return Either.right({
    state: { calls: made.reduce(called, state.calls), end },
    parts,
    grew: parts.length > 0 || made.length > 0,
    over: end !== null
  })
}

const reading = (seed: string): Reading<State> => ({
  framing: Framing.lines,
  start: { calls: [], end: null },
  read,
  end: ({ calls, end }) =>
    end === null
      ? Either.left(unfinished)
      : Either.map(Calls.parts(calls, end.finish, seed), (made) => [
        ...made,
        Part.Usage({ usage: end.usage }),
        Part.Finish({ reason: Calls.finishOf(end.finish, calls) })
      ]),
  endings
})

/**
 * The chat provider of an Ollama server. It works on one request at a time unless told otherwise, and a second one would wait there
 * while its time limit runs.
 */
export const layer = Layer.scoped(
  ChatProvider,
  HttpChat.make({
    provider: "ollama",
    url: "http://127.0.0.1:11434",
    routes: /\/(?:api(?:\/chat)?|v1(?:\/chat(?:\/completions)?)?)\/*$/u,
    path: () => "/api/chat",
    concurrency: 1,
    body,
    reading: (_, seed) => reading(seed)
  })
)
