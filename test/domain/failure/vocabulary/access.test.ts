import { describe, expect, it } from "@effect/vitest"
import { ruleOf, words } from "./answers.js"

describe("a code that refuses the account", () => {
  const suspended = words("Please write to support.", { code: "account_suspended" })

  it.each([undefined, 200, 400, 403, 404, 422, 498])("is about the right under the status %s", (status) => {
    expect(ruleOf(status, suspended)).toBe("access/right-code")
  })

  it.each([
    [429, "status/429"],
    [500, "status/5xx"],
    [503, "status/5xx"]
  ])("gives way to the status %s, which speaks of something that passes", (status, rule) => {
    expect(ruleOf(status, suspended)).toBe(rule)
  })
})
