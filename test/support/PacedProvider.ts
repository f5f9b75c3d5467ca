import * as Pace from "../../src/domain/retry/Pace.js"

/** A provider with a limit, and workers that call it at a shared pace: all in virtual time, in milliseconds. */

export interface Limit {
  /** Calls per second at a time. */
  readonly rate: (now: number) => number
  /** What is let through at once after a rest, where the limit is a stock that refills. */
  readonly stock: number
  /** In windows of so many milliseconds instead. */
  readonly window?: number
  /** How the wait is named: exactly, in whole seconds, or as a fixed time. */
  readonly names: "exactly" | "in seconds" | number
}

export interface Case {
  readonly limit: Limit
  readonly workers: number
  /** How long a call takes: `latency` and up to half of it more. */
  readonly latency: number
  readonly minutes: number
  /** Counted from this minute on. */
  readonly from: number
  readonly seed?: number
  /** Whether anybody wants to call at this time. */
  readonly busy?: (now: number) => boolean
}

export interface Result {
  /** Calls let through, as a share of what the provider permits in that time. */
  readonly share: number
  /** Calls refused, as a share of all. */
  readonly wasted: number
  /** Calls that began while a named wait ran. */
  readonly early: number
}

const randomOf = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Answers the wait of a refusal; nothing where the call is let through. */
const gatekeeper = ({ names, rate, stock, window }: Limit) => {
  let left = stock
  let at = 0
  const named = (wait: number) =>
    names === "exactly" ? wait : names === "in seconds" ? Math.ceil(wait / 1000) * 1000 : names
  return (now: number): number | undefined => {
    if (window === undefined) left = Math.min(stock, left + (now - at) * rate(now) / 1000)
    else if (now === 0 || Math.floor(now / window) > Math.floor(at / window)) left = rate(now) * window / 1000
    at = now
    if (left >= 1) {
      left -= 1
      return undefined
    }
    return named(window === undefined ? (1 - left) * 1000 / rate(now) : window - now % window)
  }
}

type Doing =
  | { readonly at: number; readonly does: "asks" }
  | { readonly at: number; readonly does: "calls"; readonly cycle: number }
  | { readonly at: number; readonly does: "hears"; readonly cycle: number; readonly wait: number | undefined }

/** Puts this in the first one's place, and the earliest of all in front. */
const replaceFirst = (queue: Array<Doing>, then: Doing) => {
  let at = 0
  while (true) {
    const left = 2 * at + 1
    const [a, b] = [queue[left], queue[left + 1]]
    const child = a !== undefined && b !== undefined && b.at < a.at ? left + 1 : left
    const least = queue[child]
    if (least === undefined || least.at >= then.at) break
    queue[at] = least
    at = child
  }
  queue[at] = then
}

/** Every worker asks for its grant, calls when that has come unless a wait has begun, hears the answer, and asks again. */
export const simulate = ({ busy = () => true, from, latency, limit, minutes, seed = 1, workers }: Case): Result => {
  const random = randomOf(seed)
  const ask = gatekeeper(limit)
  const [begin, end] = [from * 60_000, minutes * 60_000]
  let pace: Pace.Pace | undefined
  let coolUntil = 0
  let [accepted, refused, early] = [0, 0, 0]

  const asks = (now: number): Doing => {
    if (!busy(now)) return { at: now + 100, does: "asks" }
    if (now < coolUntil) return { at: coolUntil, does: "asks" }
    if (pace !== undefined && Pace.isOver(pace, now)) pace = undefined
    if (pace === undefined) return { at: now, does: "calls", cycle: 0 }
    if (Pace.full(pace, now) > 0) return { at: now + Pace.full(pace, now) + random() * 500, does: "asks" }
    const grant = Pace.grant(pace, now)
    pace = grant.pace
    return { at: grant.at, does: "calls", cycle: pace.cycle }
  }
  const calls = (now: number, cycle: number): Doing => {
    if (now < coolUntil || (pace?.cycle ?? 0) !== cycle) return { at: Math.max(now, coolUntil), does: "asks" }
    const wait = ask(now)
    if (now >= begin && wait === undefined) accepted++
    if (now >= begin && wait !== undefined) refused++
    if (now < coolUntil) early++
    return { at: now + latency * (1 + random() / 2), does: "hears", cycle, wait }
  }
  const hears = (now: number, cycle: number, wait: number | undefined): Doing => {
    if (wait !== undefined) {
      coolUntil = Math.max(coolUntil, now + wait)
      pace = pace === undefined ? Pace.start(wait, now) : Pace.throttled(pace, cycle, wait, now)
    }
    return { at: now, does: "asks" }
  }

  const queue = Array.from({ length: workers }, (_, index): Doing => ({ at: index * 10 / workers, does: "asks" }))
  while (true) {
    const [doing] = queue
    if (doing === undefined || doing.at >= end) break
    replaceFirst(
      queue,
      doing.does === "asks"
        ? asks(doing.at)
        : doing.does === "calls"
        ? calls(doing.at, doing.cycle)
        : hears(doing.at, doing.cycle, doing.wait)
    )
  }
  let permitted = 0
  for (let at = begin; at < end; at += 1000) if (busy(at)) permitted += limit.rate(at)
  return { share: accepted / permitted, wasted: refused / Math.max(1, accepted + refused), early }
}
