import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { classify } from "../../../src/domain/failure/classify.js"
import { consequence } from "../../../src/domain/failure/Consequence.js"
import { answered, ownWord, unanswered } from "../../../src/domain/failure/precedence.js"
import type { WireFailure } from "../../../src/domain/failure/WireFailure.js"
import { CallContext } from "../../../src/domain/failure/CallContext.js"
import { answer, broken } from "./wires.js"

/** Which evidence outranks which, as precedence.ts states it: each sentence there is held by a property here. */

const tag = (wire: WireFailure) => classify(wire)._tag

/** Errors that say of themselves what they are, each with its class. */
const telling = [
  ["RateLimited", { code: "model_cooldown", message: "All credentials for this model are cooling down" }],
  ["RateLimited", { message: "You have reached your 5-hour usage limit. It resets in 2h." }],
  ["BudgetExhausted", { code: "insufficient_balance", message: "Your credit balance is too low to go on." }],
  ["ContextLengthExceeded", { code: "context_length_exceeded", message: "The prompt is too long." }],
  ["ContentFiltered", { code: "content_policy_violation", message: "The prompt was flagged by our content policy." }],
  ["ModelNotFound", { code: "model_not_found", message: "The model `acme-1` does not exist." }]
] as const

const errors = FastCheck.constantFrom(...telling)
const quoting: ReadonlyArray<(own: object, quoted: object) => object> = [
  (own, quoted) => ({ error: { ...own, last_upstream_error: JSON.stringify({ error: quoted }) } }),
  (own, quoted) => ({ error: { ...own, metadata: { raw: JSON.stringify({ error: quoted }) } } }),
  (own, quoted) => ({ error: { ...own, previous_errors: [quoted] } }),
  (own, quoted) => ({
    error: {
      ...own,
      message: `${"message" in own ? own.message : ""} (last error: ${"message" in quoted ? quoted.message : ""})`
    }
  })
]
const quotes = FastCheck.constantFrom(...quoting)
const statuses = FastCheck.constantFrom(400, 403, 404, 429, 500, 503)

describe("what we know ourselves", () => {
  it("outranks whatever was answered", () => {
    FastCheck.assert(FastCheck.property(errors, statuses, ([, error], status) => {
      const wire = answer(status, { error })
      expect(classify({ ...wire, timedOutAfter: 5_000 })._tag).toBe("Timeout")
      expect(classify({ ...wire, setting: "embedder.dimension", timedOutAfter: 5_000 })).toMatchObject({
        _tag: "InvalidRequest",
        setting: "embedder.dimension"
      })
    }))
  })

  it("includes what our client refused to send, whatever its message quotes", () => {
    FastCheck.assert(FastCheck.property(errors, ([, error]) => {
      const wire = broken({ name: "TypeError", message: `Failed to parse URL from api.test/v1 (${error.message})` })
      expect(classify({ ...wire, surface: "embed" })).toMatchObject({ _tag: "InvalidRequest", setting: "embedder.url" })
    }))
  })
})

describe("an answer's own word", () => {
  it("outranks any error that it quotes, wherever it quotes it", () => {
    FastCheck.assert(
      FastCheck.property(errors, errors, quotes, statuses, ([expected, own], [, quoted], quote, status) => {
        expect(tag(answer(status, quote(own, quoted)))).toBe(expected)
      })
    )
  })

  it("is left to the quoted error where it only repeats its status", () => {
    const wrappers = FastCheck.constantFrom(
      { message: "Provider returned error", code: 429 },
      { message: "Upstream request failed", type: "api_error" },
      { message: "Error from provider", type: "rate_limit_error", code: "provider_response_error" }
    )
    FastCheck.assert(FastCheck.property(wrappers, errors, (wrapper, [expected, quoted]) => {
      const body = { error: { ...wrapper, metadata: { raw: JSON.stringify({ error: quoted }) } } }
      expect(tag(answer(429, body))).toBe(expected)
    }))
  })

  it("is a wait of its own, beside a quoted error about money", () => {
    const body = { error: { message: "Try later", last_error: "insufficient balance, please recharge" } }
    expect(tag(answer(429, body))).toBe("BudgetExhausted")
    expect(classify({ ...answer(429, body), headers: { "retry-after": "40" } })._tag).toBe("RateLimited")
  })
})

describe("a window or wait that is named", () => {
  const lengths = FastCheck.constantFrom(
    "Too many tokens.",
    "Token limit exceeded.",
    "The input tokens exceed the limit.",
    "Requested 4,351 tokens."
  )
  const windows = FastCheck.constantFrom(
    "Limit: 30000 tokens per minute.",
    "The daily quota is exceeded, it resets in 2h.",
    "Quota exceeded. It will be replenished in 00:12:00.",
    "Try again in 20s: the limit of tokens per min (TPM) is reached."
  )

  it("outranks words about tokens", () => {
    FastCheck.assert(FastCheck.property(lengths, windows, FastCheck.boolean(), (length, window, first) => {
      const message = first ? `${window} ${length}` : `${length} ${window}`
      expect(tag(answer(429, { error: { message } }))).toBe("RateLimited")
    }))
  })

  it("outranks the statuses of money and permission", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(
          "Usage limit reached. It resets in 3 hours.",
          "Out of call volume quota. Quota will be replenished in 2.12 days.",
          "You exceeded the quota of your rolling 5-hour window."
        ),
        FastCheck.constantFrom(402, 403, 409, 429),
        (message, status) => {
          expect(tag(answer(status, { message }))).toBe("RateLimited")
        }
      )
    )
  })

  it("does not outrank a statement that the money is gone", () => {
    expect(tag(answer(429, { error: { message: "Insufficient balance. Try again in 20s." } }))).toBe("BudgetExhausted")
  })
})

describe("what parks all work", () => {
  const words = FastCheck.constantFrom(
    "messages.1.content.4: Invalid `signature` in `thinking` block",
    "Thought signature is not valid.",
    "Invalid token at position 7 of the JSON body.",
    "Token id 151936 is out of vocabulary",
    "Invalid key in 'logit_bias': 100265.",
    "The encrypted content could not be verified.",
    "Invalid token in stop sequence.",
    "tool_call_id: no secret function response found for the token",
    "Missing required key: inputs.",
    "invalid token"
  )
  const envelopes: ReadonlyArray<(message: string) => object> = [
    (message) => ({ error: { message } }),
    (message) => ({ error: { message, type: "invalid_request_error", code: null } }),
    (message) => ({ detail: message }),
    (message) => ({ error: { message, code: 400, status: "INVALID_ARGUMENT" } })
  ]

  it("needs more than a word that is also said of input", () => {
    FastCheck.assert(
      FastCheck.property(
        words,
        FastCheck.constantFrom(...envelopes),
        FastCheck.constantFrom(400, 404, 413, 422, 500, 503),
        (message, envelope, status) => {
          const { action } = consequence(
            classify(answer(status, envelope(message))),
            CallContext.Agent({ malformedTries: 0 })
          )
          expect(action._tag).not.toBe("Park")
        }
      ),
      { numRuns: 300 }
    )
  })

  it.each([
    [401, "Invalid token"],
    [401, "The signature does not match"],
    [403, "Token expired"],
    [400, "API key not valid. Please pass a valid API key."],
    [404, "Incorrect API key provided: [hidden]."],
    [undefined, "Invalid API key"]
  ])("is told by a status of refusal, or by a sentence that names the credential: %s %s", (status, message) => {
    expect(tag(answer(status, { error: { message } }))).toBe("AuthenticationFailed")
  })
})

describe("a number", () => {
  const proxies = FastCheck.constantFrom<Array<(status: number) => string>>(
    (status) => `Proxy response (${status}) !== 200 when HTTP Tunneling`,
    (status) => `tunneling socket could not be established, statusCode=${status}`,
    (status) => `Tunnel connection failed: ${status} Because`,
    (status) => `curl: (56) CONNECT tunnel failed, response ${status}`,
    (status) => `curl: (56) Received HTTP code ${status} from proxy after CONNECT`
  )

  it("that a proxy on our side gave is no status of the provider", () => {
    FastCheck.assert(FastCheck.property(proxies, FastCheck.integer({ min: 400, max: 599 }), (say, status) => {
      const wire = broken({ name: "TypeError", message: "fetch failed" }, { name: "AbortError", message: say(status) })
      expect(classify(wire)).toMatchObject({ _tag: "Network", phase: "connect" })
    }))
  })

  it("of a maker that covers several causes is left to the sentence beside it", () => {
    const minimax = (message: string) => answer(200, { base_resp: { status_code: 2013, status_msg: message } })
    expect(tag(minimax("invalid params, context window exceeds limit"))).toBe("ContextLengthExceeded")
    expect(tag(minimax("invalid params, function name is empty"))).toBe("InvalidRequest")
  })
})

describe("the tables", () => {
  it("name each level and its reason, and hold no rule twice under one name", () => {
    for (const levels of [answered, unanswered, ownWord]) {
      expect(levels.every(({ because, evidence }) => because.endsWith(".") && evidence !== "")).toBe(true)
      const names = levels.flatMap(({ rules }) => rules.map(({ because, name }) => `${name}: ${because}`))
      expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
    }
  })
})
