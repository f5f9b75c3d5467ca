/**
 * The pace at which all workers together call one provider, learned from its refusals alone. A cycle begins with a refusal,
 * and climbs until another call is refused. What the provider permits lies between the mean of the cycle, its wait included,
 * and the top that it reached: the mean tells where calls were saved up meanwhile (a large stock, a window), the top where
 * they were not. The next cycle begins between both and climbs half as steeply, down to a climb so flat that refusals are rare.
 *
 * Times are milliseconds of one clock that all workers share. Time in which nobody wants to call does not count.
 */
export interface Pace {
  /** Calls per second at which this cycle began. */
  readonly base: number
  /** The relative climb over one span. */
  readonly step: number
  /** Counts the cycles from 1: a cycle ends with the refusal of a call that began in it. */
  readonly cycle: number
  /** The refusal that began this cycle. */
  readonly since: number
  /** How long nobody was to call after that. */
  readonly waited: number
  /** Turns given in this cycle. */
  readonly calls: number
  /** Time of this cycle in which nobody asked for a grant. */
  readonly idle: number
  /** The newest grant that was given, or the end of the wait. */
  readonly last: number
  /** Calls refused together at the end of the last cycle; 0 where that was part of the search. */
  readonly burst: number
  /** Cycles in a row that were refused at once. */
  readonly misses: number
}

/** Calls per second after a first refusal, of which nothing is known but that it came. */
const guess = 1
const slowest = 1 / 60
/** Calls per second from which on there is nothing to hold back. */
const fastest = 1000

const steepest = 1
const flattest = 0.04
/** Calls in a span of the steepest climb; a flatter one takes longer to be sure. */
const searchingCalls = 3
/** Calls in a span of the flattest climb, for each call refused together: an exact limit is met half way. */
const callsPerRefusal = 600
/** Such a span lasts so many times the last wait: the wait costs one part in 100 where nothing is saved up meanwhile. */
const spansPerWait = 200
/** But no longer than this, however dear a refusal was: a limit that grew is to be found. */
const longestSpan = 300_000
const longestSearch = 60_000
/** Nor is any span shorter than this: what became of a call is heard before the next ones are much quicker. */
const shortestSpan = 1000
/** How fast the flattest climb quickens past its span. */
const quickening = 12

/** A cycle refused before this part of its first span began too high. */
const atOnce = 0.2
/** After so many of them in a row the climb gets steeper again. */
const mostMisses = 3
/** A wait that is followed by a refusal at once was named too short. It is doubled up to this. */
const longestDoubt = 30_000
/** So many calls lower the next cycle's least base by one more step: few calls have a poor mean. */
const callsPerStep = 100

/** Turns are not given further ahead: whoever holds one would not profit from a quicker pace. */
const farthest = 1000

/** Milliseconds in which the pace climbs by one step. */
const span = ({ base, burst, step, waited }: Pace): number =>
  step > flattest
    ? Math.max(
      shortestSpan,
      searchingCalls * 1000 / base,
      Math.min(longestSearch, searchingCalls / step ** 2 * 1000 / base)
    )
    : Math.max(
      callsPerRefusal * 1000 / base,
      Math.min(longestSpan, Math.max(callsPerRefusal * burst * 1000 / base, spansPerWait * waited))
    )

/** How far the cycle is at this time, in spans. */
const way = (pace: Pace, at: number): number => Math.max(0, at - pace.since - pace.waited - pace.idle) / span(pace)

/** Calls per second at this time. */
export const rate = (pace: Pace, at: number): number => {
  const up = way(pace, at)
  const quicker = pace.step > flattest ? 0 : quickening * Math.max(0, up - 1) ** 2
  return Math.min(fastest, pace.base * (1 + pace.step) ** (up + quicker))
}

/** Whether the provider was not found to have a limit that matters: it needs no pace any more. */
export const isOver = (pace: Pace, now: number): boolean => rate(pace, Math.min(pace.last, now)) >= fastest

/** How long until a grant can be given: none is while those given reach too far ahead. Milliseconds. */
export const full = (pace: Pace, now: number): number => Math.max(0, pace.last - now - farthest)

/** The next grant: the call may begin at `at`. */
export const grant = (pace: Pace, now: number): { readonly at: number; readonly pace: Pace } => {
  const due = pace.last + 1000 / rate(pace, pace.last)
  const at = Math.max(now, due)
  return { at, pace: { ...pace, last: at, calls: pace.calls + 1, idle: pace.idle + at - due } }
}

/** The pace after a provider's first refusal: nobody is to call for `wait`. */
export const start = (wait: number, now: number): Pace => ({
  base: guess,
  step: steepest,
  cycle: 1,
  since: now,
  waited: wait,
  calls: 0,
  idle: 0,
  last: now + wait,
  burst: 0,
  misses: 0
})

/** A call that was under way when another one's refusal ended its cycle: it tells how dear that was, and its wait counts too. */
const alsoRefused = (pace: Pace, begun: number, wait: number, now: number): Pace => ({
  ...pace,
  burst: pace.burst + (pace.burst > 0 && begun === pace.cycle - 1 ? 1 : 0),
  last: Math.max(pace.last, now + wait),
  waited: Math.max(pace.waited, now + wait - pace.since)
})

/** Where the next cycle begins: between what was let through and the top, and below the top. */
const next = (pace: Pace, top: number, now: number): number => {
  const passed = pace.calls - 1 - Math.max(0, pace.last - now) * top / 1000
  if (passed < 1) return pace.base
  const mean = passed * 1000 / Math.max(1, now - pace.since - pace.idle)
  const least = top / (1 + pace.step) ** (1.5 + passed / callsPerStep)
  return Math.max(slowest, least, Math.min(Math.sqrt(mean * top), top / (1 + pace.step / 2)))
}

const steepness = ({ misses, step }: Pace, isMissed: boolean): number =>
  !isMissed ? Math.max(flattest, step / 2) : misses < mostMisses ? step : Math.min(steepest, step * 2)

/** A call that began in cycle `begun` was refused at `now`, and nobody is to call for `wait`. Grants given before are void. */
export const throttled = (pace: Pace, begun: number, wait: number, now: number): Pace => {
  if (begun < pace.cycle) return alsoRefused(pace, begun, wait, now)
  const isMissed = way(pace, now) < atOnce
  const isDoubted = now - pace.since < pace.waited * 1.5
  const waited = Math.max(
    wait,
    pace.since + pace.waited - now,
    isDoubted ? Math.min(longestDoubt, pace.waited * 2) : 0
  )
  return {
    ...start(waited, now),
    base: next(pace, rate(pace, now), now),
    step: steepness(pace, isMissed),
    cycle: pace.cycle + 1,
    burst: pace.step > flattest ? 0 : 1,
    misses: isMissed ? pace.misses + 1 : 0
  }
}
