import { describe, expect, it } from "@effect/vitest"
import { ruleOf, words } from "./answers.js"

describe("a code that says that the server's time ran out", () => {
  const late = words("Gave up on the worker.", { code: "upstream_timeout" })

  it.each([undefined, 200, 400, 408, 500, 503])("is a time limit under the status %s", (status) => {
    expect(ruleOf(status, late)).toBe("capacity/timeout-code")
  })

  it("is pace under a 429", () => {
    expect(ruleOf(429, late)).toBe("status/429")
  })
})

describe("a code that says that the server is short of room", () => {
  const busy = words("The worker is occupied.", { code: "model_busy" })

  it.each([undefined, 200, 399, 409, 424, 425, 429, 500, 503])("is believed under the status %s", (status) => {
    expect(ruleOf(status, busy)).toBe("capacity/code")
  })

  it.each([
    [400, "status/4xx"],
    [404, "status/4xx"],
    [410, "status/4xx"],
    [423, "status/4xx"],
    [451, "status/403"]
  ])("gives way to the status %s, which finds fault with the request", (status, rule) => {
    expect(ruleOf(status, busy)).toBe(rule)
  })
})

describe("words that say that the server is broken", () => {
  const broken = words("Something went wrong on our side.")

  it.each([undefined, 200, 399, 408, 409, 424, 425, 429, 500, 503, 504])(
    "are believed under the status %s",
    (status) => {
      expect(ruleOf(status, broken)).toBe("capacity/words")
    }
  )

  it.each([
    [400, "status/4xx"],
    [403, "status/403"],
    [410, "status/4xx"],
    [451, "status/403"]
  ])("give way to the status %s, which finds fault with the request", (status, rule) => {
    expect(ruleOf(status, broken)).toBe(rule)
  })
})

describe("a refusal in which the server speaks of its own load", () => {
  const refused = words("The model is currently overloaded.", { code: "rate_limit_exceeded" })

  it.each([400, 403, 429])("is the server's trouble under the status %s, in spite of a code of pace", (status) => {
    expect(ruleOf(status, refused)).toBe("capacity/busy-refusal")
  })

  it.each([undefined, 404, 500])("is left to its code under the status %s", (status) => {
    expect(ruleOf(status, refused)).toBe("pace/code")
  })
})

describe("words that say that time ran out", () => {
  const late = words("The generation timed out.")

  it.each([undefined, 200, 399, 408, 409, 424, 500, 503])("are a time limit under the status %s", (status) => {
    expect(ruleOf(status, late)).toBe("capacity/timeout-words")
  })

  it.each([
    [400, "status/4xx"],
    [403, "status/403"],
    [407, "status/401"],
    [429, "status/429"]
  ])("give way to the status %s", (status, rule) => {
    expect(ruleOf(status, late)).toBe(rule)
  })
})

describe("a gateway that had no answer from behind", () => {
  it.each([
    "Cannot connect to host embed-7.svc.cluster.local:8000",
    "InternalServerError: AcmeException - Connect call failed ('10.30.0.226', 11434)",
    "The system encountered an unexpected error during processing. Try your request again.",
    "AcmeException - internalServerException",
    "Backend error"
  ])("is the server's trouble, though it says 400: %s", (message) => {
    expect(ruleOf(400, words(message))).toBe("capacity/behind-refusal")
  })

  it("is not believed of other refusals", () => {
    expect(ruleOf(422, words("Backend error"))).toBe("status/4xx")
    expect(ruleOf(400, words("InternalError.Algo.InvalidParameter: Input is required"))).toBe("status/4xx")
  })
})

describe("what may be overloaded", () => {
  it.each([
    "The service may be temporarily overloaded, please try again later",
    "The system is overloaded",
    "The server might be overloaded"
  ])("is the server's trouble within a 429, under a code of pace: %s", (message) => {
    expect(ruleOf(429, words(message, { code: "rate_limit_error" }))).toBe("capacity/busy-refusal")
  })
})

describe("what is being provisioned", () => {
  it.each([
    "Service agents are being provisioned. Please try again in a few minutes.",
    "Your endpoint is still being deployed.",
    "The workspace is currently being provisioned."
  ])("serves soon: %s", (message) => {
    expect(ruleOf(400, words(message))).toBe("capacity/coming-up")
  })
})
