import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as History from "../../../src/domain/chat/History.js"
import type { Message } from "../../../src/domain/chat/Message.js"
import * as Window from "../../../src/domain/chat/Window.js"
import { answer, anyExchange, user } from "../../support/Messages.js"

const count: Window.TokenCounter = (message) =>
  message._tag === "Assistant" ? 3 + message.content.length : message._tag === "User" ? message.text.length : 5

const size = (messages: ReadonlyArray<Message>) => messages.reduce((sum, message) => sum + count(message), 0)

const threads = FastCheck.integer({ min: 0, max: 8 }).chain((length) =>
  FastCheck.tuple(...Array.from({ length }, (_, index) => anyExchange(`t${index}`)))
)
const open = [user("and now?")]
const room = FastCheck.integer({ min: 0, max: 400 })

describe("the window", () => {
  it("keeps the newest exchanges, whole and in order, and says how many it left out", () => {
    FastCheck.assert(FastCheck.property(threads, room, (exchanges, tokens) => {
      const { kept, leftOut } = Window.fit(exchanges, open, tokens, count)
      expect(kept).toEqual(exchanges.slice(leftOut))
      expect(kept.length + leftOut).toBe(exchanges.length)
    }))
  })

  it("never goes beyond its room, and leaves out no exchange that would have fitted", () => {
    FastCheck.assert(FastCheck.property(threads, room, (exchanges, tokens) => {
      const window = Window.fit(exchanges, open, tokens, count)
      const next = exchanges[window.leftOut - 1]
      expect(window.fits).toBe(size(open) <= tokens)
      expect(!window.fits || size(Window.messages(window, open)) <= tokens).toBe(true)
      expect(next === undefined || size([...next, ...Window.messages(window, open)]) > tokens).toBe(true)
    }))
  })

  it("makes of a valid history a valid one", () => {
    FastCheck.assert(FastCheck.property(threads, room, (exchanges, tokens) => {
      const messages = Window.messages(Window.fit(exchanges, open, tokens, count), open)
      expect(History.problem(messages)).toEqual(Option.none())
    }))
  })

  it("keeps no less where there is more room", () => {
    FastCheck.assert(FastCheck.property(threads, room, room, (exchanges, one, more) => {
      const kept = (tokens: number) => Window.fit(exchanges, open, tokens, count).kept.length
      expect(kept(one + more)).toBeGreaterThanOrEqual(kept(one))
    }))
  })

  it("is shortened by the older half of what it keeps, until nothing is left to leave out", () => {
    const exchanges = ["a", "b", "c"].map((name) => [user(name), answer(name)])
    const whole = Window.fit(exchanges, open, 1_000, count)
    const half = Option.getOrThrow(Window.shortened(whole))
    expect(half).toEqual({ kept: exchanges.slice(2), leftOut: 2, fits: true })
    const none = Option.getOrThrow(Window.shortened(half))
    expect(none).toEqual({ kept: [], leftOut: 3, fits: true })
    expect(Window.shortened(none)).toEqual(Option.none())
  })

  it("tells that the question alone is too long", () => {
    const exchanges = [[user("a"), answer("b")]]
    expect(Window.fit(exchanges, open, 3, count)).toEqual({ kept: [], leftOut: 1, fits: false })
  })
})
