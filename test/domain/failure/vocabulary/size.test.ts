import { describe, expect, it } from "@effect/vitest"
import { ruleOf, words } from "./answers.js"

describe("a batch with too many members", () => {
  const crowded = words("Too many inputs: 97 of 96.")

  it.each([undefined, 400, 413, 422, 498])("is a wrong request under the status %s", (status) => {
    expect(ruleOf(status, crowded)).toBe("size/not-the-input")
  })

  it.each([
    [200, "success/malformed"],
    [302, "status/redirect"],
    [429, "status/429"],
    [500, "status/5xx"]
  ])("gives way to the status %s, which finds no fault with the request", (status, rule) => {
    expect(ruleOf(status, crowded)).toBe(rule)
  })
})
