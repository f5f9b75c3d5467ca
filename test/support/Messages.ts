import * as FastCheck from "effect/FastCheck"
import type { Tool } from "../../src/domain/chat/ChatProvider.js"
import {
  AssistantMessage,
  calls,
  Text,
  ToolCall,
  ToolCallId,
  ToolResult,
  UserMessage
} from "../../src/domain/chat/Message.js"
import type { Message } from "../../src/domain/chat/Message.js"
import { Turn } from "../../src/domain/chat/Turn.js"
import type { TurnStatus } from "../../src/domain/chat/Turn.js"

/** Messages as tests write them. */
export const user = (text: string) => UserMessage.make({ text })

export const call = (id: string, name = "look_up", args: Readonly<Record<string, unknown>> = { id }) =>
  ToolCall.make({ id: ToolCallId.make(id), name, arguments: args })

export const answer = (text: string, ...calls: ReadonlyArray<ToolCall>) =>
  AssistantMessage.make({ content: [...(text === "" ? [] : [Text.make({ text })]), ...calls] })

export const result = (id: string, text = `result of ${id}`, failed = false) =>
  ToolResult.make({ id: ToolCallId.make(id), name: "look_up", text, failed })

/** The tool of these calls and results, as a model is told of it. */
export const lookUp: Tool = {
  name: "look_up",
  description: "Looks a word up.",
  parameters: { type: "object", properties: { word: { type: "string" } }, required: ["word"] }
}

/** What the calls of an answer come to, each found. */
export const resultsOf = (message: AssistantMessage) => calls(message).map(({ id }) => result(id, "found"))

export const done = (...messages: ReadonlyArray<Message>) => Turn.make({ status: "done", messages })

const words = FastCheck.constantFrom("a", "bb", "ccc", "dddd", "", " \n ")

/** Messages of any kind, their ids out of few, so that they often meet and often do not. */
const anyMessage: FastCheck.Arbitrary<Message> = FastCheck.oneof(
  words.map(user),
  FastCheck.tuple(words, FastCheck.array(FastCheck.constantFrom("1", "2", "3"), { maxLength: 2 })).map(([text, ids]) =>
    answer(text, ...ids.map((id) => call(id)))
  ),
  FastCheck.constantFrom("1", "2", "3").map((id) => result(id))
)

/** A whole exchange, the ids of its calls made of `prefix`. */
export const anyExchange = (prefix: string): FastCheck.Arbitrary<ReadonlyArray<Message>> =>
  FastCheck.array(FastCheck.integer({ min: 1, max: 3 }), { maxLength: 3 }).map((rounds) => [
    user(`question ${prefix}`),
    ...rounds.flatMap((count, round) => {
      const ids = Array.from({ length: count }, (_, index) => `${prefix}.${round}.${index}`)
      return [
        answer(round % 2 === 0 ? "" : "let me see", ...ids.map((id) => call(id))),
        ...ids.toReversed().map((id) => result(id))
      ]
    }),
    answer(`answer ${prefix}`)
  ])

const anyStatus = FastCheck.constantFrom<TurnStatus>("running", "done", "failed", "cancelled")

/** What a fault leaves of an exchange: it stops anywhere, or lacks a message somewhere. */
const damaged = (prefix: string): FastCheck.Arbitrary<ReadonlyArray<Message>> =>
  FastCheck.tuple(anyExchange(prefix), FastCheck.nat(), FastCheck.boolean()).map(([messages, at, cut]) => {
    const place = at % messages.length
    return cut ? messages.slice(0, place) : messages.toSpliced(place, 1)
  })

/** Turns as faults leave them: whole, cut, with a message missing, or any messages at all, under any status. */
export const anyTurns: FastCheck.Arbitrary<ReadonlyArray<Turn>> = FastCheck.array(
  FastCheck.tuple(
    anyStatus,
    FastCheck.constantFrom("whole", "whole", "damaged", "any"),
    FastCheck.nat({ max: 9 })
  ),
  { maxLength: 8 }
).chain((kinds) =>
  FastCheck.tuple(...kinds.map(([status, kind, name], index) =>
    // two turns in ten may have one name, and so the same ids of calls
    (kind === "whole"
      ? anyExchange(`t${name < 2 ? name : index + 10}`)
      : kind === "damaged"
      ? damaged(`t${index + 10}`)
      : FastCheck.array(anyMessage, { maxLength: 6 })).map((messages) => Turn.make({ status, messages }))
  ))
)
