import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { isOpen, Job, Progress } from "../../../src/domain/job/Job.js"
import { badge, jobState } from "../../../src/domain/job/JobState.js"
import type * as WaitReason from "../../../src/domain/job/WaitReason.js"
import { Fence, Lease, WorkerId } from "../../../src/domain/lease/Lease.js"
import { ClosedGate, GateRef } from "../../../src/domain/session/Gate.js"
import { after, calm, living, now, queued, working } from "../../support/Jobs.js"

const error = { tag: "job-failed", message: "The ticket is locked.", detail: "", at: now }
const failing = { attempts: 2, lastError: Option.some(error) }
const lease = Option.some(
  Lease.make({ worker: WorkerId.make("w1"), fence: Fence.make(1), expiresAt: after("10 minutes") })
)
const running: Partial<Job> = { status: "running", lease }
const shut: WaitReason.Surroundings = {
  ...calm,
  gates: [ClosedGate.make({
    ref: GateRef.make({ kind: "provider", name: "openai" }),
    reason: "key",
    since: now,
    until: Option.none(),
    detail: ""
  })]
}
const cooling: WaitReason.Surroundings = { ...calm, cooldowns: [{ provider: "openai", until: after("90 seconds") }] }
const strangers: WaitReason.Surroundings = { ...calm, workers: Option.some([living("w1", "other")]) }

const stateOf = (fields: Partial<Job>, around = calm) => jobState(Job.make({ ...queued, ...fields }), around)
const words = (fields: Partial<Job>, around = calm) => badge(stateOf(fields, around)).words

describe("the state of a job", () => {
  it.each<[string, Partial<Job>, WaitReason.Surroundings]>([
    ["queued", {}, calm],
    ["queued", {}, working()],
    ["scheduled for 2026-05-01T12:05:00Z", { runAt: after("5 minutes") }, calm],
    ["running", running, calm],
    ["running 1,200/3,000", { ...running, progress: Progress.make({ done: 1200, total: 3000, detail: {} }) }, calm],
    ["running", running, working("w1")],
    ["stopped: its worker is gone", running, working("w2")],
    ["stopped: its worker is gone, and none runs", running, working()],
    ["retrying (1 try)", { ...failing, attempts: 1 }, calm],
    ["retrying (2 tries), next at 2026-05-01T12:05:00Z", { ...failing, runAt: after("5 minutes") }, calm],
    ["waiting (key)", { ...failing, runAt: after("5 minutes") }, shut],
    ["waiting (rate limit until 2026-05-01T12:01:30Z)", {}, cooling],
    ["waiting (a worker that runs jobs of kind \"test\": none of those that run does)", {}, strangers],
    ["succeeded", { status: "succeeded" }, shut],
    ["partial", { status: "partial" }, calm],
    ["failed", { status: "failed", ...failing }, calm],
    ["cancelled", { status: "cancelled" }, calm]
  ])("%s", (expected, fields, around) => {
    expect(words(fields, around)).toBe(expected)
  })

  it("keeps the last error at hand while it retries, and when it gave up", () => {
    expect(stateOf(failing)).toMatchObject({ _tag: "Retrying", error })
    expect(stateOf({ status: "failed", ...failing })).toMatchObject({ _tag: "Failed", error: { value: error } })
  })

  it.prop(
    "is told for every job, gate and worker in glyph and words, and never as over while it is open",
    [
      Arbitrary.make(Job),
      FastCheck.array(Arbitrary.make(ClosedGate), { maxLength: 3 }),
      FastCheck.constantFrom(calm, working(), working("w1"), strangers)
    ],
    ([job, gates, around]) => {
      const state = jobState(job, { ...around, gates })
      const shown = badge(state)
      expect(shown.glyph).not.toBe("")
      expect(shown.words).toMatch(
        /^(queued|scheduled|running|stopped|retrying|waiting|succeeded|partial|failed|cancelled)/
      )
      const isShownOver = ["Succeeded", "Partial", "Failed", "Cancelled"].includes(state._tag)
      expect(isShownOver).toBe(!isOpen(job.status))
    }
  )
})
