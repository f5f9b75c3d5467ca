import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as History from "../../../src/domain/chat/History.js"
import type { Message } from "../../../src/domain/chat/Message.js"
import { Turn } from "../../../src/domain/chat/Turn.js"
import { answer, anyExchange, anyTurns, call, done, result, user } from "../../support/Messages.js"

const runs = { numRuns: 10_000 }

const asked = (turns: ReadonlyArray<Turn>) => [...History.exchanges(turns).flat(), user("and now?")]

describe("the history that a model is told", () => {
  it("is one that no provider refuses, whatever became of the turns", () => {
    FastCheck.assert(
      FastCheck.property(anyTurns, (turns) => {
        expect(Option.getOrNull(History.problem(asked(turns)))).toBeNull()
      }),
      runs
    )
  })

  it("holds nothing of a turn that failed, was cancelled or still runs", () => {
    FastCheck.assert(
      FastCheck.property(anyTurns, (turns) => {
        expect(History.exchanges(turns)).toEqual(History.exchanges(turns.filter(({ status }) => status === "done")))
      }),
      runs
    )
  })

  it("holds every whole exchange that was done, in order and unchanged", () => {
    const whole = FastCheck.integer({ min: 0, max: 6 }).chain((count) =>
      FastCheck.tuple(...Array.from({ length: count }, (_, index) => anyExchange(`t${index}`)))
    )
    FastCheck.assert(
      FastCheck.property(whole, (all) => {
        expect(History.exchanges(all.map((messages) => done(...messages)))).toEqual(all)
      }),
      { numRuns: 1_000 }
    )
  })

  it("leaves an exchange out as soon as any one of its messages is missing", () => {
    FastCheck.assert(
      FastCheck.property(anyExchange("t"), FastCheck.nat(), (messages, at) => {
        const place = at % messages.length
        expect(History.exchanges([done(...messages.toSpliced(place, 1))])).toEqual([])
      }),
      { numRuns: 1_000 }
    )
  })

  it("tells a later question from the history as it stood before a turn that failed", () => {
    const before = [done(user("one"), answer("two"))]
    const failed = Turn.make({ status: "failed", messages: [user("three"), answer("", call("1"))] })
    expect(asked([...before, failed])).toEqual(asked(before))
  })
})

describe("what a provider would refuse", () => {
  const question = user("what is it?")
  const refused: ReadonlyArray<readonly [string, ReadonlyArray<Message>, string]> = [
    ["nothing at all", [], "there are no messages"],
    ["an answer in front", [answer("hello"), question], "it does not begin with a question"],
    ["a call without its result", [question, answer("", call("1")), user("well?")], "the tool call 1 has no result"],
    [
      "one of two results missing",
      [question, answer("", call("1"), call("2")), result("1")],
      "the tool call 2 has no result"
    ],
    [
      "a result of another call",
      [question, answer("", call("1")), result("1"), result("9")],
      "the tool result 9 belongs to no call before it"
    ],
    [
      "a result that is there twice",
      [question, answer("", call("1")), result("1"), result("1")],
      "a tool call has two results"
    ],
    ["a result without any call", [question, result("1")], "a tool result stands where an answer is due"],
    ["an empty question", [user(" \n")], "the question is empty"],
    ["an empty answer", [question, answer(" "), user("well?")], "an answer is empty"],
    ["two questions in a row", [question, question], "a question has no answer"],
    ["no question", [question, answer("it")], "nothing is asked: the last message is an answer"],
    [
      "two answers in a row",
      [question, answer("it"), answer("is"), user("well?")],
      "something stands behind the last answer"
    ],
    ["two calls of one id", [question, answer("", call("1"), call("1")), result("1")], "two tool calls have one id"],
    [
      "an id that an earlier exchange had",
      [question, answer("", call("1")), result("1"), answer("it"), question, answer("", call("1")), result("1")],
      "two tool calls have one id"
    ]
  ]
  it.each(refused)("%s", (_, messages, words) => {
    expect(History.problem(messages)).toEqual(Option.some(words))
  })

  it("is nothing about a question, and nothing about an exchange that waits for its next answer", () => {
    expect(History.problem([question])).toEqual(Option.none())
    expect(History.problem([question, answer("", call("1"), call("2")), result("2"), result("1")])).toEqual(
      Option.none()
    )
  })
})
