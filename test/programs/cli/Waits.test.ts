import { describe, expect, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { ProviderUnavailable, RateLimited } from "../../../src/domain/failure/Failure.js"
import { Job, Progress } from "../../../src/domain/job/Job.js"
import { soon, waitOf } from "../../../src/programs/cli/Waits.js"
import type { Moment } from "../../../src/programs/cli/Waits.js"
import { after, calm, now, queued } from "../../support/Jobs.js"

const at = DateTime.toEpochMillis(now)
const running = Job.make({
  ...queued,
  status: "running",
  progress: Progress.make({ done: 4, total: 100, detail: {} })
})
const calls = { askedAt: Option.none<number>(), heldUntil: Option.none<number>(), failure: Option.none() }
const moment = (given: Partial<Moment>): Moment => ({
  job: running,
  around: calm,
  calls,
  now: at,
  quiet: soon,
  limit: Duration.minutes(5),
  ...given
})
const words = (given: Partial<Moment>) => Option.getOrUndefined(Option.map(waitOf(moment(given)), (wait) => wait.words))
const key = (given: Partial<Moment>) => Option.getOrUndefined(Option.map(waitOf(moment(given)), (wait) => wait.key))

const slow = Option.some(new RateLimited({ provider: "openai", detail: "" }))
const down = Option.some(new ProviderUnavailable({ provider: "openai", detail: "", status: 503 }))
const asked = (ago: number) => ({ ...calls, askedAt: Option.some(at - ago) })
const held = (ahead: number) => ({ ...calls, heldUntil: Option.some(at + ahead), failure: slow })

describe("what a watched job waits for", () => {
  it("is told once the job has not got on for a moment, and not before", () => {
    expect(words({ calls: asked(12_000), quiet: soon - 1 })).toBeUndefined()
    expect(words({ calls: asked(12_000), quiet: soon })).toBeDefined()
  })

  it("names the provider, how long ago it was asked, and until when its answer is waited for", () => {
    expect(words({ calls: asked(12_000) })).toBe(
      "No answer from openai for 12s; it has time until 12:04:48Z (4m)."
    )
  })

  it("tells why a call is made again", () => {
    expect(words({ calls: { ...asked(2000), failure: down } })).toBe(
      "No answer from openai for 2s; it has time until 12:04:58Z (4m). Before: openai is not available at the moment."
    )
  })

  it("tells until when the next call is held back", () => {
    expect(words({ calls: held(4000) })).toBe(
      "The next call waits until 12:00:04Z (4s): openai asks to slow down."
    )
  })

  it("tells of a cooldown with the time that is left", () => {
    const around = { ...calm, cooldowns: [{ provider: "openai", until: after("24 seconds") }] }
    expect(words({ job: queued, around })).toBe("Waits for rate limit until 2026-05-01T12:00:24Z (24s).")
  })

  it("tells what failed before a back-off", () => {
    const error = {
      tag: "MalformedResponse",
      message: "openai gave an answer that makes no sense.",
      detail: "",
      at: now
    }
    const job = Job.make({ ...queued, runAt: after("8 seconds"), lastError: Option.some(error) })
    expect(words({ job })).toBe(
      "Waits for back-off until 2026-05-01T12:00:08Z (8s): openai gave an answer that makes no sense."
    )
  })

  it("is planning where nothing was counted yet, and nothing at all where the job simply runs", () => {
    expect(words({ job: Job.make({ ...queued, status: "running" }) })).toBe("Looking for what is new.")
    expect(words({})).toBeUndefined()
    expect(words({ job: queued })).toBeUndefined()
  })

  it("has one key for short waits of a kind, so that a slow provider gets one line, and one of its own for each that lasts", () => {
    expect(key({ calls: asked(1000) })).toBe(key({ calls: asked(3000) }))
    expect(key({ calls: asked(60_000) })).not.toBe(key({ calls: asked(1000) }))
    expect(key({ calls: asked(60_000) })).toBe(key({ calls: asked(61_000), now: at + 1000 }))
    expect(key({ calls: held(1000) })).not.toBe(key({ calls: asked(1000) }))
  })
})
