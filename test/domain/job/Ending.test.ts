import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { consequence } from "../../../src/domain/failure/Consequence.js"
import { userMessage } from "../../../src/domain/failure/UserMessage.js"
import * as Failure from "../../../src/domain/failure/Failure.js"
import { CallContext } from "../../../src/domain/failure/CallContext.js"
import { brokenByBug, ending } from "../../../src/domain/job/Ending.js"
import type { Claimed } from "../../../src/domain/job/JobQueue.js"
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
})
