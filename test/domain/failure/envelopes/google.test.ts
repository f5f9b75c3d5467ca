import { describe, expect, it } from "@effect/vitest"
import { answer, verdictOf } from "../wires.js"
import { ruleOf } from "../vocabulary/answers.js"

const cancelled = { error: { code: 499, message: "The operation was cancelled.", status: "CANCELLED" } }

describe("Google's 499", () => {
  it("is the caller's hang-up, whatever its body adds", () => {
    expect(verdictOf(answer(499, cancelled))).toBe("google/cancelled Cancelled")
    expect(verdictOf(answer(499, { error: { message: "insufficient balance" } }))).toBe("google/cancelled Cancelled")
  })

  it("is told from its neighbours", () => {
    expect(verdictOf(answer(498, { error: { message: "It did not work out." } }))).toBe("status/4xx InvalidRequest")
    expect(verdictOf(answer(500, { error: { message: "It did not work out." } }))).toBe(
      "status/5xx ProviderUnavailable"
    )
  })

  it("counts within a success too", () => {
    expect(verdictOf(answer(200, cancelled))).toBe("status/client-closed Cancelled")
  })
})

describe("a 499", () => {
  it("is the caller's hanging up, unless a gateway says what it waited for", () => {
    expect(ruleOf(499, { error: { message: "The operation was cancelled.", status: "CANCELLED" } })).toBe(
      "google/cancelled"
    )
    expect(ruleOf(499, { error: { message: "Overloaded", type: "overloaded_error" } })).toBe("anthropic/overloaded")
  })
})
