import { describe, expect, it } from "@effect/vitest"
import { ruleOf, words } from "./answers.js"

describe("a project without access to a model", () => {
  const closed = words("Project `proj_7` does not have access to model `embed-9`.", { code: "model_not_found" })

  it("lacks a right where a 403 says so", () => {
    expect(ruleOf(403, closed)).toBe("model/no-access")
  })

  it.each([undefined, 400, 404])("asks for an unknown model by the code under the status %s", (status) => {
    expect(ruleOf(status, closed)).toBe("model/code")
  })
})

describe("a model's address that is gone", () => {
  const sunset = words("This preview was sunset, please migrate.")

  it("names a retired model where a 410 says so", () => {
    expect(ruleOf(410, sunset)).toBe("model/retired")
  })

  it.each([
    [400, "status/4xx"],
    [404, "status/4xx"],
    [500, "status/5xx"]
  ])("is judged by the status %s otherwise", (status, rule) => {
    expect(ruleOf(status, sunset)).toBe(rule)
  })

  it("is a wrong request where a 410 says nothing of models", () => {
    expect(ruleOf(410, words("Gone away."))).toBe("status/4xx")
  })
})

describe("a model that somebody else may use", () => {
  it.each([
    "The requested model 'acme/general' is not available for this API key",
    "Model embed-9 is not enabled for your account.",
    "The model `embed-9` is not accessible for your organization.",
    "Models of this family are not allowed for your team."
  ])("is a right: %s", (message) => {
    for (const status of [400, 403, 404]) expect(ruleOf(status, words(message))).toBe("model/not-for-this-key")
  })
})

describe("a model that was put away", () => {
  it.each(["archived", "withdrawn", "retired", "discontinued"])("is gone: %s", (how) => {
    expect(ruleOf(undefined, words(`This model has been ${how}.`))).toBe("model/words")
  })
})
