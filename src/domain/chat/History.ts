import * as Array from "effect/Array"
import * as Option from "effect/Option"
import { calls, textOf } from "./Message.js"
import type { AssistantMessage, Message, ToolResult } from "./Message.js"
import type { Turn } from "./Turn.js"

/**
 * The history that a model is told: whole exchanges alone. What is told once is told again with every later request, so that one half
 * answer, or one tool call without its result, makes a thread unusable for ever. The rules are those of the strictest providers:
 *
 * - A question has words; it comes first, and no other stands in its exchange.
 * - Right behind an answer that calls tools stand the results of these calls: each once, and no others (OpenAI, Anthropic).
 * - The last answer of an exchange has words and calls nothing (Anthropic refuses an empty message anywhere but at the end).
 * - No two calls of a history have one id (Anthropic).
 */

/** The messages of one exchange that is whole. */
export type Exchange = ReadonlyArray<Message>

const blank = (text: string): boolean => text.trim() === ""

const hasWords = (message: AssistantMessage): boolean => !blank(textOf(message))

const idsOf = (message: AssistantMessage): ReadonlyArray<string> => calls(message).map(({ id }) => id)

/** What is wrong with the results behind an answer that calls tools. */
const resultsProblem = (
  called: ReadonlyArray<string>,
  results: ReadonlyArray<ToolResult>
): Option.Option<string> => {
  const answered = new Set(results.map(({ id }) => String(id)))
  const missing = called.find((id) => !answered.has(id))
  if (missing !== undefined) return Option.some(`the tool call ${missing} has no result`)
  const stray = results.find(({ id }) => !called.includes(id))
  if (stray !== undefined) return Option.some(`the tool result ${stray.id} belongs to no call before it`)
  return answered.size < results.length ? Option.some("a tool call has two results") : Option.none()
}

const isResult = (message: Message): message is ToolResult => message._tag === "ToolResult"

/** What is wrong with an answer and what follows it; else how many messages they are. */
const round = (messages: ReadonlyArray<Message>, at: number, answer: AssistantMessage) => {
  const ids = idsOf(answer)
  const results = Array.takeWhile(messages.slice(at + 1), isResult)
  if (ids.length === 0 && !hasWords(answer)) return { problem: Option.some("an answer is empty"), taken: 1 }
  if (new Set(ids).size < ids.length) return { problem: Option.some("two tool calls have one id"), taken: 1 }
  return { problem: resultsProblem(ids, results), taken: 1 + results.length }
}

/** What is wrong with an exchange as far as it has come: none where it may go on. */
const openProblem = (messages: ReadonlyArray<Message>): Option.Option<string> => {
  const [question] = messages
  if (question?._tag !== "User") return Option.some("it does not begin with a question")
  if (blank(question.text)) return Option.some("the question is empty")
  let at = 1
  while (at < messages.length) {
    const message = messages[at]
    if (message?._tag === "User") return Option.some("a question stands where an answer is due")
    if (message?._tag !== "Assistant") return Option.some("a tool result stands where an answer is due")
    const { problem, taken } = round(messages, at, message)
    if (Option.isSome(problem)) return problem
    at += taken
    if (idsOf(message).length === 0 && at < messages.length) {
      return Option.some("something stands behind the last answer")
    }
  }
  return Option.none()
}

const isAnswered = (messages: ReadonlyArray<Message>): boolean => {
  const last = messages.at(-1)
  return last?._tag === "Assistant" && idsOf(last).length === 0
}

/** True for messages that are one whole exchange. */
export const isExchange = (messages: ReadonlyArray<Message>): messages is Exchange =>
  Option.isNone(openProblem(messages)) && isAnswered(messages)

const callIds = (messages: ReadonlyArray<Message>): ReadonlyArray<string> =>
  messages.flatMap((message) => message._tag === "Assistant" ? idsOf(message) : [])

/** The exchanges of turns that may be told: of those that are done the whole ones, in order. */
export const exchanges = (turns: ReadonlyArray<Turn>): ReadonlyArray<Exchange> => {
  const seen = new Set<string>()
  return turns.flatMap(({ messages, status }) => {
    const ids = callIds(messages)
    if (status !== "done" || !isExchange(messages) || ids.some((id) => seen.has(id))) return []
    for (const id of ids) seen.add(id)
    return [messages]
  })
}

/** Each question with all that stands behind it. */
const byQuestion = (messages: ReadonlyArray<Message>): ReadonlyArray<ReadonlyArray<Message>> => {
  const parts: Array<Array<Message>> = []
  for (const message of messages) {
    const last = parts.at(-1)
    if (message._tag === "User" || last === undefined) parts.push([message])
    else last.push(message)
  }
  return parts
}

/** What a provider would refuse about the messages of a request, in plain words: none where it can be sent. */
export const problem = (messages: ReadonlyArray<Message>): Option.Option<string> => {
  const parts = byQuestion(messages)
  const last = parts.at(-1)
  if (last === undefined) return Option.some("there are no messages")
  const ids = callIds(messages)
  return Option.firstSomeOf([
    ...parts.map(openProblem),
    parts.slice(0, -1).every(isAnswered) ? Option.none() : Option.some("a question has no answer"),
    isAnswered(last) ? Option.some("nothing is asked: the last message is an answer") : Option.none(),
    new Set(ids).size < ids.length ? Option.some("two tool calls have one id") : Option.none()
  ])
}
