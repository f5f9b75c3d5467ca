import { describe, expect, it } from "@effect/vitest"
import { ruleOf, words } from "./answers.js"

describe("a month's allowance", () => {
  const reached = words("You have reached the request limit of this month.")

  it.each([undefined, 402, 403, 429])("is money under the status %s", (status) => {
    expect(ruleOf(status, reached)).toBe("money/month")
  })

  it.each([
    [400, "pace/words"],
    [404, "status/4xx"],
    [500, "pace/words"]
  ])("is not asked for under the status %s", (status, rule) => {
    expect(ruleOf(status, reached)).toBe(rule)
  })

  it.each([
    ["a quota", "The monthly quota of the workspace stands at its end."],
    ["an allowance", "Your monthly allowance is spent."],
    ["a cap", "The workspace met its cap for the month."],
    ["being exceeded", "Monthly tokens exceeded."],
    ["上限", "本月调用已达上限"]
  ])("is known by %s", (_, message) => {
    expect(ruleOf(403, words(message))).toBe("money/month")
  })

  it("is known by one code among others where the words name only the month", () => {
    const body = words("Come back next month.", { type: "invalid_request_error", code: "workspace_quota" })
    expect(ruleOf(403, body)).toBe("money/month")
  })

  it("is not meant where a month is a mere date", () => {
    const body = words("The model preview-3 was retired last month.", { type: "invalid_request_error" })
    expect(ruleOf(403, body)).toBe("model/words")
  })
})
