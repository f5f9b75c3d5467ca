import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { consequence } from "../../../src/domain/failure/Consequence.js"
import { userMessage } from "../../../src/domain/failure/UserMessage.js"
import * as Failure from "../../../src/domain/failure/Failure.js"
import { CallContext } from "../../../src/domain/failure/CallContext.js"
import {
  brokenByBug,
  brokenByStore,
  brokenStep,
  ending,
  failed,
  stalled,
  timedOut,
  wordsOf
} from "../../../src/domain/job/Ending.js"
import type { Claimed } from "../../../src/domain/job/JobQueue.js"
import { JobFailed } from "../../../src/domain/job/Run.js"
import { StepProblem } from "../../../src/domain/job/Step.js"
import { StoreBroken, StoreRejectedData } from "../../../src/domain/store/StoreFailure.js"
import { held } from "../../support/Jobs.js"

const common = { provider: "openai", detail: "said so" }
const down = new Failure.ProviderUnavailable(common)
const at = (attempts: number, more: Partial<Claimed> = {}): Claimed => ({ ...held(1).job, attempts, ...more })
const batch = CallContext.Embed({
  texts: 8,
  malformedTries: 0,
  neighbours: "unknown",
  canShorten: false,
  provider: "down",
  wasThere: false
})
const alone = (neighbours: "served" | "refused") =>
  CallContext.Embed({ texts: 1, malformedTries: 0, neighbours, canShorten: false, provider: "answers", wasThere: true })
const end = (failure: Failure.Failure, job: Claimed, work: CallContext = batch) =>
  ending(failure, consequence(failure, work), job, 0.5)

describe("how an attempt ends", () => {
  it("tries again after a backoff, and tells nobody yet", () => {
    expect(end(down, at(1))).toMatchObject({
      _tag: "Retried",
      error: { tag: "ProviderUnavailable", message: userMessage(down), detail: "said so" },
      report: "on-exhaustion",
      delay: Duration.millis(250)
    })
  })

  it("says how often it was tried once the tries are used up", () => {
    expect(end(down, at(5))).toMatchObject({
      _tag: "Halted",
      error: { message: `${userMessage(down)} It was tried 5 times.` },
      report: "on-exhaustion"
    })
    expect(end(down, at(1, { maxAttempts: 1 }))).toMatchObject({ error: { message: userMessage(down) } })
  })

  it("waits as long as the provider names, up to a day, at whatever cost in attempts", () => {
    const named = (wait: Duration.Duration) => [
      end(new Failure.RateLimited({ ...common, retryAfter: wait }), at(1)),
      end(new Failure.ProviderUnavailable({ ...common, retryAfter: wait }), at(1))
    ]
    expect(named(Duration.minutes(10))).toMatchObject([
      { _tag: "Cooled", refunded: true, delay: Duration.minutes(10) },
      { _tag: "Retried", delay: Duration.minutes(10) }
    ])
    for (
      const [wait, kept] of [[Duration.hours(24), Duration.days(1)], [Duration.days(9), Duration.days(1)]] as const
    ) {
      expect(named(wait)).toMatchObject([
        { _tag: "Cooled", refunded: false, delay: kept },
        { _tag: "Retried", delay: kept }
      ])
    }
  })

  it("carries that a batch refused text by text is reported, which one refused text is not", () => {
    const invalid = new Failure.InvalidRequest(common)
    expect(end(invalid, at(1), alone("refused"))).toMatchObject({ _tag: "Halted", report: "report" })
    expect(end(invalid, at(1), CallContext.Agent({ malformedTries: 0 }))).toMatchObject({
      _tag: "Halted",
      report: "expected"
    })
  })

  it("spends an attempt on a bug, reports each, and gives up at the maximum", () => {
    const said = "TypeError: x is undefined at Bearer sk-abcdefghijklmnopqrst \u0000"
    const first = brokenByBug(said, at(1), 0.5)
    expect(first).toMatchObject({
      _tag: "Retried",
      error: { tag: "bug" },
      report: "report",
      delay: Duration.millis(250)
    })
    expect(first).toMatchObject({ error: { detail: "TypeError: x is undefined at Bearer [hidden]" } })
    expect(brokenByBug(said, at(5), 0.5)).toMatchObject({ _tag: "Halted", error: { tag: "bug" }, report: "report" })
  })

  it("tells what a bug was with what caused it, and ends where causes go round in a circle", () => {
    const inner = Object.assign(new Error("duplicate key value"), { name: "DatabaseError" })
    expect(wordsOf(new Error("Failed to execute statement", { cause: inner }))).toBe(
      "Error: Failed to execute statement (DatabaseError: duplicate key value)"
    )
    const circle = new Error("round")
    circle.cause = circle
    expect(wordsOf(circle).match(/round/g)).toHaveLength(4)
    expect([wordsOf("thrown"), wordsOf({ a: 1 }), wordsOf(null)]).toEqual(["thrown", "{\n  \"a\": 1\n}", "null"])
  })

  it("names whom the waits are for: everyone on the provider that asked for them", () => {
    const slow = new Failure.RateLimited({ ...common, retryAfter: Duration.minutes(1) })
    expect(end(slow, at(1))).toMatchObject({ _tag: "Cooled", provider: "openai" })
    expect(end(new Failure.RateLimited(common), at(1))).toMatchObject({
      _tag: "Cooled",
      refunded: false,
      provider: "openai"
    })
    expect(end(new Failure.RateLimited(common), at(5))).toMatchObject({ _tag: "Halted", report: "expected" })
  })

  it("tries work that failed by itself again, and reports it when the tries are used up", () => {
    const failure = new JobFailed({ message: "The ticket is locked.", detail: "by Ann" })
    expect(failed(failure, at(1), 0.5)).toMatchObject({
      _tag: "Retried",
      error: { tag: "job-failed", message: "The ticket is locked.", detail: "by Ann" },
      report: "on-exhaustion",
      delay: Duration.millis(250)
    })
    expect(failed(failure, at(5), 0.5)).toMatchObject({
      _tag: "Halted",
      error: { message: "The ticket is locked. It was tried 5 times." },
      report: "on-exhaustion"
    })
  })

  it("does not try again what the work itself calls useless to try", () => {
    const failure = new JobFailed({ message: `No such ticket.${"x".repeat(2000)}\u0000`, permanent: true })
    const halted = failed(failure, at(1), 0.5)
    expect(halted).toMatchObject({ _tag: "Halted", error: { tag: "job-failed" }, report: "report" })
    const message = halted._tag === "Halted" ? halted.error.message : ""
    expect(message.startsWith("No such ticket.x")).toBe(true)
    expect(message.length).toBeLessThanOrEqual(1000)
  })

  it("halts over a step that cannot be: the next attempt would meet the same", () => {
    const problem = new StepProblem({ step: "draft", reason: "unreadable", detail: "Expected string" })
    expect(brokenStep(problem)).toMatchObject({
      _tag: "Halted",
      error: { tag: "step", message: problem.message, detail: "Expected string" },
      report: "report"
    })
  })

  it("charges an attempt that stood still, or took too long, and says for how long", () => {
    expect(stalled(Duration.hours(1), at(1), 0.5)).toMatchObject({
      _tag: "Retried",
      error: { tag: "stalled", message: "The job made no progress for 1h, so the attempt was ended." },
      report: "on-exhaustion"
    })
    expect(timedOut(Duration.minutes(5), at(1), 0.5)).toMatchObject({
      _tag: "Retried",
      error: { tag: "timed-out", message: "The attempt took longer than 5m, so it was ended." }
    })
    expect(timedOut(Duration.minutes(5), at(5), 0.5)).toMatchObject({ _tag: "Halted", report: "on-exhaustion" })
  })

  it("halts over data that the store refuses, and tries again where the store is at fault", () => {
    const rejected = new StoreRejectedData({ sqlState: "22P05", detail: "\u00e9 is not storable" })
    const halted = brokenByStore(rejected, at(1), 0.5)
    expect(halted).toMatchObject({ _tag: "Halted", error: { tag: "StoreRejectedData", detail: "" }, report: "report" })
    expect(halted._tag === "Halted" ? halted.error.message : "\u00e9").toMatch(/^[ -~]+$/)
    const broken = new StoreBroken({ sqlState: "42601", detail: "broken" })
    expect(brokenByStore(broken, at(1), 0.5)).toMatchObject({ _tag: "Retried", report: "report" })
  })
})
