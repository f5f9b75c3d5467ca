import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { ModelNotFound } from "../../../src/domain/failure/Failure.js"
import { isOpen } from "../../../src/domain/job/Job.js"
import { crashed, fresh, JobEvent, settlement, transition } from "../../../src/domain/job/JobTransition.js"
import type { JobState } from "../../../src/domain/job/JobTransition.js"
import { Outcome } from "../../../src/domain/job/Outcome.js"
import { Fence } from "../../../src/domain/lease/Lease.js"
import * as History from "../../support/JobHistory.js"
import * as Outcomes from "../../support/Outcomes.js"

const now = DateTime.unsafeMake("2026-01-01T00:00:00Z")
const until = DateTime.addDuration(now, Duration.minutes(2))
const fence = Fence.make(7)
const revision = Option.some("one")
const failure = new ModelNotFound({ provider: "ollama", detail: "404", model: "m" })

const after = (state: JobState, event: JobEvent, at = now): JobState =>
  Either.getOrThrowWith(transition(state, event, at), (rejection) => new Error(rejection))

const pending = fresh({ maxAttempts: 3, force: false, fence: Fence.make(0), revision }, now)
const running = after(pending, JobEvent.Claimed({ fence, until }))
const settled = (state: JobState, outcome: Outcome, current = revision) =>
  after(state, JobEvent.Settled({ fence, outcome, revision: current }))

const over = (
  steps: ReadonlyArray<History.Step>,
  holds: (before: History.World, after: History.World, step: History.Step) => boolean
) => {
  let world = History.world
  return steps.every((step) => {
    const before = world
    world = History.take(world, step)
    return holds(before, world, step)
  })
}

const always = (
  name: string,
  holds: (before: History.World, after: History.World, step: History.Step) => boolean
) =>
  it(name, () => {
    FastCheck.assert(FastCheck.property(History.histories(40), (steps) => over(steps, holds)), { numRuns: 2000 })
  })

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
    const over = settled(running, Outcome.Completed())
    expect(transition(over, JobEvent.CancelAsked({ fence }), now)).toEqual(Either.left("closed"))
    expect(transition(over, JobEvent.Beat({ fence, until }), now)).toEqual(Either.left("lease-lost"))
  })

  it("frees a dead worker's job before its lease ends", () => {
    const freed = after(running, JobEvent.Reclaimed({ dead: true }))
    expect([freed.status, freed.crashes, freed.attempts]).toEqual(["pending", 1, 1])
  })

  it("fails a job whose source is as it was, and runs it again where it was asked for anew", () => {
    expect(settled(running, Outcomes.halted(failure)).status).toBe("failed")
    const edited = after(running, JobEvent.Enqueued({ force: false, revision: Option.some("two") }))
    const again = settled(edited, Outcomes.halted(failure))
    expect([again.status, again.attempts, again.lastError]).toEqual(["pending", 0, Option.some("ModelNotFound")])
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

  always(
    "never spends more attempts than there are, nor gives back more than were spent",
    (_, { job }) =>
      job.attempts >= 0 && job.attempts <= job.maxAttempts && job.crashes >= 0 && job.crashes <= job.maxAttempts
  )

  always(
    "has a lease while it runs, and at no other time",
    (_, { job }) => Option.isSome(job.leaseUntil) === (job.status === "running")
  )

  always(
    "lets nobody but the newest claim's holder beat, persist or settle",
    (before, after, step) =>
      step._tag !== "Beat" && step._tag !== "Persist" && step._tag !== "Settle" ||
      after === before ||
      (step.who === "holder" ? before.holder : before.sleeper) === before.job.fence
  )

  always(
    "reopens a closed job only when a person asks",
    (before, after, step) =>
      isOpen(before.job.status) || after.job === before.job || step._tag === "Retry" || step._tag === "Enqueue"
  )

  always(
    "never loses a request that comes while it runs, but by a cancellation",
    (before, after) =>
      !before.job.again || after.job.again || after.job.status === "pending" || after.job.status === "cancelled"
  )

  always(
    "never begins before it is due",
    (before, after, step) =>
      step._tag !== "Claim" || after === before || DateTime.lessThanOrEqualTo(before.job.runAt, before.now)
  )
})
