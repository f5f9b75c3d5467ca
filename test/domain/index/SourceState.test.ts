import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import type * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { toProgress } from "../../../src/domain/index/IndexJob.js"
import { Job } from "../../../src/domain/job/Job.js"
import { badge, sourceState } from "../../../src/domain/index/SourceState.js"
import type { Source } from "../../../src/domain/index/SourceState.js"
import type * as WaitReason from "../../../src/domain/job/WaitReason.js"
import { Fence, Lease, WorkerId } from "../../../src/domain/lease/Lease.js"
import { ClosedGate, GateRef } from "../../../src/domain/session/Gate.js"
import { after, calm, now, queued, working } from "../../support/Jobs.js"

const job = (fields: Partial<Job>) => Job.make({ ...queued, ...fields })

const error = { tag: "MalformedResponse", message: "openai gave an answer that makes no sense.", detail: "", at: now }
const failing = { attempts: 2, lastError: Option.some(error) }
const gate = (reason: "sign-in" | "budget" | "key", until = Option.none<DateTime.Utc>(), name = "openai") => ({
  ...calm,
  gates: [
    ClosedGate.make({ ref: GateRef.make({ kind: "provider", name }), reason, since: now, until, detail: "" })
  ]
})
const cooling = (provider = "openai", until = after("90 seconds")) => ({ ...calm, cooldowns: [{ provider, until }] })
const source = (of: Partial<Source>): Source => ({ items: 100, indexed: 0, refused: 0, job: Option.none(), ...of })
const words = (of: Partial<Source>, around = calm) => badge(sourceState(source(of), around)).words
const withJob = (fields: Partial<Job>, rest: Partial<Source> = {}): Partial<Source> => ({
  ...rest,
  job: Option.some(job(fields))
})

const progress = toProgress({ items: 64, embedded: 30, reused: 9, refused: 1 })
const abandoned = withJob({
  status: "running",
  progress,
  lease: Option.some(
    Lease.make({ worker: WorkerId.make("worker-1"), fence: Fence.make(1), expiresAt: after("10 minutes") })
  )
})

describe("the state of a source", () => {
  it.each<[string, Partial<Source>, WaitReason.Surroundings]>([
    ["indexed 100/100", { indexed: 100 }, calm],
    ["indexed 100/100", withJob({ status: "succeeded" }, { indexed: 100 }), calm],
    ["indexed 1,223/1,223", { items: 1223, indexed: 1223 }, calm],
    ["indexing 0/100", withJob({ status: "running" }), calm],
    ["indexing 40/64", withJob({ status: "running", progress }), calm],
    ["stopped at 40/64: its worker is gone, and none runs", abandoned, working()],
    ["stopped at 40/64: its worker is gone, another takes over", abandoned, working("another")],
    ["indexing 40/64", abandoned, working("worker-1", "another")],
    ["indexing 40/64", abandoned, calm],
    ["retrying (2 tries), next at 2026-05-01T12:05:00Z", withJob({ ...failing, runAt: after("5 minutes") }), calm],
    ["retrying (1 try)", withJob({ ...failing, attempts: 1 }), calm],
    ["waiting (sign-in)", withJob({}), gate("sign-in")],
    ["waiting (budget until 2026-05-01T13:00:00Z)", withJob({}), gate("budget", Option.some(after("1 hour")))],
    ["waiting (key)", withJob({}), gate("key")],
    ["waiting (rate limit until 2026-05-01T12:01:30Z)", withJob({}), cooling()],
    ["queued", withJob({}), calm],
    ["queued", withJob({ runAt: after("1 hour") }), calm],
    ["failed", withJob({ status: "failed", ...failing }), calm],
    ["3 refused of 100", withJob({ status: "partial" }, { indexed: 97, refused: 3 }), calm],
    ["empty", { items: 0 }, calm],
    ["not indexed", {}, calm],
    ["not indexed", withJob({ status: "cancelled" }), calm],
    ["not indexed 40/100", withJob({ status: "cancelled" }, { indexed: 40 }), calm]
  ])("%s", (expected, of, around) => {
    expect(words(of, around)).toBe(expected)
  })

  it("tells a closed gate before the back-off of an earlier try: time alone will not help", () => {
    expect(words(withJob({ ...failing, runAt: after("5 minutes") }), gate("key"))).toBe("waiting (key)")
  })

  it("does not wait behind another provider's gate or cooldown, nor behind one that has passed", () => {
    expect(words(withJob({}), gate("key", Option.none(), "ollama"))).toBe("queued")
    expect(words(withJob({}), gate("budget", Option.some(now)))).toBe("queued")
    expect(words(withJob({}), cooling("ollama"))).toBe("queued")
    expect(words(withJob({}), cooling("openai", now))).toBe("queued")
  })

  it("tells of a failed re-index although the old vectors still serve", () => {
    expect(words(withJob({ status: "failed", ...failing }, { indexed: 100 }))).toBe("failed")
    expect(words(withJob({}, { indexed: 100 }))).toBe("queued")
  })

  it("keeps the last error at hand while it retries, and when it gave up", () => {
    expect(sourceState(source(withJob(failing)), calm)).toMatchObject({ _tag: "Retrying", error })
    expect(sourceState(source(withJob({ status: "failed", ...failing })), calm)).toMatchObject({
      _tag: "Failed",
      error: { value: error }
    })
  })

  it.prop(
    "is told for every job, gate and cooldown in glyph and words",
    [
      FastCheck.option(Arbitrary.make(Job), { nil: undefined }),
      FastCheck.nat(50),
      FastCheck.nat(50),
      FastCheck.nat(50),
      FastCheck.array(Arbitrary.make(ClosedGate), { maxLength: 3 })
    ],
    ([of, items, indexed, refused, gates]) => {
      const cooldowns = of === undefined || of.provider === null ? [] : [{ provider: of.provider, until: of.runAt }]
      const state = sourceState({ items, indexed, refused, job: Option.fromNullable(of) }, {
        gates,
        cooldowns,
        workers: Option.none(),
        now
      })
      const shown = badge(state)
      expect(shown.glyph).not.toBe("")
      expect(shown.words).toMatch(
        /^(indexed|indexing|stopped at|retrying|waiting|queued|failed|\d+ refused of|empty|not indexed)/
      )
      expect(state._tag === "Indexing" || state._tag === "Abandoned").toBe(of?.status === "running")
    }
  )
})
