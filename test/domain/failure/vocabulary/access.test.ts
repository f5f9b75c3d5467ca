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

describe("words that refuse an action", () => {
  const refused = words("You are not permitted to do this.")

  it.each([undefined, 200, 401, 403, 407])("are about the right under the status %s", (status) => {
    expect(ruleOf(status, refused)).toBe("access/right-words")
  })

  it.each([
    [400, "status/4xx"],
    [404, "status/4xx"],
    [422, "status/4xx"],
    [429, "status/429"],
    [500, "status/5xx"]
  ])("are too little under the status %s", (status, rule) => {
    expect(ruleOf(status, refused)).toBe(rule)
  })

  it.each([400, 404, 422])("suffice under the status %s where they name what is closed", (status) => {
    expect(ruleOf(status, words("Calls from your country are not permitted."))).toBe("access/right-words")
  })
})
