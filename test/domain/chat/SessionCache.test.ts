import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Failure from "../../../src/domain/failure/Failure.js"
import * as SessionCache from "../../../src/domain/chat/SessionCache.js"
import { Head, RequestId, ThreadId } from "../../../src/domain/chat/Thread.js"

const common = { provider: "p", detail: "d" }

const keeping: ReadonlyArray<Failure.Failure> = [
  new Failure.SessionExpired({ ...common, session: "s" }),
  new Failure.AuthenticationFailed(common),
  new Failure.PermissionDenied(common),
  new Failure.BudgetExhausted(common),
  new Failure.ModelNotFound({ ...common, model: "m" }),
  new Failure.ContextLengthExceeded(common),
  new Failure.ContentFiltered(common),
  new Failure.InvalidRequest(common),
  new Failure.Cancelled(common)
]

const dropping: ReadonlyArray<Failure.Failure> = [
  new Failure.RateLimited(common),
  new Failure.Network({ ...common, phase: "receive" }),
  new Failure.Timeout(common),
  new Failure.ProviderUnavailable(common),
  new Failure.MalformedResponse(common)
]

const at = (seconds: number) => DateTime.unsafeMake(seconds * 1_000)
const thread = ThreadId.make("t")
const fit = { fingerprint: "f", head: Head.make("h1") }
const kept = (session: string, over: Partial<SessionCache.Kept<string>> = {}): SessionCache.Kept<string> => ({
  ...fit,
  session,
  since: at(0),
  ...over
})
const first = RequestId.make("r1")
const second = RequestId.make("r2")

const taken = (
  cache: SessionCache.SessionCache<string>,
  request: RequestId,
  wanted: SessionCache.Fit = fit
) => SessionCache.take(cache, thread, request, wanted)

/** A thread whose first turn succeeded: its session rests in the cache. */
const rested = () => {
  const [, held] = taken(SessionCache.empty<string>(), first)
  return SessionCache.end(held, thread, first, SessionCache.Ending.Answered({ kept: kept("one") }))
}

describe("the cache of sessions", () => {
  it("has the session of a turn that was answered ready for the next one", () => {
    expect(taken(rested(), second)[0]).toEqual({
      session: Option.some("one"),
      rebuild: Option.none(),
      superseded: Option.none()
    })
  })

  it.each(dropping.map((failure) => [failure._tag, failure] as const))(
    "has it built anew after %s, with nothing else changed",
    (_, failure) => {
      const [given, held] = taken(rested(), second)
      expect(given.session).toEqual(Option.some("one"))
      const after = SessionCache.end(held, thread, second, SessionCache.Ending.Failed({ failure, kept: kept("one") }))
      expect(HashMap.has(after, thread)).toBe(false)
      expect(taken(after, RequestId.make("r3"))[0].rebuild).toEqual(Option.some("absent"))
    }
  )

  it.each(keeping.map((failure) => [failure._tag, failure] as const))("still has it after %s", (_, failure) => {
    const [, held] = taken(rested(), second)
    const after = SessionCache.end(held, thread, second, SessionCache.Ending.Failed({ failure, kept: kept("one") }))
    expect(taken(after, RequestId.make("r3"))[0].session).toEqual(Option.some("one"))
  })

  it("stays the same after a request beyond what its limit ever allows: that one is the question's fault", () => {
    const failure = new Failure.RateLimited({ ...common, tooLarge: true })
    const [, held] = taken(rested(), second)
    const after = SessionCache.end(held, thread, second, SessionCache.Ending.Failed({ failure, kept: kept("one") }))
    expect(taken(after, RequestId.make("r3"))[0].session).toEqual(Option.some("one"))
  })

  it("is built anew where the way of asking has changed, or the thread has moved on elsewhere", () => {
    expect(taken(rested(), second, { ...fit, fingerprint: "g" })[0].rebuild).toEqual(Option.some("changed"))
    expect(taken(rested(), second, { ...fit, head: Head.make("h2") })[0].rebuild).toEqual(Option.some("moved"))
  })

  it("gives a newer message the session, and tells whom to stop", () => {
    const [, held] = taken(rested(), first)
    expect(taken(held, second)[0]).toEqual({
      session: Option.some("one"),
      rebuild: Option.none(),
      superseded: Option.some(first)
    })
  })

  it("cannot lose the newer session by the late clean-up of a superseded turn, before or after that one ended", () => {
    const [, older] = taken(rested(), first)
    const [, newer] = taken(older, second)
    const late = SessionCache.Ending.Failed({ failure: new Failure.Timeout(common), kept: kept("stale") })
    expect(SessionCache.end(newer, thread, first, late)).toBe(newer)
    const ended = SessionCache.end(newer, thread, second, SessionCache.Ending.Answered({ kept: kept("two") }))
    expect(SessionCache.end(ended, thread, first, late)).toBe(ended)
    expect(SessionCache.putBack(ended, thread, first, kept("stale"))).toBe(ended)
    expect(SessionCache.drop(ended, thread, first)).toBe(ended)
    expect(taken(ended, RequestId.make("r3"))[0].session).toEqual(Option.some("two"))
  })

  it("forgets a thread that was removed, and its turn brings nothing back", () => {
    const [, held] = taken(rested(), second)
    const gone = SessionCache.forget(held, thread)
    const after = SessionCache.end(gone, thread, second, SessionCache.Ending.Answered({ kept: kept("two") }))
    expect(HashMap.size(after)).toBe(0)
  })

  it("lets go of what rested too long, and of the longest resting beyond its size, but of nothing that is in use", () => {
    const resting = ["a", "b", "c", "d"].reduce((cache, name, index) => {
      const id = ThreadId.make(name)
      const [, held] = SessionCache.take(cache, id, first, fit)
      return SessionCache.putBack(held, id, first, kept(name, { since: at(index * 10) }))
    }, SessionCache.empty<string>())
    const [, cache] = taken(resting, second)
    const names = (idle: number, most: number) =>
      [...HashMap.keys(SessionCache.expire(cache, at(40), { idle: Duration.seconds(idle), most }))].toSorted()
    expect(names(100, 10)).toEqual(["a", "b", "c", "d", "t"])
    expect(names(20, 10)).toEqual(["d", "t"])
    expect(names(100, 1)).toEqual(["d", "t"])
    expect(names(0, 10)).toEqual(["t"])
  })
})

const often = ["begin", "begin", "begin", "begin", "end", "end", "end", "end", "end", "end"] as const
const kinds = [...often, ...often, "expire", "forget", "move", "change"] as const

/** One step of an interleaving: what happens, to which thread or request, and how. */
const steps = FastCheck.array(
  FastCheck.tuple(
    FastCheck.constantFrom(...kinds),
    FastCheck.nat({ max: 99 }),
    FastCheck.nat({ max: 99 })
  ),
  { minLength: 8, maxLength: 30 }
)

interface Begun {
  readonly request: RequestId
  readonly thread: number
  readonly given: Option.Option<SessionCache.Kept<string>>
  readonly wanted: SessionCache.Fit
}

/** What must be there, told without the cache: the newest request of each thread, and the session that is healthy. */
interface Expected {
  readonly newest: RequestId | null
  readonly healthy: SessionCache.Kept<string> | null
  readonly wanted: SessionCache.Fit
}

const failures = [...keeping, ...dropping]
const threadIds = ["x", "y", "z"].map((name) => ThreadId.make(name))
const idOf = (index: number) => threadIds[index] ?? thread

/** As `expect`, without its price: this is asked a million times. */
const must = (what: string, holds: boolean): void => {
  if (!holds) expect.fail(what)
}

const run = (interleaving: ReadonlyArray<readonly [string, number, number]>) => {
  let cache = SessionCache.empty<string>()
  let now = 0
  const begun: Array<Begun> = []
  const model: Array<Expected> = threadIds.map(() => ({ newest: null, healthy: null, wanted: fit }))
  const counts = { reused: 0, lateEnds: 0 }
  for (const [what, who, how] of interleaving) {
    now += 1
    const index = who % threadIds.length
    const id = idOf(index)
    const before = cache
    const expected = model[index] ?? { newest: null, healthy: null, wanted: fit }
    if (what === "begin") {
      const request = RequestId.make(`r${begun.length}`)
      const [given, after] = SessionCache.take(cache, id, request, expected.wanted)
      cache = after
      const { healthy, newest, wanted } = expected
      const fits = healthy !== null && healthy.fingerprint === wanted.fingerprint && healthy.head === wanted.head
      must(
        "a healthy session is given, and no other",
        Option.getOrNull(given.session) === (fits ? healthy.session : null)
      )
      must("the one before is superseded", Option.getOrNull(given.superseded) === newest)
      if (fits) counts.reused += 1
      begun.push({ request, thread: index, given: fits ? Option.some(healthy) : Option.none(), wanted })
      model[index] = { ...expected, newest: request, healthy: fits ? healthy : null }
    } else if (what === "end" && begun.length > 0) {
      const one = begun[begun.length - 1 - (who % Math.min(4, begun.length))]
      if (one === undefined) continue
      const standing = model[one.thread] ?? expected
      const failure = failures[how % (failures.length * 2)]
      const own = Option.getOrElse(one.given, () => kept(`built by ${one.request}`, one.wanted))
      const answered = kept(`answer of ${one.request}`, { ...one.wanted, since: at(now) })
      cache = SessionCache.end(
        cache,
        idOf(one.thread),
        one.request,
        failure === undefined
          ? SessionCache.Ending.Answered({ kept: answered })
          : SessionCache.Ending.Failed({ failure, kept: own })
      )
      if (standing.newest === one.request) {
        const left = failure === undefined ? answered : keeping.includes(failure) ? own : null
        model[one.thread] = { ...standing, newest: null, healthy: left }
      } else {
        counts.lateEnds += 1
        must("a late end changes nothing", cache === before)
      }
    } else if (what === "expire") {
      cache = SessionCache.expire(cache, at(now), { idle: Duration.seconds(how + 1), most: 10 })
      const until = at(now - how - 1)
      model.forEach((one, place) => {
        const isStale = one.newest === null && one.healthy !== null &&
          DateTime.lessThanOrEqualTo(one.healthy.since, until)
        if (isStale) model[place] = { ...one, healthy: null }
      })
    } else if (what === "forget") {
      cache = SessionCache.forget(cache, id)
      model[index] = { ...expected, newest: null, healthy: null }
    } else if (what === "move") {
      model[index] = { ...expected, wanted: { ...expected.wanted, head: Head.make(`h${how % 3}`) } }
    } else if (what === "change") {
      model[index] = { ...expected, wanted: { ...expected.wanted, fingerprint: `f${how % 2}` } }
    }
    model.forEach(({ healthy, newest }, place) => {
      const slot = Option.getOrNull(HashMap.get(cache, idOf(place)))
      const held = slot?._tag === "Held" && slot.by === newest && Option.getOrNull(slot.before) === healthy
      const rests = slot?._tag === "Idle" && newest === null && slot.kept === healthy
      must("each slot is as told", slot === null ? newest === null && healthy === null : held || rests)
    })
  }
  return counts
}

describe("10,000 interleavings of turns, newer messages and late clean-ups", () => {
  it("leave each thread with the session that its newest turn left healthy, and nothing else", () => {
    const total = { reused: 0, lateEnds: 0 }
    FastCheck.assert(
      FastCheck.property(steps, (interleaving) => {
        const { lateEnds, reused } = run(interleaving)
        total.reused += reused
        total.lateEnds += lateEnds
      }),
      { numRuns: 10_000, seed: 15 }
    )
    // the runs are of the kind that is meant
    expect(total.reused).toBeGreaterThan(10_000)
    expect(total.lateEnds).toBeGreaterThan(10_000)
  })
})
