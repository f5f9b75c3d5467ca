import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Failure from "../../../../src/domain/failure/Failure.js"
import { Outcome } from "../../../../src/domain/job/Outcome.js"
import { Ended, JobFailed } from "../../../../src/domain/job/Run.js"
import type { HandlerFailure } from "../../../../src/domain/job/Run.js"
import { StepProblem } from "../../../../src/domain/job/Step.js"
import { LeaseLost } from "../../../../src/domain/lease/Lease.js"
import { held } from "../../../support/Jobs.js"
import { completed } from "../../../support/Outcomes.js"
import { queueOf, settledDown, workWith } from "../../../support/ScriptedQueue.js"
import type { Handler } from "../../../support/ScriptedQueue.js"

const common = { provider: "openai", detail: "said so" }

/** How one attempt ends, who hears of it, and what is done to its provider. */
const attempted = (handler: Handler, timeLimit?: Duration.Duration) => {
  const { ends, layer, others, reports } = queueOf({ claims: [Effect.succeed([held(1)])], renewed: [1] })
  return Effect.gen(function*() {
    const working = yield* Effect.fork(workWith(handler, timeLimit === undefined ? {} : { timeLimit }))
    yield* settledDown
    yield* TestClock.adjust("2 minutes")
    yield* Fiber.interrupt(working)
    return { ends: ends.map((end) => end.trim()), reports, others }
  }).pipe(Effect.provide(layer))
}

describe("an attempt", () => {
  it.effect.each<[what: string, failure: HandlerFailure, end: string, reports: ReadonlyArray<string>]>([
    ["its own failure is tried again", new JobFailed({ message: "locked" }), "1 Retried job-failed", []],
    [
      "a failure that is useless to try again halts",
      new JobFailed({ message: "no such ticket", permanent: true }),
      "1 Halted job-failed",
      ["job-failed"]
    ],
    [
      "a step that cannot be halts",
      new StepProblem({ step: "draft", reason: "twice", detail: "" }),
      "1 Halted step",
      ["step"]
    ],
    ["an outcome of its own choosing is its end", new Ended({ outcome: Outcome.Cancelled() }), "1 Cancelled", []],
    [
      "a model that is gone halts",
      new Failure.ModelNotFound({ ...common, model: "m" }),
      "1 Halted ModelNotFound",
      ["ModelNotFound"]
    ],
    [
      "a server that is down is tried again",
      new Failure.Network({ ...common, phase: "connect" }),
      "1 Retried Network",
      []
    ]
  ])("ends by its handler's failure: %s", ([, failure, end, reports]) =>
    Effect.gen(function*() {
      expect(yield* attempted(() => Effect.fail(failure))).toEqual({ ends: [end], reports, others: [] })
    }))

  it.effect("closes its provider's gate on a wrong key, and has it reported once", () =>
    Effect.gen(function*() {
      const failure = new Failure.AuthenticationFailed(common)
      expect(yield* attempted(() => Effect.fail(failure))).toEqual({
        ends: ["1 Parked AuthenticationFailed"],
        reports: ["AuthenticationFailed"],
        others: ["close openai key"]
      })
    }))

  it.effect("closes the session's gate where that is what lapsed", () =>
    Effect.gen(function*() {
      const failure = new Failure.SessionExpired({ ...common, session: "backend" })
      expect((yield* attempted(() => Effect.fail(failure))).others).toEqual(["close backend sign-in"])
    }))

  it.effect("has everyone on its provider wait as long as that asks", () =>
    Effect.gen(function*() {
      const failure = new Failure.RateLimited({ ...common, retryAfter: Duration.minutes(10) })
      expect(yield* attempted(() => Effect.fail(failure))).toEqual({
        ends: ["1 Cooled RateLimited"],
        reports: [],
        others: ["cool openai 10m"]
      })
    }))

  it.effect("writes nothing where its lease is lost", () =>
    Effect.gen(function*() {
      const lost = new LeaseLost({ job: 1, fence: 1 })
      expect((yield* attempted(() => Effect.fail(lost))).ends).toEqual([])
    }))

  it.effect("is ended when it takes longer than its kind allows, and not before", () =>
    Effect.gen(function*() {
      const late = yield* attempted(() => Effect.never, Duration.minutes(1))
      expect(late).toEqual({ ends: ["1 Retried timed-out"], reports: [], others: [] })
      const inTime = yield* attempted(() => Effect.delay(Effect.succeed(completed), "59 seconds"), Duration.minutes(1))
      expect(inTime.ends).toEqual(["1 Completed"])
    }))
})
