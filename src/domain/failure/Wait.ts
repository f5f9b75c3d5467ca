import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { Evidence, Field } from "./Evidence.js"
import { squeeze } from "./Evidence.js"

/** No more than this is waited at once, whatever is named: then the provider is asked again. */
const longest = Duration.days(1)

const day = Duration.toMillis(longest)

/** No wait that is meant is longer than a year. */
const senseless = 366 * day

/** Within zero and a year; a negative or senseless wait is none. Milliseconds. */
export const bounded = (millis: number): number | undefined =>
  Number.isFinite(millis) && millis >= 0 ? Math.min(Math.round(millis), senseless) : undefined

/** Milliseconds by the names of units, in the order in which they are told apart. */
const units: ReadonlyArray<readonly [RegExp, number]> = [
  [/^(?:ms|milli|毫秒)/i, 1],
  [/^(?:s|秒|초)/i, 1_000],
  [/^(?:m|分|분)/i, 60_000],
  [/^(?:h|小|時|시)/i, 3_600_000],
  [/^/, day]
]

const unitOf = (name: string): number => units.find(([known]) => known.test(name))?.[1] ?? 0

const part =
  /(\d+(?:\.\d+)?)\s*(milliseconds?|msecs?|ms|minutes?|minuten?|minutos?|mins?|m|seconds?|sekunden?|segundos?|secondes?|secs?|s|hours?|hrs?|h|days?|d|毫秒|秒|分钟|分|小时|小時|時間|天|日|초|분|시간|일)(?![a-z])/gi

const clock = /^\s*(?:(\d+)[.:\s]\s*)?(\d{1,2}):(\d{2}):(\d{2})(?:\.\d+)?\s*$/

/** A span as a clock shows it: `07:01:20`, and with days `5.03:23:11` (.NET's TimeSpan, as Azure prints it). */
const clockSpan = (text: string): number | undefined => {
  const found = clock.exec(text)
  if (found === null) return undefined
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0))
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000
}

/** A span such as `1m30s`, `6ms`, `1m2.5s`, `2 hours 3 minutes`, `20 秒`, in milliseconds. */
export const span = (text: string): number | undefined => {
  const parts = [...text.matchAll(part)]
  if (parts.length === 0) return clockSpan(text)
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * unitOf(unit), 0)
}

const wholeSpan = /^\s*(?:\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)\s*)+$/i

/** HTTP dates end in GMT, which DateTime reads as an offset only when it is written as one. */
const epoch = (text: string): number | undefined =>
  Option.getOrUndefined(
    Option.map(DateTime.make(text.replace(/\s*(?:GMT|UTC)$/i, " +0000")), DateTime.toEpochMillis)
  )

const httpDate = /^[A-Za-z]{3},? \d{1,2}[ -][A-Za-z]{3}[ -]\d{2,4} \d{2}:\d{2}:\d{2}|^[A-Za-z]{3}, /
const isoDate = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/

/** A point in time without an offset is UTC, on every machine alike. */
const zoned = (text: string): string => {
  const [, time = text, zone = ""] = /^(.*?)\s*(z|utc|gmt|[+-]\d{2}:?\d{2})?\s*$/i.exec(text) ?? []
  return `${time.replace(" ", "T")}${/^[+-]/.test(zone) ? zone : "Z"}`
}

const instantOf = (text: string): number | undefined =>
  isoDate.test(text) ? epoch(zoned(text)) : httpDate.test(text) ? epoch(text) : undefined

/** A number that is a moment and not a span: seconds or milliseconds since 1970. Answers in milliseconds. */
const moment = (value: number): number | undefined =>
  value > 1e12 && value < 1e14 ? value : value > 1e9 && value < 1e11 ? value * 1_000 : undefined

/**
 * The moment against which dates are read: the answer's own Date header, else our clock's. Who names a date reads it from the
 * same clock as that header; ours may be minutes off, and would make the wait so much too long or too short.
 */
const nowOf = ({ headers, wire }: Evidence): number | undefined =>
  (headers["date"] === undefined ? undefined : epoch(headers["date"])) ?? wire.now

const until = (instant = Number.NaN, now = Number.NaN): number | undefined => bounded(Math.max(0, instant - now))

/** A header's or field's value as a wait in milliseconds: a number of `unit`, a span, a date or a moment. */
const delayOf = (value: Field["value"], unit: number, now: number | undefined): number | undefined => {
  const text = String(value).trim()
  if (/^-?\d+(?:\.\d+)?(?:e\d+)?$/i.test(text)) {
    const number = Number(text)
    const at = moment(number)
    return at === undefined ? bounded(number * unit) : until(at, now)
  }
  if (wholeSpan.test(text) || clock.test(text)) return bounded(span(text) ?? Number.NaN)
  return until(instantOf(text), now)
}

const fromHeaders = (headers: Evidence["headers"], now: number | undefined): number | undefined => {
  for (const [name, unit] of [["retry-after-ms", 1], ["x-ms-retry-after-ms", 1], ["retry-after", 1_000]] as const) {
    const value = headers[name]
    const delay = value === undefined ? undefined : delayOf(value, unit, now)
    if (delay !== undefined) return delay
  }
  return undefined
}

const resetName = /^(?:x-|anthropic-)?rate-?limit-(?:(.*)-)?reset(?:-(.*))?$/

/** `x-ratelimit-reset-*`: of the windows that are used up the last to open; where none is, the last of all. */
const fromResets = (headers: Evidence["headers"], now: number | undefined): number | undefined => {
  const resets: Array<{ readonly delay: number; readonly spent: boolean }> = []
  for (const [name, value] of Object.entries(headers)) {
    if (!resetName.test(name)) continue
    const delay = delayOf(value, name.endsWith("-ms") ? 1 : 1_000, now)
    const remaining = headers[name.replace("reset", "remaining")]
    if (delay !== undefined) resets.push({ delay, spent: remaining !== undefined && Number(remaining) <= 0 })
  }
  const spent = resets.filter((reset) => reset.spent)
  const candidates = spent.length > 0 ? spent : resets
  return candidates.length === 0 ? undefined : Math.max(...candidates.map((reset) => reset.delay))
}

const millisKeys = new Set([
  "retryafterms",
  "retryaftermillis",
  "retryaftermilliseconds",
  "retryinms",
  "waitms",
  "cooldownms"
])
const secondKeys = new Set([
  "retrydelay",
  "retryafter",
  "retryafterseconds",
  "retryafters",
  "retryaftersec",
  "retryaftersecs",
  "retryin",
  "retryinseconds",
  "resetsinseconds",
  "resetinseconds",
  "resetafter",
  "resetafterseconds",
  "resetseconds",
  "resetsecs",
  "secondsuntilreset",
  "estimatedreadytimeseconds",
  "estimatedtime",
  "quotaresetdelay",
  "waitseconds",
  "waittime",
  "cooldownseconds",
  "cooldown",
  "nextavailablein",
  "ttl"
])
const momentKeys = new Set([
  "resetsat",
  "resetat",
  "resettime",
  "quotaresettimestamp",
  "retryat",
  "xratelimitreset",
  "reset",
  "resetdate",
  "nextresettime",
  "availableat"
])

const fromField = ({ key, value }: Field, now: number | undefined): number | undefined => {
  const name = squeeze(key)
  if (millisKeys.has(name)) return delayOf(value, 1, now)
  if (secondKeys.has(name)) return delayOf(value, 1_000, now)
  if (momentKeys.has(name)) return delayOf(value, Number.NaN, now)
  return undefined
}

const durationPart = String
  .raw`\d+(?:\.\d+)?\s*(?:milliseconds?|msecs?|ms|minutes?|mins?|m|seconds?|secs?|s|hours?|hrs?|h|days?|d)(?![a-z])`
const clockPart = String.raw`(?:\d{1,3}[. ])?\d{1,2}:\d{2}:\d{2}(?![:\d])`
const durations = String.raw`(${clockPart}|(?:${durationPart}[\s,]*(?:and\s+)?)+)`

/** Sentences that name a wait. */
const sentences: ReadonlyArray<RegExp> = [
  new RegExp(
    String
      .raw`\b(?:re)?try(?:ing)?(?: your request| the request|)(?: again)? (?:in|after|within)\s*:?\s*(?:about |approximately |~)?${durations}`,
    "i"
  ),
  new RegExp(String.raw`\bretry[ _-]?delay["']?\s*[:=]\s*["']?${durations}`, "i"),
  new RegExp(
    String.raw`\b(?:wait|waiting)(?: for| at least| another)*\s*:?\s*(?:about |approximately |~)?${durations}`,
    "i"
  ),
  new RegExp(
    String
      .raw`\b(?:resets?|refresh(?:es|ed)?|renew(?:s|ed)?|replenish(?:es|ed)?|refill(?:s|ed)?|restored?|available(?: again)?|lifted|cooldown|cooling down|retry[- ]after)(?: (?:in|after|for|is|within))?\s*[:=]?\s*${durations}`,
    "i"
  ),
  /(\d+(?:\.\d+)?\s*(?:毫秒|秒|分钟|分|小时|小時|時間|初|초|분|시간))(?:钟)?\s*(?:后|後|내|후|以后|之后|待)/,
  /(?:in|dans|en|em|через)\s+(\d+(?:\.\d+)?\s*(?:sekunden|secondes|segundos|minuten|minutes|minutos))/i
]

const bareSeconds =
  /\b(?:retry[- _]?after|(?:re)?try again (?:in|after)|retry in)["']?\s*[:=]?\s*["']?(\d+(?:\.\d+)?)(?![\d.]*\s*[a-z%/:-])/i

const dated = /(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?)/i
const resets = /reset|renew|regain|available|retry|try again|until|restore|重置|恢复|恢復|解除|リセット|再開/i

const httpDated = /([A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} \d{2}:\d{2}:\d{2} GMT)/
/** A moment as a number, beside words of an end or behind the bar of Claude's clients: `limit reached|1791000000`. */
const counted = /(?:\||\b(?:reset|renew|available|retry|until|after)\w*\D{0,24})(1\d{9}|1\d{12})(?!\d)/i
/** A time of the day with its offset: the next one is meant. */
const timeOfDay = /\b(\d{1,2}):(\d{2})\s*([ap]\.?m\.?)?\s*\(?(?:GMT|UTC)\s*([+-]\d{1,2})?(?!\d)/i

const offset = /(?:z|utc|gmt|[+-]\d{2}:?\d{2})$/i

/** Chinese providers print the local time of Beijing. */
const local = (text: string, said: string): string =>
  /[\u4e00-\u9fff]/.test(said) && !offset.test(text) ? `${text}+08:00` : text

/** The next moment after `now` at which the clock of the named offset shows the named time. */
const nextTimeOfDay = (said: string, now: number | undefined): number | undefined => {
  const [, hour, minute, half, east] = timeOfDay.exec(said) ?? []
  if (hour === undefined || now === undefined) return undefined
  const hours = half === undefined ? Number(hour) : Number(hour) % 12 + (/^p/i.test(half) ? 12 : 0)
  const wanted = ((hours - Number(east ?? 0)) * 60 + Number(minute)) * 60_000
  return now + ((wanted - now % day) % day + day) % day
}

/** The moment of which the text says that the limit ends then, in epoch milliseconds. */
const instantIn = (said: string, now: number | undefined): number | undefined => {
  const number = counted.exec(said)?.[1]
  if (number !== undefined) return moment(Number(number))
  if (!resets.test(said)) return undefined
  const http = httpDated.exec(said)?.[1]
  if (http !== undefined) return epoch(http)
  const regain = /(\d{4}-\d{2}-\d{2}) at (\d{2}:\d{2}) UTC/i.exec(said)
  if (regain !== null) return epoch(`${regain[1]}T${regain[2]}:00Z`)
  const found = dated.exec(said)?.[1]
  return found === undefined ? nextTimeOfDay(said, now) : epoch(zoned(local(found, said)))
}

const fromText = (said: string, now: number | undefined): number | undefined => {
  for (const sentence of sentences) {
    const found = sentence.exec(said)?.[1]
    const delay = found === undefined ? undefined : bounded(span(found) ?? Number.NaN)
    if (delay !== undefined) return delay
  }
  const seconds = bareSeconds.exec(said)?.[1]
  return seconds === undefined ? until(instantIn(said, now), now) : bounded(Number(seconds) * 1_000)
}

const present = (value: number | undefined): value is number => value !== undefined

/** The longest wait that a field names. */
const fromFields = (evidence: Evidence, now: number | undefined): number | undefined => {
  const waits = evidence.fields.map((field) => fromField(field, now)).filter(present)
  return waits.length === 0 ? undefined : Math.max(...waits)
}

/** What is waited at once of a wait that was named: at most a day. */
export const kept = (named: Duration.Duration): Duration.Duration => Duration.min(named, longest)

/** How long the provider asks to wait, from headers first, then the body's fields, then its words. */
export const waitIn = (evidence: Evidence): Duration.Duration | undefined => {
  const now = nowOf(evidence)
  const bodyHeaders = Object.fromEntries(
    evidence.fields.filter(({ path }) => /headers\./.test(path)).map((
      { key, value }
    ) => [key.toLowerCase(), String(value)])
  )
  const millis = fromHeaders(evidence.headers, now) ?? fromFields(evidence, now) ??
    fromText(evidence.said, now) ?? fromResets(evidence.headers, now) ?? fromResets(bodyHeaders, now)
  return millis === undefined ? undefined : Duration.millis(millis)
}

/** When a budget renews by itself, where the provider says so. */
export const resetIn = (evidence: Evidence): DateTime.Utc | undefined => {
  const now = nowOf(evidence)
  const at = evidence.fields.flatMap(({ key, value }) => {
    if (!momentKeys.has(squeeze(key))) return []
    const found = moment(Number(value)) ?? instantOf(String(value))
    return found === undefined ? [] : [found]
  })[0] ?? instantIn(evidence.said, now)
  const named = at ?? relative(evidence, now)
  return named === undefined ? undefined : Option.getOrUndefined(DateTime.make(named))
}

/** A wait in a header or a field of its own; a sentence about money that ends in "try again" names no renewal. */
const relative = (evidence: Evidence, now: number | undefined): number | undefined => {
  const wait = fromHeaders(evidence.headers, now) ?? fromFields(evidence, now)
  return now === undefined || wait === undefined || wait === 0 ? undefined : now + wait
}
