import * as Either from "effect/Either"
import { Part } from "../../domain/chat/ChatProvider.js"
import type { FinishReason, Usage } from "../../domain/chat/ChatProvider.js"
import { entries, member } from "../../domain/failure/LooseJson.js"
import * as Calls from "../http/chat/Calls.js"
import { list, numberAt, textAt } from "../http/chat/Fields.js"
import * as Framing from "../http/chat/Framing.js"
import { unfinished } from "../http/chat/Reading.js"
import type { Read, Reading } from "../http/chat/Reading.js"

/**
 * What a server of `POST /chat/completions` streams. Many speak it, each with words of its own: reasoning is `reasoning_content`
 * (DeepSeek, vLLM, llama.cpp) or `reasoning` (OpenRouter, Groq, Ollama), or a list of typed parts (Mistral); calls have an index, or an
 * id alone, or all one index (Gemini); usage comes behind the last choice, or with it, or under `x_groq`.
 */

interface State {
  readonly calls: ReadonlyArray<Calls.Begun>
  readonly usage: Usage | null
  readonly finish: FinishReason | null
}

const endings: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  eos: "stop",
  end_turn: "stop",
  stop_sequence: "stop",
  length: "length",
  max_tokens: "length",
  model_length: "length",
  tool_calls: "tool-calls",
  tool_use: "tool-calls",
  function_call: "tool-calls"
}

const text = (words: string): ReadonlyArray<Part> => words === "" ? [] : [Part.Text({ text: words })]

const reasoning = (words: string): ReadonlyArray<Part> =>
  words === "" ? [] : [Part.Reasoning({ text: words, proof: null })]

/** The parts of content that is a list. */
const typed = (one: unknown): ReadonlyArray<Part> =>
  member(one, "type") === "thinking"
    ? list(member(one, "thinking")).flatMap((thought) => reasoning(textAt(thought, "text")))
    : text(textAt(one, "text"))

const wordsOf = (delta: unknown): ReadonlyArray<Part> => [
  ...reasoning(textAt(delta, "reasoning_content") || textAt(delta, "reasoning")),
  ...list(member(delta, "content")).flatMap(typed),
  ...text(textAt(delta, "content")),
  ...text(textAt(delta, "refusal"))
]

/** Whose piece this is: the call of its index, unless it bears another id; without an index that of its id, or the last one. */
const keyOf = (begun: ReadonlyArray<Calls.Begun>, piece: unknown, id: string): string => {
  const index = member(piece, "index")
  if (typeof index !== "number") return id === "" ? begun.at(-1)?.key ?? "first" : id
  const last = begun.findLast(({ key }) => key === String(index) || key.startsWith(`${index} `))
  return last === undefined || id === "" || last.id === "" || last.id === id
    ? last?.key ?? String(index)
    : `${index} ${id}`
}

const callsWith = (begun: ReadonlyArray<Calls.Begun>, piece: unknown): ReadonlyArray<Calls.Begun> => {
  const called = member(piece, "function")
  const given = member(called, "arguments")
  const id = textAt(piece, "id")
  return Calls.add(begun, {
    key: keyOf(begun, piece, id),
    id,
    name: textAt(called, "name"),
    json: typeof given === "string" ? given : entries(given).length === 0 ? "" : JSON.stringify(given)
  })
}

const usageOf = (chunk: unknown): Usage | null => {
  const told = member(chunk, "usage") ?? member(member(chunk, "x_groq"), "usage")
  return typeof told !== "object" || told === null ? null : {
    input: numberAt(told, "prompt_tokens") ?? 0,
    output: numberAt(told, "completion_tokens") ?? 0,
    cached: numberAt(member(told, "prompt_tokens_details"), "cached_tokens") ?? 0
  }
}

const finishOf = (choice: unknown): FinishReason | null => {
  const word = textAt(choice, "finish_reason")
  return word === "" ? null : endings[word] ?? "other"
}

const read = (state: State, chunk: unknown): Either.Either<Read<State>, string> => {
  const choices = member(chunk, "choices")
  if (choices !== undefined && choices !== null && !Array.isArray(choices)) {
    return Either.left("`choices` of an event is not a list")
  }
  const [choice] = list(choices)
  // a server that does not stream answers with the whole message at once
  const delta = member(choice, "delta") ?? member(choice, "message")
  const parts = wordsOf(delta)
  const pieces = list(member(delta, "tool_calls"))
  return Either.right({
    state: {
      calls: pieces.reduce(callsWith, state.calls),
      usage: usageOf(chunk) ?? state.usage,
      finish: finishOf(choice) ?? state.finish
    },
    parts,
    grew: parts.length > 0 || pieces.length > 0,
    over: false
  })
}

export const reading = (seed: string): Reading<State> => ({
  framing: Framing.events,
  start: { calls: [], usage: null, finish: null },
  read,
  end: ({ calls, finish, usage }) =>
    finish === null
      ? Either.left(unfinished)
      : Either.map(Calls.parts(calls, finish, seed), (made) => [
        ...made,
        ...(usage === null ? [] : [Part.Usage({ usage })]),
        Part.Finish({ reason: Calls.finishOf(finish, calls) })
      ]),
  endings
})
