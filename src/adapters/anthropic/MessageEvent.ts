import * as Either from "effect/Either"
import { Part } from "../../domain/chat/ChatProvider.js"
import type { FinishReason, Usage } from "../../domain/chat/ChatProvider.js"
import type { Proof } from "../../domain/chat/Message.js"
import { member } from "../../domain/failure/LooseJson.js"
import * as Calls from "../http/chat/Calls.js"
import { numberAt, textAt } from "../http/chat/Fields.js"
import * as Framing from "../http/chat/Framing.js"
import { unfinished } from "../http/chat/Reading.js"
import type { Read, Reading } from "../http/chat/Reading.js"

/**
 * What a server of `POST /v1/messages` streams: blocks that begin, grow by deltas, and end. Blocks of kinds that are not asked for,
 * as a server's own tools, are passed over.
 */

interface State {
  readonly calls: ReadonlyArray<Calls.Begun>
  readonly usage: Usage
  readonly finish: FinishReason | null
  /** Whether the wire said that the message is over. */
  readonly stopped: boolean
}

const endings: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool-calls",
  pause_turn: "other"
}

const grown = (state: State, ...parts: ReadonlyArray<Part>): Read<State> => ({ state, parts, grew: true, over: false })
const silent = (state: State): Read<State> => ({ state, parts: [], grew: false, over: false })

const usageOf = (before: Usage, told: unknown): Usage => {
  const cached = numberAt(told, "cache_read_input_tokens") ?? before.cached
  const fresh = numberAt(told, "input_tokens")
  return {
    input: fresh === null ? before.input : fresh + cached + (numberAt(told, "cache_creation_input_tokens") ?? 0),
    output: numberAt(told, "output_tokens") ?? before.output,
    cached
  }
}

const withPiece = (state: State, event: unknown, piece: Omit<Calls.Begun, "key">): State => ({
  ...state,
  calls: Calls.add(state.calls, { key: String(numberAt(event, "index") ?? 0), ...piece })
})

/** Some servers give a call whole, its input in the block itself; the maker's own gives an empty one there. */
const inputOf = (block: unknown): string => {
  const input = member(block, "input")
  return typeof input === "object" && input !== null && Object.keys(input).length > 0 ? JSON.stringify(input) : ""
}

const words = (state: State, text: string): Read<State> =>
  text === "" ? silent(state) : grown(state, Part.Text({ text }))

const reasoned = (state: State, text: string, proof: Proof | null): Read<State> =>
  text === "" && proof === null ? silent(state) : grown(state, Part.Reasoning({ text, proof }))

const begun = (provider: string, state: State, event: unknown): Read<State> => {
  const block = member(event, "content_block")
  switch (member(block, "type")) {
    case "text":
      return words(state, textAt(block, "text"))
    case "thinking":
      return reasoned(state, textAt(block, "thinking"), null)
    case "redacted_thinking":
      return reasoned(state, "", { provider, kind: "cipher", value: textAt(block, "data") })
    case "tool_use":
      return grown(withPiece(state, event, {
        id: textAt(block, "id"),
        name: textAt(block, "name"),
        json: inputOf(block)
      }))
    default:
      return silent(state)
  }
}

const continued = (provider: string, state: State, event: unknown): Read<State> => {
  const delta = member(event, "delta")
  switch (member(delta, "type")) {
    case "text_delta":
      return words(state, textAt(delta, "text"))
    case "thinking_delta":
      return reasoned(state, textAt(delta, "thinking"), null)
    case "signature_delta":
      return reasoned(state, "", { provider, kind: "signature", value: textAt(delta, "signature") })
    case "input_json_delta": {
      // a server's own tools have such deltas too: only those of a call that began are one's
      const key = String(numberAt(event, "index") ?? 0)
      return state.calls.some((one) => one.key === key)
        ? grown(withPiece(state, event, { id: "", name: "", json: textAt(delta, "partial_json") }))
        : silent(state)
    }
    default:
      return silent(state)
  }
}

const read = (provider: string) => (state: State, event: unknown): Either.Either<Read<State>, string> => {
  switch (member(event, "type")) {
    case "message_start":
      return Either.right(silent({ ...state, usage: usageOf(state.usage, member(member(event, "message"), "usage")) }))
    case "content_block_start":
      return Either.right(begun(provider, state, event))
    case "content_block_delta":
      return Either.right(continued(provider, state, event))
    case "message_delta": {
      const word = textAt(member(event, "delta"), "stop_reason")
      const finish = word === "" ? state.finish : endings[word] ?? "other"
      return Either.right(silent({ ...state, finish, usage: usageOf(state.usage, member(event, "usage")) }))
    }
    case "message_stop":
      return Either.right({ ...silent({ ...state, stopped: true }), over: true })
    default:
      return Either.right(silent(state))
  }
}

export const reading = (provider: string, seed: string): Reading<State> => ({
  framing: Framing.events,
  start: { calls: [], usage: { input: 0, output: 0, cached: 0 }, finish: null, stopped: false },
  read: read(provider),
  end: ({ calls, finish, stopped, usage }) =>
    !stopped || finish === null
      ? Either.left(unfinished)
      : Either.map(Calls.parts(calls, finish, seed), (made) => [
        ...made,
        Part.Usage({ usage }),
        Part.Finish({ reason: Calls.finishOf(finish, calls) })
      ]),
  endings
})
