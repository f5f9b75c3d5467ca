import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { downTags, isOpen, Job } from "../../../src/domain/job/Job.js"
import type { LastError } from "../../../src/domain/job/Job.js"
import * as WaitReason from "../../../src/domain/job/WaitReason.js"
import { Fence, Lease, WorkerId } from "../../../src/domain/lease/Lease.js"
import { ClosedGate, GateRef } from "../../../src/domain/session/Gate.js"
import { after, calm, living, now, queued, working } from "../../support/Jobs.js"

const w1 = WorkerId.make("w1")
const failed = (tag: string, more: Partial<LastError> = {}): Partial<Job> => ({
  attempts: 2,
  lastError: Option.some({ tag, message: "It went wrong.", detail: "", at: now, ...more })
})
const later = { runAt: after("5 minutes") }
const lease = (expiresAt: DateTime.Utc) => Option.some(Lease.make({ worker: w1, fence: Fence.make(3), expiresAt }))
const running = (expiresAt: DateTime.Utc): Partial<Job> => ({ status: "running", lease: lease(expiresAt) })

const gate = (reason: "sign-in" | "budget" | "key", until = Option.none<DateTime.Utc>()) => ({
  ...calm,
  gates: [
    ClosedGate.make({
      ref: GateRef.make({ kind: "provider", name: "openai" }),
      reason,
      since: now,
      until,
      detail: ""
    })
  ]
})
const cooling = { ...calm, cooldowns: [{ provider: "openai", until: after("90 seconds") }] }

/** One worker lives, and runs this kind of jobs, or those of it behind this provider. */
const knowing = (kind: string, provider?: string): WaitReason.Surroundings => ({
  ...calm,
  workers: Option.some([living("a", kind, provider)])
})

const reason = (fields: Partial<Job>, around: WaitReason.Surroundings = calm) =>
  Option.map(WaitReason.waitReason(Job.make({ ...queued, ...fields }), around), WaitReason.describe)

describe("why a job does not run", () => {
  it.each<[string, Partial<Job>, WaitReason.Surroundings]>([
    ["back-off until 2026-05-01T12:05:00Z", { ...failed("MalformedResponse"), ...later }, calm],
    ["rate limit until 2026-05-01T12:01:30Z", failed("RateLimited"), cooling],
    ["sign-in", failed("SessionExpired"), gate("sign-in")],
    ["budget until 2026-05-01T13:00:00Z", {}, gate("budget", Option.some(after("1 hour")))],
    ["key", {}, gate("key")],
    ["a free worker", {}, calm],
    ["a worker: none runs", {}, working()],
    ["a free worker: the one that runs is busy", {}, working("a")],
    ["a free worker: all 3 that run are busy", {}, working("a", "b", "c")],
    ["a worker that runs jobs of kind \"test\": none of those that run does", {}, knowing("index")],
    ["a worker that runs jobs of kind \"test\": none of those that run does", {}, knowing("test", "ollama")],
    ["a free worker: the one that runs is busy", {}, knowing("test", "openai")],
    ["a worker to take it over: w1 is gone", running(now), calm],
    ["a worker to take it over: w1 is gone, and none runs", running(after("5 minutes")), working()],
    ["a worker to take it over: w1 is gone", running(after("5 minutes")), working("w2")],
    [
      "openai down since 2026-05-01T11:00:00Z, tried again at 2026-05-01T12:05:00Z",
      { ...failed("ProviderUnavailable", { since: DateTime.subtract(now, { hours: 1 }) }), ...later },
      calm
    ],
    ["scheduled for 2026-05-01T12:05:00Z", later, calm]
  ])("%s", (expected, fields, around) => {
    expect(reason(fields, around)).toEqual(Option.some(expected))
  })

  it.each(downTags)("is its embedder after %s, since the last error where nothing tells of an earlier one", (tag) => {
    expect(reason({ ...failed(tag), ...later })).toEqual(
      Option.some("openai down since 2026-05-01T12:00:00Z, tried again at 2026-05-01T12:05:00Z")
    )
  })

  it("is no back-off any more once it is due", () => {
    expect(reason(failed("Network"), working())).toEqual(Option.some("a worker: none runs"))
  })

  it("is first what a person must mend, then what the provider asks, then the clock", () => {
    const all = { ...gate("key"), cooldowns: cooling.cooldowns }
    expect(reason({ ...failed("Network"), ...later }, all)).toEqual(Option.some("key"))
    expect(reason({ ...failed("Network"), ...later }, cooling)).toEqual(
      Option.some("rate limit until 2026-05-01T12:01:30Z")
    )
  })

  it("is the kind that no worker knows only once the job is ready: before that, time is what it waits for", () => {
    expect(reason({ ...failed("MalformedResponse"), ...later }, knowing("index"))).toEqual(
      Option.some("back-off until 2026-05-01T12:05:00Z")
    )
    expect(reason({}, { ...gate("key"), workers: knowing("index").workers })).toEqual(Option.some("key"))
  })

  it("is the session's gate, too, where the job stands behind one, and no provider's of that name", () => {
    const shut = gate("sign-in")
    const backend = {
      ...shut,
      gates: shut.gates.map((one) => ({ ...one, ref: GateRef.make({ kind: "session", name: "openai" }) }))
    }
    expect(reason({ provider: "other", session: "openai" }, backend)).toEqual(Option.some("sign-in"))
    expect(reason({}, backend)).toEqual(Option.some("a free worker"))
  })

  it("blocks where a person, the provider or another worker must move first", () => {
    const blocks = (fields: Partial<Job>, around: WaitReason.Surroundings) =>
      Option.exists(WaitReason.waitReason(Job.make({ ...queued, ...fields }), around), WaitReason.isBlocking)
    expect([blocks({}, gate("key")), blocks({}, cooling), blocks({}, knowing("index"))]).toEqual([true, true, true])
    expect([blocks({}, working("a")), blocks(later, calm), blocks(running(now), calm)]).toEqual([false, false, false])
  })

  it("is not asked of a job that runs, or is over", () => {
    expect(reason(running(after("1 second")))).toEqual(Option.none())
    expect(reason(running(after("1 second")), working("w1", "w2"))).toEqual(Option.none())
    for (const status of ["succeeded", "partial", "failed", "cancelled"] as const) {
      expect(reason({ status }, gate("key"))).toEqual(Option.none())
    }
  })

  it.prop(
    "is answered for every open job that no living worker holds, in words, and for no other",
    [
      Arbitrary.make(Job),
      FastCheck.array(Arbitrary.make(ClosedGate), { maxLength: 3 }),
      FastCheck.boolean(),
      FastCheck.option(FastCheck.array(FastCheck.constantFrom("w1", "w2"), { maxLength: 3 }), { nil: undefined })
    ],
    ([job, gates, cools, names]) => {
      const around: WaitReason.Surroundings = {
        gates,
        cooldowns: cools && job.provider !== null ? [{ provider: job.provider, until: job.runAt }] : [],
        workers: Option.map(Option.fromNullable(names), (all) => all.map((name) => living(name))),
        now
      }
      const found = WaitReason.waitReason(job, around)
      const isHeld = Option.exists(
        job.lease,
        ({ expiresAt, worker }) =>
          DateTime.lessThan(now, expiresAt) &&
          Option.getOrElse(Option.map(around.workers, (all) => all.some(({ id }) => id === worker)), () => true)
      )
      const runs = job.status === "running" && (isHeld || Option.isNone(job.lease))
      expect(Option.isSome(found)).toBe(isOpen(job.status) && !runs)
      if (Option.isSome(found)) expect(WaitReason.describe(found.value)).toMatch(/^[a-z].+/)
    }
  )
})
