import type * as Response from "@effect/ai/Response"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Part } from "../../domain/chat/ChatProvider.js"
import type { FinishReason } from "../../domain/chat/ChatProvider.js"
import type { Failure } from "../../domain/failure/Failure.js"
import { ToolCall } from "../../domain/chat/Message.js"
import type { Peer } from "../http/WireFailure.js"
import * as AiFailure from "./AiFailure.js"
import type * as DescribedTools from "./DescribedTools.js"
import * as ReasoningProof from "./ReasoningProof.js"

/**
 * What a LanguageModel streams, as a fold over its parts. Files, sources, calls that the provider ran itself and their results are no
 * parts of an answer here; nor are the pieces of a call, which comes whole behind them.
 */

export type StreamPart = Response.StreamPart<DescribedTools.Tools>

/** Reasoning that is under way: what the provider wants back with it, and whether it has words. */
interface Thought {
  readonly metadata: Response.ProviderMetadata
  readonly worded: boolean
}

export interface State {
  readonly thoughts: Readonly<Record<string, Thought>>
  /** The last proof: a provider that reasons in several blocks may give each the same one. */
  readonly proof: string | null
  readonly hasCalls: boolean
}

export const start: State = { thoughts: {}, proof: null, hasCalls: false }

export interface Read {
  readonly state: State
  readonly parts: ReadonlyArray<Part>
  readonly over: boolean
}

const endings: Readonly<Record<Exclude<Response.FinishReason, "content-filter" | "error">, FinishReason>> = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool-calls",
  pause: "other",
  other: "other",
  unknown: "other"
}

const decodeCall = Schema.decodeUnknownEither(ToolCall)

const read = (state: State, ...parts: ReadonlyArray<Part>): Either.Either<Read, Failure> =>
  Either.right({ state, parts, over: false })

const thoughtWith = (
  { thoughts, ...state }: State,
  id: string,
  metadata: Response.ProviderMetadata,
  text: string
): State => {
  const before = thoughts[id]
  const thought = {
    metadata: ReasoningProof.merge(before?.metadata ?? {}, metadata),
    worded: before?.worded === true || text !== ""
  }
  return { ...state, proof: text === "" ? state.proof : null, thoughts: { ...thoughts, [id]: thought } }
}

/** The end of reasoning is its proof, where there is one. */
const proven = (peer: Peer, state: State, id: string, metadata: Response.ProviderMetadata) => {
  const { thoughts: { [id]: thought, ...thoughts } } = thoughtWith(state, id, metadata, "")
  const proof = thought === undefined ? null : ReasoningProof.make(thought.metadata, peer.provider, thought.worded)
  return proof === null || proof.value === state.proof
    ? read({ ...state, thoughts })
    : read({ ...state, thoughts, proof: proof.value }, Part.Reasoning({ text: "", proof }))
}

const call = (peer: Peer, state: State, part: Response.ToolCallPart<string, unknown>, now: number) => {
  if (part.providerExecuted === true) return read(state)
  return Either.mapBoth(decodeCall({ _tag: "ToolCall", id: part.id, name: part.name, arguments: part.params }), {
    onLeft: () => AiFailure.ofContract(peer, "a tool call has no id, or no object of arguments", now),
    onRight: (call): Read => ({ state: { ...state, hasCalls: true }, parts: [Part.ToolCall({ call })], over: false })
  })
}

const usageOf = ({ cachedInputTokens, inputTokens, outputTokens }: Response.Usage): ReadonlyArray<Part> =>
  inputTokens === undefined && outputTokens === undefined
    ? []
    : [Part.Usage({ usage: { input: inputTokens ?? 0, output: outputTokens ?? 0, cached: cachedInputTokens ?? 0 } })]

const finish = (peer: Peer, state: State, { reason, usage }: Response.FinishPart, now: number) => {
  if (reason === "content-filter") return Either.left(AiFailure.ofEnding(peer, "content_filter", now))
  if (reason === "error") return Either.left(AiFailure.ofEnding(peer, "error", now))
  // several providers say `stop` where the model stopped to have its tools called
  const told = reason === "stop" && state.hasCalls ? "tool-calls" : endings[reason]
  return Either.right({ state, parts: [...usageOf(usage), Part.Finish({ reason: told })], over: true })
}

/** Take one part more. Left is what ends the answer. */
export const add = (peer: Peer, state: State, part: StreamPart, now: number): Either.Either<Read, Failure> => {
  switch (part.type) {
    case "text-delta":
      return part.delta === "" ? read(state) : read({ ...state, proof: null }, Part.Text({ text: part.delta }))
    case "reasoning-start":
      return read(thoughtWith(state, part.id, part.metadata, ""))
    case "reasoning-delta": {
      const next = thoughtWith(state, part.id, part.metadata, part.delta)
      return part.delta === "" ? read(next) : read(next, Part.Reasoning({ text: part.delta, proof: null }))
    }
    case "reasoning-end":
      return proven(peer, state, part.id, part.metadata)
    case "tool-call":
      return call(peer, state, part, now)
    case "finish":
      return finish(peer, state, part, now)
    case "error":
      return Either.left(AiFailure.ofErrorPart(peer, part.error, now))
    case "text-start":
    case "text-end":
    case "tool-params-start":
    case "tool-params-delta":
    case "tool-params-end":
    case "tool-result":
    case "file":
    case "source":
    case "response-metadata":
      return read(state)
  }
}

/** Whether the answer has grown: what is said about it, before it, is no sign of a token. */
export const grows = ({ type }: StreamPart): boolean => type !== "response-metadata"
