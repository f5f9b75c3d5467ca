import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { ModelNotFound } from "../../../src/domain/failure/Failure.js"
import { crashed, fresh, JobEvent, settlement, transition } from "../../../src/domain/job/JobTransition.js"
import type { Asked, JobState } from "../../../src/domain/job/JobTransition.js"
import { Outcome } from "../../../src/domain/job/Outcome.js"
import { Fence } from "../../../src/domain/lease/Lease.js"
import { GateRef } from "../../../src/domain/session/Gate.js"
import * as Outcomes from "../../support/Outcomes.js"

// The laws that hold over all histories are in JobModel.test.ts.

const now = DateTime.unsafeMake("2026-01-01T00:00:00Z")
const until = DateTime.addDuration(now, Duration.minutes(2))
const fence = Fence.make(7)
const failure = new ModelNotFound({ provider: "ollama", detail: "404", model: "m" })

const after = (state: JobState, event: JobEvent, at = now): JobState =>
  Either.getOrThrowWith(transition(state, event, at), (rejection) => new Error(rejection))

const asked: Asked = {
  asked: "one",
  behind: { provider: "ollama", session: null },
  priority: 0,
  maxAttempts: 3,
  runAt: now,
  ifRunning: "again-if-changed"
}

const pending = fresh(asked, Fence.make(0))
const running = after(pending, JobEvent.Claimed({ fence, until }))
const settled = (state: JobState, outcome: Outcome) => after(state, JobEvent.Settled({ fence, outcome }))
const enqueued = (state: JobState, more: Partial<Asked> = {}) => after(state, JobEvent.Enqueued({ ...asked, ...more }))

describe("the state machine of a job", () => {
  it("claims a pending job that is due, and no other", () => {
    expect([running.status, running.attempts]).toEqual(["running", 1])
    const claimed = JobEvent.Claimed({ fence, until })
    expect(transition(running, claimed, now)).toEqual(Either.left("not-ready"))
    const backing = settled(running, Outcomes.retried(failure, Duration.minutes(1)))
    expect(transition(backing, claimed, now)).toEqual(Either.left("not-ready"))
    expect(after(backing, claimed, DateTime.add(now, { minutes: 1 })).attempts).toBe(2)
  })

  it("says why an event changes nothing", () => {
    expect(transition(running, JobEvent.Reclaimed({ dead: false }), now)).toEqual(Either.left("held"))
    expect(transition(running, JobEvent.RetryAsked(), now)).toEqual(Either.left("running"))
    const over = settled(running, Outcomes.completed)
    expect(transition(over, JobEvent.CancelAsked({ fence }), now)).toEqual(Either.left("closed"))
    expect(transition(over, JobEvent.Beat({ fence, until }), now)).toEqual(Either.left("lease-lost"))
  })

  it("frees a dead worker's job before its lease ends", () => {
    const freed = after(running, JobEvent.Reclaimed({ dead: true }))
    expect([freed.status, freed.crashes, freed.attempts]).toEqual(["pending", 1, 1])
  })

  it("keeps what a job answered, and says what was left out", () => {
    const whole = settled(running, Outcome.Completed({ output: { words: 3 }, partial: false }))
    expect([whole.status, whole.output]).toEqual(["succeeded", { words: 3 }])
    expect(settled(running, Outcome.Completed({ output: null, partial: true })).status).toBe("partial")
  })

  it("runs a job again that was asked for anew while it ran, however it ends", () => {
    for (const outcome of [Outcomes.completed, Outcomes.halted(failure), Outcome.Released()]) {
      const again = settled(enqueued(running, { asked: "two" }), outcome)
      expect([again.status, again.attempts, again.run, again.asked]).toEqual(["pending", 0, 2, "two"])
    }
    expect(settled(enqueued(running, { asked: "two" }), Outcome.Cancelled()).status).toBe("cancelled")
  })

  it("leaves a running job alone where the same is asked, or where it is to be left", () => {
    expect(enqueued(running).again).toBe(false)
    expect(enqueued(running, { asked: "two", ifRunning: "leave" })).toEqual(running)
    expect(enqueued(running, { ifRunning: "again" }).again).toBe(true)
  })

  it("takes on what a pending job is asked for now, and is ready as soon as either said", () => {
    const later = enqueued(fresh({ ...asked, runAt: until }, Fence.make(0)), { asked: "two", priority: 5, runAt: now })
    expect([later.asked, later.priority, later.run, later.runAt]).toEqual(["two", 5, 2, now])
    expect(enqueued(pending, { runAt: until }).runAt).toEqual(now)
  })

  it("keeps the finished steps of its run, and none of an earlier one", () => {
    const done = after(running, JobEvent.StepEnded({ fence, name: "draft" }))
    const failed = settled(done, Outcomes.retried(failure, Duration.zero))
    expect([...failed.steps]).toEqual(["draft"])
    expect([...enqueued(failed).steps]).toEqual(["draft"])
    expect([...enqueued(failed, { asked: "two" }).steps]).toEqual([])
  })

  it("goes on from the finished steps where a person retries what failed, and begins anew where all was done", () => {
    const done = after(running, JobEvent.StepEnded({ fence, name: "draft" }))
    const retried = after(settled(done, Outcomes.halted(failure)), JobEvent.RetryAsked())
    expect([retried.status, retried.run, [...retried.steps]]).toEqual(["pending", 1, ["draft"]])
    const anew = after(settled(done, Outcomes.completed), JobEvent.RetryAsked())
    expect([anew.status, anew.run, [...anew.steps]]).toEqual(["pending", 2, []])
  })

  it("stands behind the gate that closed, also where the job had not named it", () => {
    const parked = (kind: "provider" | "session", name: string) =>
      settled(running, Outcomes.parked(failure, GateRef.make({ kind, name }), "key")).behind
    expect(parked("provider", "openai")).toEqual({ provider: "openai", session: null })
    expect(parked("session", "corp")).toEqual({ provider: "ollama", session: "corp" })
  })

  it("keeps the error that the outcome carries, and has words of its own for a worker that died", () => {
    const { error } = settlement(Outcomes.halted(failure))
    expect(Option.getOrThrow(error)).toEqual({
      tag: "ModelNotFound",
      message: "ollama does not know the model m. Check its name, or pull it first.",
      detail: "404"
    })
    expect(crashed(5).message).toBe("The worker died 5 times while running this job.")
  })
})
