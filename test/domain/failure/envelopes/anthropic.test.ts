import { describe, expect, it } from "@effect/vitest"
import { answer, verdictOf } from "../wires.js"

const overloaded = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }
const bare = { error: { code: "overloaded", message: "It did not work out." } }

describe("Anthropic's own load", () => {
  it.each([200, 429, 500, 503, 529])("is the provider's under %i where the error is overloaded_error", (status) => {
    expect(verdictOf(answer(status, overloaded))).toBe("anthropic/overloaded ProviderUnavailable")
  })

  it.each([200, 428, 430, 500, 529])("is the provider's under %i where only the word is given", (status) => {
    expect(verdictOf(answer(status, bare))).toBe("anthropic/overloaded ProviderUnavailable")
  })

  it("is left to others under 429 where only the word is given", () => {
    expect(verdictOf(answer(429, bare))).not.toMatch(/^anthropic/)
  })

  it("is pace where a code says so", () => {
    expect(
      verdictOf(answer(529, { error: { type: "overloaded_error", code: "rate_limit_exceeded", message: "Wait" } }))
    )
      .not.toMatch(/^anthropic/)
  })
})
