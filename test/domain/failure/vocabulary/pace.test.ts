import { describe, expect, it } from "@effect/vitest"
import { recognise } from "../../../../src/domain/failure/classify.js"
import { answer } from "../wires.js"
import { judged, ruleOf, words } from "./answers.js"

describe("a request that is larger than its own limit", () => {
  it.each([
    [
      "a code of pace, whatever the status",
      413,
      words("Request too large: it is over the limit of your tier.", { code: "rate_limit_exceeded" })
    ],
    [
      "a code of pace beside a type that says nothing of it",
      413,
      words("Request too large for your organization's limit.", {
        type: "invalid_request_error",
        code: "rate_limit_exceeded"
      })
    ],
    ["the status of pace alone", 429, words("Request too large: it is over the limit of this deployment.")],
    ["tokens per minute by their abbreviation", 413, words("Request too large for llama-70b: the limit is 6000 TPM.")],
    ["requests per day by their abbreviation", 413, words("Request too large for llama-70b, limit 50 RPD.")],
    ["a minute in words", 413, words("Request too large: the limit is 6000 tokens per min.")]
  ])("is told by %s", (_, status, body) => {
    expect(judged(status, body)).toMatchObject({
      rule: "pace/one-request-too-large",
      failure: { _tag: "RateLimited", tooLarge: true }
    })
  })

  it("is a matter of size where nothing speaks of pace", () => {
    expect(ruleOf(413, words("Request too large: the limit is 4 MB."))).toBe("size/words")
  })

  it.each([
    [
      "OpenAI's sentence",
      429,
      words("Rate limit reached for gpt-4 on tokens per min (TPM): Limit 10,000, Used 0, Requested 12,903.")
    ],
    ["colons", 429, words("Tokens per minute. Limit: 6000. Requested: 9000.")],
    ["estimates", 429, words("The per minute limit of ~6000 is too small for this: requested ~9000 tokens.")],
    ["a colon and an estimate", 429, words("Tokens per minute, limit: ~900, requested: ~1000.")],
    ["a single digit", 429, words("Requests per minute: limit 3, requested 5.")]
  ])("is told by the two numbers in %s", (_, status, body) => {
    expect(judged(status, body)).toMatchObject({
      rule: "pace/requested-beyond-limit",
      failure: { _tag: "RateLimited", tooLarge: true }
    })
  })

  it.each([
    ["the request alone is within the limit", "Limit 10,000, Used 9,500, Requested 900."],
    ["the request is exactly as large as the limit", "Limit 10,000, Used 1, Requested 10,000."],
    ["the limit is nought, which is no size", "Limit 0, Used 0, Requested 12,903."],
    ["only the limit is named", "Limit 10,000, Used 9,999."],
    ["only the request is named", "Used 9,999, Requested 12,903."]
  ])("is not seen where %s", (_, numbers) => {
    const { failure, rule } = judged(429, words(`Rate limit reached on tokens per min (TPM): ${numbers}`))
    expect(rule).toBe("pace/plain-429")
    expect(failure).not.toHaveProperty("tooLarge")
  })

  it("is a matter of size where the limit belongs to no window", () => {
    expect(ruleOf(400, words("This model's context length exceeded: limit 4096, requested 5000."))).toBe("size/words")
  })
})

describe("a limit of a window", () => {
  it.each([
    ["resets", "Usage limit reached for 5 hours. Your limit will reset at 15:00."],
    ["resets in some time", "Daily limit reached, it resets in 3h."],
    ["renews", "You hit the weekly limit of your seat; it renews on Monday."],
    ["has a window", "Request limit exceeded for this 5-hour window."],
    ["refreshes", "Your daily limit has been spent. It refreshes at midnight UTC."]
  ])("is pace under a code of access where it %s", (_, message) => {
    expect(ruleOf(403, words(message, { type: "permission_error" }))).toBe("pace/window")
  })

  it.each([
    ["no window is named", "The usage limit refreshes with your next renewal of the seat."],
    ["nothing is used up", "A daily limit applies to your seat. It resets at midnight."],
    [
      "the window is the plan's own",
      "Your usage limit of this billing cycle is exhausted; it renews in the next cycle."
    ]
  ])("is left to the code or to money where %s", (_, message) => {
    expect(ruleOf(403, words(message, { type: "permission_error" }))).not.toMatch(/^pace/)
  })

  it.each([
    ["a day's", 403, "Your daily limit is spent."],
    ["a day's under 402", 402, "You have used up your daily free allocation of 10,000 neurons."],
    ["five hours'", 429, "You exceeded the 5-hour limit of this plan."]
  ])("opens again with the next one where it is %s", (_, status, message) => {
    expect(ruleOf(status, words(message, { type: "permission_error" }))).toBe("pace/portion-of-a-day")
  })

  it.each([
    ["a clock's span", 403, "Out of call volume quota. Quota will be replenished in 07:01:20."],
    ["days with a fraction", 403, "Out of call volume quota. Quota will be replenished in 2.12 days."],
    ["a rolling window", 402, "Quota exceeded for your rolling 5-hour window."]
  ])("is told by %s, whatever the status", (_, status, message) => {
    expect(ruleOf(status, words(message))).toBe("pace/window")
  })

  it("is told by a wait that the headers name", () => {
    const refused = answer(403, words("Quota exceeded."))
    expect(recognise(refused).failure._tag).toBe("BudgetExhausted")
    expect(recognise({ ...refused, headers: { "retry-after": "120" } }).rule).toBe("pace/window")
  })
})

describe("a plea to slow down", () => {
  const plea = words("Please slow down a little.")

  it.each([undefined, 200, 302, 400, 403, 409, 420, 425, 429, 430, 498, 500, 502, 503, 529])(
    "is pace under the status %s",
    (status) => {
      expect(ruleOf(status, plea)).toBe("pace/words")
    }
  )

  it.each([
    [401, "status/401"],
    [402, "status/402"],
    [404, "status/4xx"],
    [451, "status/403"],
    [501, "status/not-implemented"],
    [504, "status/timeout"]
  ])("does not outrank the status %s", (status, rule) => {
    expect(ruleOf(status, plea)).toBe(rule)
  })
})

describe("a portion of a day", () => {
  it.each([400, 401, 402, 403, 429])("is pace where it is reached, under the status %s", (status) => {
    for (const message of ["This model reached daily limit.", "You hit your hourly quota.", "Weekly limit exceeded."]) {
      expect(ruleOf(status, words(message))).toMatch(/^pace\//)
    }
  })
})

describe("a code of too many tokens", () => {
  const counted = words("too many tokens: the total in the prompt exceeds the limit of 4081", {
    code: "TOO_MANY_TOKENS"
  })

  it("is pace under a 429 and a length under another refusal", () => {
    expect(ruleOf(429, counted)).toBe("pace/tokens-code")
    expect(ruleOf(400, counted)).toBe("size/words")
  })
})

describe("a code of pace in the refusal of one text", () => {
  const longer = words("This prompt is longer than the free tier allows.", { code: "rate_limit_exceeded" })

  it("is the text's length", () => {
    for (const status of [400, 413, 422]) expect(judged(status, longer).failure._tag).toBe("ContextLengthExceeded")
  })

  it("stays pace under a 429, and where no length is spoken of", () => {
    expect(judged(429, longer).failure._tag).toBe("RateLimited")
    expect(ruleOf(400, words("Request rejected", { code: "rate_limit_exceeded" }))).toBe("pace/code")
  })
})
