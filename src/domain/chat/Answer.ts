import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { FinishReason, Part, Usage } from "./ChatProvider.js"
import { AssistantMessage, Reasoning, Text } from "./Message.js"
import type { Content } from "./Message.js"

/** A whole answer. */
export const Answer = Schema.Struct({
  message: AssistantMessage,
  usage: Schema.NullOr(Usage),
  finish: FinishReason
})
export type Answer = typeof Answer.Type

/** What of an answer has arrived. `finish` is null until all of it has: what then stands is a person's to read, never a model's. */
export interface Partial {
  readonly content: ReadonlyArray<Content>
  readonly usage: Usage | null
  readonly finish: FinishReason | null
}

export const nothing: Partial = { content: [], usage: null, finish: null }

/** The content with one piece more: pieces of one kind are one, until a proof closes them. */
const joined = (content: ReadonlyArray<Content>, piece: Text | Reasoning): ReadonlyArray<Content> => {
  const last = content.at(-1)
  if (piece._tag === "Text" && last?._tag === "Text") {
    return [...content.slice(0, -1), Text.make({ text: last.text + piece.text })]
  }
  if (
    piece._tag === "Reasoning" && last?._tag === "Reasoning" && last.proof === null && piece.proof?.kind !== "cipher"
  ) {
    return [...content.slice(0, -1), Reasoning.make({ text: last.text + piece.text, proof: piece.proof })]
  }
  return [...content, piece]
}

/** Take one part more. */
export const add = (answer: Partial, part: Part): Partial =>
  Part.$match(part, {
    Text: ({ text }) => text === "" ? answer : { ...answer, content: joined(answer.content, Text.make({ text })) },
    Reasoning: ({ proof, text }) =>
      text === "" && proof === null
        ? answer
        : { ...answer, content: joined(answer.content, Reasoning.make({ text, proof })) },
    ToolCall: ({ call }) => ({ ...answer, content: [...answer.content, call] }),
    Usage: ({ usage }) => ({ ...answer, usage }),
    Finish: ({ reason }) => ({ ...answer, finish: reason })
  })

/** The answer, where all of it has arrived. */
export const whole = ({ content, finish, usage }: Partial): Option.Option<Answer> =>
  finish === null
    ? Option.none()
    : Option.some(Answer.make({ message: AssistantMessage.make({ content }), usage, finish }))
