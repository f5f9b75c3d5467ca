import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import { classify } from "../../../src/domain/failure/classify.js"
import { bounded, span } from "../../../src/domain/failure/Wait.js"
import { answer } from "./wires.js"
import type { WireFailure } from "../../../src/domain/failure/WireFailure.js"

const now = Date.UTC(2026, 2, 1, 12, 0, 0)
const day = 86_400_000

const wait = (more: Partial<WireFailure>): number | undefined => {
  const failure = classify({ provider: "x", surface: "chat", auth: "key", status: 429, now, ...more })
  return failure._tag === "RateLimited" && failure.retryAfter !== undefined
    ? Duration.toMillis(failure.retryAfter)
    : undefined
}

const message = (text: string, more: Record<string, unknown> = {}) => ({
  body: JSON.stringify({ error: { message: text, ...more } })
})

describe("a wait in the headers", () => {
  it.each<readonly [Readonly<Record<string, string>>, number | undefined]>([
    [{ "retry-after": "37" }, 37_000],
    [{ "retry-after": "1.5" }, 1_500],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "-5" }, undefined],
    [{ "retry-after": "999999" }, day],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "" }, undefined],
    [{ "retry-after": "Sun, 01 Mar 2026 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Sun, 01 Mar 2026 11:00:00 GMT" }, 0],
    [{ "retry-after": "2026-03-01T12:01:00Z" }, 60_000],
    [{ "retry-after": "20s" }, 20_000],
    [{ "retry-after-ms": "1500" }, 1_500],
    [{ "x-ms-retry-after-ms": "250" }, 250],
    [{ "retry-after-ms": "0", "retry-after": "1" }, 0],
    [{ "retry-after-ms": "nonsense", "retry-after": "2" }, 2_000],
    [{ "x-ratelimit-reset-requests": "1m30s" }, 90_000],
    [{ "x-ratelimit-reset-tokens": "6ms" }, 6],
    [{ "x-ratelimit-reset": "45" }, 45_000],
    [{ "ratelimit-reset": "12" }, 12_000],
    [{ "x-ratelimit-reset": String(now / 1_000 + 90) }, 90_000],
    [{ "x-ratelimit-reset": String(now + 5_000) }, 5_000],
    [{ "anthropic-ratelimit-requests-reset": "2026-03-01T12:00:10Z" }, 10_000],
    [{ "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "9s" }, 9_000],
    [{
      "x-ratelimit-reset-requests": "1s",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-tokens": "9s",
      "x-ratelimit-remaining-tokens": "100"
    }, 1_000],
    [{ "x-request-id": "17" }, undefined]
  ])("%j", (headers, expected) => {
    expect(wait({ headers })).toBe(expected)
  })

  it.each([undefined, now, now - 600_000, now + 600_000])(
    "reads dates by the answer's own clock, ours being %s",
    (ours) => {
      const wire = {
        provider: "x",
        surface: "chat" as const,
        auth: "key" as const,
        status: 429,
        headers: { date: "Sun, 01 Mar 2026 12:00:00 GMT", "retry-after": "Sun, 01 Mar 2026 12:00:07 GMT" }
      }
      expect(classify(ours === undefined ? wire : { ...wire, now: ours })).toMatchObject({
        retryAfter: Duration.seconds(7)
      })
    }
  )

  it("reads dates by our clock where the answer's Date cannot be read", () => {
    expect(wait({ headers: { date: "soon", "retry-after": "Sun, 01 Mar 2026 12:00:07 GMT" } })).toBe(7_000)
  })

  it("stands before what the body says", () => {
    expect(wait({ headers: { "retry-after": "3" }, ...message("Rate limit. Please try again in 20s.") })).toBe(3_000)
    expect(wait({ headers: { "x-ratelimit-reset": "60" }, ...message("Rate limit. Please try again in 20s.") })).toBe(
      20_000
    )
  })
})

describe("a wait in the body's fields", () => {
  it.each<readonly [Record<string, unknown>, number | undefined]>([
    [{ retry_after: 12 }, 12_000],
    [{ retryAfter: "12" }, 12_000],
    [{ retry_after_ms: 1_200 }, 1_200],
    [{ retry_after_seconds: 2.5 }, 2_500],
    [{ resets_in_seconds: 602_705 }, day],
    [{ resets_at: now / 1_000 + 30 }, 30_000],
    [{ resets_at: 20 }, undefined],
    [{ reset_at: "2026-03-01T12:00:05Z" }, 5_000],
    [{ estimated_time: 118.027 }, 118_027],
    [{ details: [{ retryDelay: "26s" }] }, 26_000],
    [{ details: [{ retryDelay: "0.5s" }] }, 500],
    [{ details: [{ metadata: { quotaResetDelay: "1h2m3s" } }] }, 3_723_000],
    [{ retry_after: -1 }, undefined],
    [{ retry_after: true }, undefined],
    [{ metadata: { headers: { "X-RateLimit-Reset": String(now + 4_000) } } }, 4_000],
    [{ retry_after: 2, retry_after_ms: 500 }, 2_000],
    [{ retry_after: 2, wait_seconds: 7 }, 7_000],
    [{ resets_at: "in a while" }, undefined],
    [{ reset: false }, undefined],
    [{ ttl: "3s" }, 3_000],
    [{ limit: 30 }, undefined]
  ])("%j", (fields, expected) => {
    expect(wait(message("slow down", fields))).toBe(expected)
  })
})

describe("a wait in words", () => {
  it.each<readonly [string, number | undefined]>([
    ["Please try again in 20s.", 20_000],
    ["Please try again in 6ms. Visit", 6],
    ["Please try again in 1m2.5s.", 62_500],
    ["Please try again in 9m38.016s. Need more tokens?", 578_016],
    ["try again in 1h0m1s", 3_601_000],
    ["Please retry after 38 seconds.", 38_000],
    ["Please retry in 34.07s", 34_070],
    ["Please wait 85841 seconds before retrying.", 85_841_000],
    ["Your quota will reset after 19h14m47s.", 69_287_000],
    ["Your rate limit resets in ~10s.", undefined],
    ["Try again in 2 minutes and 5 seconds", 125_000],
    ["Retry-After: 15", 15_000],
    ["try again in 3 days", day],
    ["请在 30 秒后重试", 30_000],
    ["20秒後に再試行してください", 20_000],
    ["5초 후에 다시 시도하세요", 5_000],
    ["Bitte in 12 Sekunden erneut versuchen", 12_000],
    ["您的限额将在 2026-03-01 21:00:00 重置。", 3_600_000],
    ["The limit resets at 2026-03-01T12:10:00Z", 600_000],
    ["resets at 2026-03-01T21:00:00+08:00", 3_600_000],
    ["rate limit reached on 2026-03-01 12:30:00", undefined],
    ["Limit 30 requests, used 30", undefined],
    ["Retry in: about 5s", 5_000],
    ["Retrying in approximately 5 s", 5_000],
    ["Try your request again within ~5s", 5_000],
    ["try the request again after 5s", 5_000],
    ["Waiting for another 5 seconds", 5_000],
    ["wait at least 5 sec", 5_000],
    ["Wait: ~5s", 5_000],
    ["The window refreshes in 5 minutes", 300_000],
    ["It is lifted after 5 minutes", 300_000],
    ["Available again in 1 hr", 3_600_000],
    ["The cooldown is 5s", 5_000],
    ["cooling down for 5s", 5_000],
    ["retry-after = 5s", 5_000],
    ["retry after: 5", 5_000],
    ["\"retry_after\": \"5\"", 5_000],
    ["try again in 5", 5_000],
    ["try again in 5%", undefined],
    ["retry after 5/10", undefined],
    ["retry after 5 tokens", undefined],
    ["1 hour and 5 minutes, wait", undefined],
    ["Try again in 1 hour, 5 minutes and 2 seconds", 3_902_000],
    ["请等待 5分钟后", 300_000],
    ["5分钟后再试", 300_000],
    ["5秒钟以后", 5_000],
    ["5小时之后", 18_000_000],
    ["5分 후", 300_000],
    ["dans 5 minutes", 300_000],
    ["en 5 minutos", 300_000],
    ["em 5 segundos", 5_000],
    ["In 5 Minuten", 300_000],
    ["resets at 2026-03-01 12:10 UTC", 600_000],
    ["resets at 2026-03-01 12:10:30.5", 630_500],
    ["resets at 2026-03-01T13:10:00 +01:00", 600_000],
    ["available from 2026-03-01 12:10", 600_000],
    ["blocked until 2026-03-01 12:10", 600_000],
    ["retry at 2026-03-01 12:10", 600_000],
    ["restored at 2026-03-01 12:10", 600_000],
    ["额度将于 2026-03-01 20:10:00 恢复", 600_000],
    ["额度将于 2026-03-01 12:10:00Z 恢复", 600_000],
    ["额度将于 2026-03-01T20:10:00+08:00 恢复", 600_000],
    ["リセット 2026-03-01 12:10:00Z", 600_000],
    ["resets on March 3", undefined]
  ])("%s", (text, expected) => {
    expect(wait(message(`Rate limit. ${text}`))).toBe(expected)
  })
})

describe("bounds", () => {
  it("no wait is negative or longer than a year", () => {
    FastCheck.assert(FastCheck.property(FastCheck.double(), (millis) => {
      const value = bounded(millis)
      return value === undefined ? !(millis >= 0 && Number.isFinite(millis)) : value >= 0 && value <= 366 * day
    }))
  })

  it("a span is the sum of its parts", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.nat(23),
        FastCheck.nat(59),
        FastCheck.nat(59),
        (hours, minutes, seconds) =>
          span(`${hours}h${minutes}m${seconds}s`) === ((hours * 60 + minutes) * 60 + seconds) * 1_000
      )
    )
    expect(span("soon")).toBeUndefined()
  })
})

const renewal = (body: string, headers: Readonly<Record<string, string>> = {}) => {
  const failure = classify({ provider: "x", surface: "chat", auth: "key", status: 402, body, headers, now })
  return failure._tag === "BudgetExhausted" && failure.resetsAt !== undefined
    ? DateTime.toEpochMillis(failure.resetsAt)
    : undefined
}

describe("a budget's renewal", () => {
  it("is read from fields, words and headers", () => {
    expect(renewal(JSON.stringify({ error: { message: "x", resets_at: now / 1_000 + 60 } }))).toBe(now + 60_000)
    expect(renewal(JSON.stringify({ error: { message: "x", reset_at: "2026-03-02T00:00:00Z" } }))).toBe(
      Date.UTC(2026, 2, 2)
    )
    expect(renewal("credits renew on 2026-04-01 00:00:00")).toBe(Date.UTC(2026, 3, 1))
    expect(renewal("", { "retry-after": "60" })).toBe(now + 60_000)
    expect(renewal("", { "retry-after": "0" })).toBeUndefined()
    expect(renewal("Insufficient Balance")).toBeUndefined()
  })
})

describe("a span", () => {
  it.each<readonly [string, number]>([
    ["250ms", 250],
    ["250 MS", 250],
    ["250 msec", 250],
    ["1 millisecond", 1],
    ["3 milliseconds", 3],
    ["3毫秒", 3],
    ["2s", 2_000],
    ["2 secs", 2_000],
    ["2.5 seconds", 2_500],
    ["2 Sekunden", 2_000],
    ["2 segundos", 2_000],
    ["2秒", 2_000],
    ["2초", 2_000],
    ["3m", 180_000],
    ["3 mins", 180_000],
    ["3 Minuten", 180_000],
    ["3 分钟", 180_000],
    ["3分", 180_000],
    ["3분", 180_000],
    ["4h", 14_400_000],
    ["4 hrs", 14_400_000],
    ["4小时", 14_400_000],
    ["4小時", 14_400_000],
    ["4時間", 14_400_000],
    ["4시간", 14_400_000],
    ["2d", 172_800_000],
    ["2 days", 172_800_000],
    ["2天", 172_800_000],
    ["2日", 172_800_000],
    ["2일", 172_800_000],
    ["1d2h3m4s5ms", 93_784_005]
  ])("of %s", (text, millis) => {
    expect(span(text)).toBe(millis)
  })

  it.each(["2 sx", "5 apples", "s", "12", "3 months"])("is not in %s", (text) => {
    expect(span(text)).toBeUndefined()
  })
})

describe("the bounds of a wait", () => {
  it.each<readonly [number, number | undefined]>([
    [0, 0],
    [-0.001, undefined],
    [1.4, 1],
    [1.5, 2],
    [day, day],
    [day + 1, day + 1],
    [366 * day + 1, 366 * day],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined]
  ])("make of %s ms %s", (millis, expected) => {
    expect(bounded(millis)).toBe(expected)
  })
})

describe("a number that may be a moment", () => {
  const soon = (at: number) => wait({ headers: { "x-ratelimit-reset": String(at) }, now: at < 1e11 ? at * 1_000 : at })

  it.each<readonly [number, number | undefined]>([
    [1e9, day],
    [1e9 + 1, 0],
    [1e11 - 1, 0],
    [1e11, day],
    [1e12, day],
    [1e12 + 1, 0],
    [1e14 - 1, 0],
    [1e14, day]
  ])("%d", (at, expected) => {
    expect(soon(at)).toBe(expected)
  })
})

describe("a date in a header", () => {
  it.each<readonly [string, number | undefined]>([
    ["Sun, 01 Mar 2026 12:00:30 UTC", 30_000],
    ["  Sun, 01 Mar 2026 12:00:30 GMT  ", 30_000],
    ["Sun, 1 Mar 2026 12:00:30 GMT", 30_000],
    ["2026-03-01 12:00:30", 30_000],
    ["2026-03-01T12:00:30", 30_000],
    ["2026-03-01T12:00:30z", 30_000],
    ["2026-03-01 12:00:30 UTC", 30_000],
    ["2026-03-01T13:00:30+01:00", 30_000],
    ["2026-03-01T13:00:30+0100", 30_000],
    ["2026-03-01T11:00:30-01:00", 30_000],
    ["2026-03-01", undefined],
    ["March", undefined],
    ["12e0", 12_000],
    ["1.2.3", undefined],
    ["20s and more", undefined],
    ["1m 30s", 90_000]
  ])("%s", (value, expected) => {
    expect(wait({ headers: { "retry-after": value } })).toBe(expected)
  })

  it("says nothing where nobody knows what time it is", () => {
    const wire = { provider: "x", surface: "chat", auth: "key", status: 429 } as const
    const failure = classify({ ...wire, headers: { "retry-after": "Sun, 01 Mar 2026 12:00:30 GMT" } })
    expect(failure._tag === "RateLimited" && failure.retryAfter === undefined).toBe(true)
  })
})

describe("the windows of a limit", () => {
  it.each<readonly [string, Readonly<Record<string, string>>, number | undefined]>([
    ["count by whatever prefix", { "x-ratelimit-requests-reset": "3" }, 3_000],
    [
      "do not count under other names",
      { "my-ratelimit-reset": "3", "x-ratelimit-resets": "3", "x-reset": "3" },
      undefined
    ],
    ["that are used up below zero count", {
      "x-ratelimit-reset-a": "3",
      "x-ratelimit-remaining-a": "-1",
      "x-ratelimit-reset-b": "9"
    }, 3_000],
    ["that are used up count, the last of them", {
      "x-ratelimit-reset-a": "3",
      "x-ratelimit-remaining-a": "0",
      "x-ratelimit-reset-b": "4",
      "x-ratelimit-remaining-b": "0",
      "x-ratelimit-reset-c": "9",
      "x-ratelimit-remaining-c": "1"
    }, 4_000],
    ["that cannot be read do not count", { "x-ratelimit-reset-a": "soon", "x-ratelimit-reset-b": "2" }, 2_000]
  ])("%s", (_, headers, expected) => {
    expect(wait({ headers })).toBe(expected)
  })

  it("are read from headers within a body too, but not from its other fields", () => {
    const within = (name: string) => wait(message("slow down", { [name]: { "X-RateLimit-Reset-Day": "4" } }))
    expect(within("headers")).toBe(4_000)
    expect(within("heads")).toBeUndefined()
  })
})

describe("when a budget renews", () => {
  it.each<readonly [string, Readonly<Record<string, string>>, number | undefined]>([
    ["{\"error\":{\"message\":\"x\",\"resets_at\":true}}", {}, undefined],
    ["{\"error\":{\"message\":\"x\",\"resets_at\":20}}", {}, undefined],
    ["{\"error\":{\"message\":\"x\",\"sent_at\":\"2026-03-02T00:00:00Z\"}}", {}, undefined],
    [
      "{\"a\":{\"reset_at\":\"2026-03-02T00:00:00Z\"},\"b\":{\"reset_at\":\"2026-03-03T00:00:00Z\"}}",
      {},
      Date.UTC(2026, 2, 2)
    ],
    ["credits renew on 2026-04-01 00:00:00", { "retry-after": "60" }, Date.UTC(2026, 3, 1)],
    ["Insufficient Balance", { "x-ratelimit-reset": "60" }, undefined],
    ["You will regain access on 2026-04-01 at 13:00 UTC.", {}, Date.UTC(2026, 3, 1, 13)],
    ["You lost access on 2026-04-01 at 13:00 UTC.", {}, undefined]
  ])("%s %j", (body, headers, expected) => {
    expect(renewal(body, headers)).toBe(expected)
  })
})

describe("a wait as a clock, a moment or a time of the day", () => {
  it.each<readonly [string, number]>([
    ["Quota will be replenished in 00:06:46.", 406_000],
    ["Quota will be replenished in 07:01:20.", 25_280_000],
    ["The quota is refilled within 0.03:00:00", 10_800_000],
    ["Try again in 3:24:11", 12_251_000],
    ["Quota will be replenished in 2.12 days.", day],
    ["Quota will be replenished in 0.5 days.", day / 2],
    ["usage limit reached|1772366460", 60_000],
    ["usage limit reached, resets at 1772366460000 for this key", 60_000],
    ["Try again after Sun, 01 Mar 2026 12:00:30 GMT.", 30_000],
    ["Access resets at 12:10 PM UTC.", 600_000],
    ["Access resets at 9:30 AM GMT-3.", 1_800_000],
    ["Access resets at 11:00 UTC.", 82_800_000],
    ["Access resets at 0:05 am UTC+0.", 43_500_000],
    ["retryDelay: \"54s\"", 54_000]
  ])("is read from \"%s\"", (text, expected) => {
    expect(wait(message(text))).toBe(expected)
  })

  it.each([
    "The limit of 12:00 requests is reached",
    "Limit reached at 1772366460 tokens",
    "the request id is 1772366460|99"
  ])("is not read from \"%s\"", (text) => {
    expect(wait(message(text))).toBeUndefined()
  })

  it("of the day needs the moment from which it is counted", () => {
    const { now: _, ...rest } = { now, ...message("Access resets at 12:10 PM UTC.") }
    expect(classify({ provider: "x", surface: "chat", auth: "key", status: 429, ...rest })).not.toHaveProperty(
      "retryAfter"
    )
  })

  it.each<readonly [string, unknown, number]>([
    ["reset_seconds", 41, 41_000],
    ["retry_after_s", 5, 5_000],
    ["estimated_ready_time_seconds", 60, 60_000],
    ["resets_at", 1_772_366_460, 60_000],
    ["resets_at", "2026-03-01T12:01:00Z", 60_000]
  ])("is read from the member %s of %s", (name, value, expected) => {
    expect(wait({ body: JSON.stringify({ error: { message: "later", [name]: value } }) })).toBe(expected)
  })

  it("is read from headers that other makers spell with a stroke, and in milliseconds", () => {
    expect(wait({ headers: { "x-rate-limit-time-reset-ms": "3000" } })).toBe(3_000)
    expect(wait({ headers: { "x-rate-limit-reset": "30" } })).toBe(30_000)
  })
})

describe("a wait that is longer than is waited at once", () => {
  const judged = (wire: Partial<WireFailure>) => classify(answer(429, "", wire))

  it("is kept as it was named beside what is waited of it", () => {
    expect(judged({ headers: { "retry-after": "482593" } })).toMatchObject({
      _tag: "RateLimited",
      retryAfter: Duration.days(1),
      asked: Duration.seconds(482_593)
    })
    expect(classify(answer(503, "", { headers: { "retry-after": "86401" } }))).toMatchObject({
      _tag: "ProviderUnavailable",
      retryAfter: Duration.days(1),
      asked: Duration.seconds(86_401)
    })
  })

  it.each(["86400", "60"])("is none of %s seconds", (seconds) => {
    expect(judged({ headers: { "retry-after": seconds } })).not.toHaveProperty("asked")
  })

  it("is not cut where it says when a budget renews", () => {
    const body = {
      error: { type: "insufficient_quota", message: "The balance is used up.", reset_after_seconds: 864_000 }
    }
    const failure = classify(answer(429, body, { now }))
    expect(failure._tag === "BudgetExhausted" && failure.resetsAt?.epochMillis).toBe(now + 864_000_000)
  })
})
