import { describe, expect, it } from "@effect/vitest"
import { ruleOf, words } from "./answers.js"

describe("an account's standing", () => {
  it.each([
    "Access denied, please make sure your account is in good standing.",
    "Account abnormal. Please ensure it's on good standing to use the model",
    "Your account is not in good standing. Contact billing."
  ])("is money: %s", (message) => {
    for (const status of [undefined, 400, 403]) expect(ruleOf(status, words(message))).toBe("money/gone")
  })
})

describe("a subscription", () => {
  it.each(["InvalidSubscription", "subscription_expired", "no_subscription"])("is money by the code %s", (code) => {
    expect(ruleOf(403, words("Not available.", { code }))).toBe("money/code")
  })
})

describe("a limit of a week or a month", () => {
  it.each(["Weekly/Monthly Limit Exhausted", "The weekly or monthly limit is exhausted"])(
    "opens by itself where it names when: %s",
    (message) => {
      expect(ruleOf(429, words(`${message}. Your limit will reset at 2026-03-06 22:19:54`))).toBe("pace/window")
      expect(ruleOf(429, words("Monthly limit exhausted. Your limit will reset at 2026-03-06"))).toBe("money/month")
    }
  )
})

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

describe("a quota that is used up, with no window beside it", () => {
  const spent = "You exceeded your quota."

  it.each([undefined, 200, 400, 401, 403, 429, 500])("is money under the status %s", (status) => {
    expect(ruleOf(status, words(spent))).toBe("money/quota")
  })

  it.each([
    [404, "status/4xx"],
    [413, "status/413"],
    [422, "status/4xx"]
  ])("gives way to the status %s, which is about the request", (status, rule) => {
    expect(ruleOf(status, words(spent))).toBe(rule)
  })

  it.each([
    ["a rate limit", "rate_limit_exceeded"],
    ["somebody's rate limit", "org_rate_limit_exceeded"],
    ["too many requests", "too_many_requests"],
    ["throttling", "throttled"],
    ["requests per minute", "rpm_limit_exceeded"],
    ["queries per second", "qps_limit_exceeded"]
  ])("is pace where one code among others speaks of %s", (_, code) => {
    expect(ruleOf(429, words(spent, { type: "invalid_request_error", code }))).toBe("pace/code")
  })

  it("is pace where one code among others speaks of too many tokens", () => {
    expect(ruleOf(429, words(spent, { type: "invalid_request_error", code: "too_many_tokens" }))).toBe(
      "pace/tokens-code"
    )
  })

  it("is money where a code has the letters of a rate by chance", () => {
    expect(ruleOf(403, words(spent, { code: "HTTP_DENIED" }))).toBe("money/quota")
  })

  it("is pace where the window is named", () => {
    expect(ruleOf(429, words("You exceeded your quota of requests per minute."))).toBe("pace/plain-429")
  })
})

describe("a means of payment that is asked for", () => {
  it.each([
    "This gateway requires a valid credit card on file to service requests.",
    "Please add a card to unlock your free credits.",
    "Add your payment card to continue."
  ])("is money: %s", (message) => {
    expect(ruleOf(403, words(message))).toBe("money/gone")
  })
})

describe("a balance that does not suffice", () => {
  it.each([
    "Your credit balance is running low for account <org-1>",
    "Your balance is too low.",
    "The credits are depleted."
  ])("is money within a 429: %s", (message) => {
    expect(ruleOf(429, words(message, { code: "rate_limit_error" }))).toBe("money/gone")
  })

  it.each(["token_quota_reached", "token_quota_exhausted"])("is told by the code %s", (code) => {
    expect(ruleOf(403, words("Request of 1 token(s) from quota was rejected", { code }))).toBe("money/code")
  })
})

describe("a plan that does not hold the model", () => {
  it.each([
    "The model does not work with your current plan or api key.",
    "This model is not available in your subscription tier",
    "Embeddings are not included in your current plan."
  ])("is money: %s", (message) => {
    expect(ruleOf(403, words(message))).toBe("money/gone")
  })
})
