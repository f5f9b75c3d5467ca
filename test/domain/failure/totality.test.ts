import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { recognise } from "../../../src/domain/failure/classify.js"
import { consequence, loneRequest } from "../../../src/domain/failure/Consequence.js"
import { isFailure } from "../../../src/domain/failure/Failure.js"
import type { WireFailure } from "../../../src/domain/failure/WireFailure.js"
import { CallContext } from "../../../src/domain/failure/CallContext.js"
import { judge, lines } from "./corpora.js"

const entries = lines("corpus.jsonl").map(judge)

const fragments = FastCheck.array(
  FastCheck.constantFrom(
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    ":",
    ",",
    "\\",
    "\\u00",
    "{\"error\":",
    "{'error': ",
    "null",
    "None",
    "data: ",
    "event: error\n",
    "\n\n",
    "<html>",
    "HTTP 429",
    "status code 503",
    "try again in ",
    "1m2.5s",
    "-5",
    "1e309",
    "insufficient balance",
    "余额",
    "code",
    "(",
    ")",
    " ",
    "🙂",
    "\u0000",
    "\ud800",
    "2026-13-45T99:99:99Z",
    "retry after",
    "__proto__",
    "constructor",
    "9".repeat(30)
  ),
  { maxLength: 40 }
).map((parts) => parts.join(""))

const text = FastCheck.oneof(
  fragments,
  FastCheck.fullUnicodeString({ maxLength: 300 }),
  FastCheck.uint8Array({ maxLength: 300 }).map((bytes) => new TextDecoder("latin1").decode(bytes)),
  FastCheck.json()
)

const wire: FastCheck.Arbitrary<WireFailure> = FastCheck.record({
  provider: FastCheck.oneof(
    FastCheck.constantFrom("openai", "zhipu", "qianfan", "cloudflare", "openhuman-backend", ""),
    FastCheck.string()
  ),
  surface: FastCheck.constantFrom("chat" as const, "embed" as const),
  auth: FastCheck.constantFrom("session" as const, "key" as const, "none" as const),
  model: FastCheck.string(),
  status: FastCheck.oneof(
    FastCheck.integer(),
    FastCheck.integer({ min: 100, max: 599 }),
    FastCheck.constantFrom(Number.NaN, Infinity)
  ),
  headers: FastCheck.dictionary(
    FastCheck.oneof(
      FastCheck.constantFrom(
        "retry-after",
        "retry-after-ms",
        "x-ratelimit-reset",
        "x-ratelimit-reset-requests",
        "date",
        "x-amzn-errortype",
        "x-should-retry",
        "__proto__"
      ),
      FastCheck.string()
    ),
    text
  ),
  body: text,
  transport: FastCheck.array(
    FastCheck.record({ name: text, code: text, message: text }, { requiredKeys: [] }),
    { maxLength: 5 }
  ),
  timedOutAfter: FastCheck.oneof(FastCheck.double(), FastCheck.integer()),
  contract: text,
  streaming: FastCheck.boolean(),
  now: FastCheck.double()
}, { requiredKeys: ["provider", "surface", "auth"] })

const work: FastCheck.Arbitrary<CallContext> = FastCheck.oneof(
  FastCheck.record({
    texts: FastCheck.integer({ min: 0, max: 64 }),
    malformedTries: FastCheck.nat(5),
    neighbours: FastCheck.constantFrom("unknown" as const, "served" as const, "refused" as const),
    canShorten: FastCheck.boolean(),
    provider: FastCheck.constantFrom("not-asked" as const, "answers" as const, "down" as const),
    wasThere: FastCheck.boolean()
  }).map((fields) => CallContext.Embed(fields)),
  FastCheck.nat(5).map((malformedTries) => CallContext.Agent({ malformedTries })),
  FastCheck.nat(5).map((malformedTries) => CallContext.Chat({ malformedTries })),
  FastCheck.nat(5).map((malformedTries) => CallContext.Request({ malformedTries }))
)

describe("whatever the wire shows", () => {
  it("classify and consequence answer, and what they answer is bounded", () => {
    FastCheck.assert(
      FastCheck.property(wire, work, (shown, kind) => {
        const { because, failure, rule } = recognise(shown)
        const { action, userMessage } = consequence(failure, kind)
        const lone = loneRequest(failure)
        expect(isFailure(failure)).toBe(true)
        expect(failure.detail.length).toBeLessThanOrEqual(300)
        expect([rule.length, because.length, userMessage.length, action._tag.length].every((length) => length > 0))
          .toBe(true)
        expect(Option.getOrElse(lone.retryAfter, () => Duration.zero)).toSatisfy(
          Duration.between({ minimum: Duration.zero, maximum: Duration.days(1) })
        )
      }),
      { numRuns: 2_000 }
    )
  })

  it("a recorded failure with senseless headers and clocks still answers", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.constantFrom(...entries), wire, (entry, other) => {
        const mixed = {
          ...entry.wire,
          headers: { ...other.headers, ...entry.wire.headers },
          ...(other.now === undefined ? {} : { now: other.now })
        }
        expect(isFailure(recognise(mixed).failure)).toBe(true)
      }),
      { numRuns: 500 }
    )
  })

  it("a body cut off anywhere still answers", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(...entries),
        FastCheck.double({ min: 0, max: 1, noNaN: true }),
        (entry, at) => {
          const body = entry.wire.body ?? ""
          expect(isFailure(recognise({ ...entry.wire, body: body.slice(0, Math.floor(body.length * at)) }).failure))
            .toBe(true)
        }
      ),
      { numRuns: 1_000 }
    )
  })

  it("a flood of brackets or events costs no more than a blink", () => {
    const floods = [
      "[".repeat(1_000_000),
      "{\"a\":".repeat(200_000),
      "data: {\"error\":\n".repeat(60_000),
      "'{\"".repeat(300_000),
      "{a".repeat(400_000),
      "<".repeat(1_000_000),
      "1m".repeat(400_000)
    ]
    const before = process.cpuUsage()
    for (const body of floods) recognise({ provider: "x", surface: "chat", auth: "key", status: 400, body })
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(5_000)
  })
})

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const reversed = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(reversed)
    : isObject(value)
    ? Object.fromEntries(Object.entries(value).toReversed().map(([key, item]) => [key, reversed(item)]))
    : value

/** A Python dict of the same content. */
const python = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(python).join(", ")}]`
    : isObject(value)
    ? `{${Object.entries(value).map(([key, item]) => `'${key}': ${python(item)}`).join(", ")}}`
    : typeof value === "string"
    ? `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n")}'`
    : value === null
    ? "None"
    : value === true
    ? "True"
    : value === false
    ? "False"
    : String(value)

const envelopes = entries.flatMap((entry) => {
  const { body, status } = entry.wire
  if (body === undefined || status === undefined || status < 400 || !/^\s*\{/.test(body)) return []
  const parsed: unknown = JSON.parse(body.endsWith("}") || body.trim().endsWith("}") ? body : "null")
  return parsed === null ? [] : [{ ...entry, parsed, body, status }]
})

describe("noise around an envelope", () => {
  it("is tried on most of the corpus", () => {
    expect(envelopes.length).toBeGreaterThan(90)
  })

  const noises: ReadonlyArray<readonly [string, (parsed: unknown, status: number) => Partial<WireFailure>]> = [
    ["white space", (parsed) => ({ body: `\n\t ${JSON.stringify(parsed, null, 4)} \r\n` })],
    ["the order of keys", (parsed) => ({ body: JSON.stringify(reversed(parsed)) })],
    ["an array around it", (parsed) => ({ body: JSON.stringify([parsed]) })],
    ["a string around it", (parsed) => ({ body: JSON.stringify(JSON.stringify(parsed)) })],
    ["an event around it", (parsed) => ({ body: `event: error\ndata: ${JSON.stringify(parsed)}\n\n` })],
    [
      "words before and after it",
      (parsed) => ({ body: `[worker 3] call failed: ${JSON.stringify(parsed)} (request 7f3a)` })
    ],
    ["a Python client's words", (parsed, status) => ({ body: `Error code: ${status} - ${python(parsed)}` })],
    [
      "keys that mean nothing",
      (parsed) => ({
        body: JSON.stringify({ request_id: "req_429", ...(isObject(parsed) ? parsed : {}), trace_id: "401" })
      })
    ]
  ]

  it.each(noises)("does not change the class: %s", (_, noise) => {
    const changed = envelopes.flatMap(({ failure, id, parsed, status, wire }) => {
      const other = recognise({ ...wire, ...noise(parsed, status) })
      return other.failure._tag === failure._tag
        ? []
        : [`${id}: ${failure._tag} became ${other.failure._tag} by ${other.rule}`]
    })
    expect(changed).toEqual([])
  })

  it("does not change the class when only the wrapping text names the status", () => {
    const changed = envelopes.flatMap(({ failure, id, parsed, status, wire }) => {
      const { headers: _, status: __, ...rest } = wire
      if (wire.headers?.["x-amzn-errortype"] !== undefined) return []
      const other = recognise({ ...rest, body: `custom_openai API error (${status}): ${JSON.stringify(parsed)}` })
      return other.failure._tag === failure._tag
        ? []
        : [`${id}: ${failure._tag} became ${other.failure._tag} by ${other.rule}`]
    })
    expect(changed).toEqual([])
  })
})
