import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Answer from "../../../src/domain/chat/Answer.js"
import { Part } from "../../../src/domain/chat/ChatProvider.js"
import type { Proof } from "../../../src/domain/chat/Message.js"
import { call } from "../../support/Messages.js"

const of = (...parts: ReadonlyArray<Part>) => parts.reduce(Answer.add, Answer.nothing)

const proof = (kind: Proof["kind"], value: string): Proof => ({ provider: "anthropic", kind, value })

describe("an answer", () => {
  it("is the text of its pieces, however they were cut", () => {
    const pieces = FastCheck.array(FastCheck.string({ maxLength: 5 }), { maxLength: 20 })
    FastCheck.assert(FastCheck.property(pieces, (texts) => {
      const { content } = of(...texts.map((text) => Part.Text({ text })))
      const text = texts.join("")
      expect(content).toEqual(text === "" ? [] : [{ _tag: "Text", text }])
    }))
  })

  it("keeps the order of reasoning, words and calls", () => {
    const { content } = of(
      Part.Reasoning({ text: "let me", proof: null }),
      Part.Reasoning({ text: " think", proof: null }),
      Part.Text({ text: "I look " }),
      Part.Text({ text: "it up" }),
      Part.ToolCall({ call: call("1") }),
      Part.Text({ text: "there" })
    )
    expect(content).toEqual([
      { _tag: "Reasoning", text: "let me think", proof: null },
      { _tag: "Text", text: "I look it up" },
      call("1"),
      { _tag: "Text", text: "there" }
    ])
  })

  it("closes reasoning with its proof, and keeps a cipher by itself", () => {
    const { content } = of(
      Part.Reasoning({ text: "one", proof: null }),
      Part.Reasoning({ text: "", proof: proof("signature", "s1") }),
      Part.Reasoning({ text: "two", proof: null }),
      Part.Reasoning({ text: "", proof: proof("cipher", "c") })
    )
    expect(content).toEqual([
      { _tag: "Reasoning", text: "one", proof: proof("signature", "s1") },
      { _tag: "Reasoning", text: "two", proof: null },
      { _tag: "Reasoning", text: "", proof: proof("cipher", "c") }
    ])
  })

  it("is whole only with its end", () => {
    const half = of(Part.Text({ text: "half an" }))
    expect(Answer.whole(half)).toEqual(Option.none())
    const usage = { input: 3, output: 2, cached: 0 }
    const rest = [Part.Usage({ usage }), Part.Finish({ reason: "stop" })]
    expect(Answer.whole(rest.reduce(Answer.add, half))).toEqual(Option.some({
      message: { _tag: "Assistant", content: [{ _tag: "Text", text: "half an" }] },
      usage,
      finish: "stop"
    }))
  })
})
