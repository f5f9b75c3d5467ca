import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import type { ReportPolicy } from "../../../../src/domain/failure/Consequence.js"
import { AuthenticationFailed, RateLimited, SessionExpired } from "../../../../src/domain/failure/Failure.js"
import { Reporter } from "../../../../src/domain/failure/Reporter.js"
import type { JobStatus } from "../../../../src/domain/job/Job.js"
import { Outcome } from "../../../../src/domain/job/Outcome.js"
import { LeaseLost } from "../../../../src/domain/lease/Lease.js"
import { Pacer } from "../../../../src/domain/retry/Pacer.js"
import { GateRef } from "../../../../src/domain/session/Gate.js"
import { Gates } from "../../../../src/domain/session/Gates.js"
import { Tenant } from "../../../../src/domain/store/Tenant.js"
import { conclude } from "../../../../src/programs/flows/work/Conclude.js"
import type { Settle } from "../../../../src/programs/flows/work/Settle.js"
import { held } from "../../../support/Jobs.js"
import * as Outcomes from "../../../support/Outcomes.js"

const error = { tag: "Network", message: "openai cannot be reached.", detail: "refused" }
const delay = Duration.seconds(1)
const gate = GateRef.make({ kind: "provider", name: "openai" })

/** What was done to the queue, the gates and the reporter, in order, while an outcome was concluded. */
const concluded = (
  outcome: Outcome,
  { closes = true, settled = Effect.succeed<JobStatus>("failed") }: {
    readonly closes?: boolean
    readonly settled?: Effect.Effect<JobStatus, LeaseLost>
  } = {}
) => {
  const done: Array<string> = []
  const note = (what: string) => Effect.sync(() => done.push(what))
  const settle: Settle = {
    alone: (_, { _tag }) =>
      Effect.zipRight(note(`settle ${_tag}`), Effect.map(settled, (status) => ({ status, runAt: Option.none() }))),
    together: () => Effect.void
  }
  const around = Layer.mergeAll(
    Layer.mock(Pacer, {
      throttled: (provider, _, wait) =>
        Effect.flatMap(Tenant, (tenant) => Effect.asVoid(note(`${tenant} cools ${provider} ${Duration.format(wait)}`)))
    }),
    Layer.mock(Gates, { close: ({ name }, reason) => Effect.as(note(`close ${name} ${reason}`), closes) }),
    Layer.succeed(Reporter, { report: ({ tag, work }) => Effect.asVoid(note(`report ${tag} ${work}`)) }),
    Logger.remove(Logger.defaultLogger)
  )
  return conclude(settle, held(1), outcome).pipe(Effect.ignore, Effect.as(done), Effect.provide(around))
}

const reportOf = (tag: string) => `report ${tag} test key-1`

describe("concluding an attempt", () => {
  it.effect.each(
    [
      ["expected", "failed", false],
      ["once", "failed", true],
      ["report", "failed", true],
      ["report", "pending", true],
      ["on-exhaustion", "failed", true],
      ["on-exhaustion", "pending", false]
    ] satisfies ReadonlyArray<readonly [ReportPolicy, JobStatus, boolean]>
  )(
    "follows the report that was decided with the failure: %s, job then %s",
    ([report, status, isReported]) =>
      Effect.gen(function*() {
        const told = isReported ? [reportOf("Network")] : []
        const settled = Effect.succeed<JobStatus>(status)
        expect(yield* concluded(Outcome.Halted({ error, report }), { settled })).toEqual(["settle Halted", ...told])
        expect(yield* concluded(Outcome.Retried({ error, report, delay }), { settled })).toEqual([
          "settle Retried",
          ...told
        ])
      })
  )

  it.effect("closes the gate first, and has whoever closed it report, though the failure is expected", () =>
    Effect.gen(function*() {
      const expired = new SessionExpired({ provider: "openai", detail: "401", session: "backend" })
      const parked = Outcomes.parked(expired, gate, "sign-in")
      const settled = Effect.succeed<JobStatus>("pending")
      expect(yield* concluded(parked, { settled })).toEqual([
        "close openai sign-in",
        reportOf("SessionExpired"),
        "settle Parked"
      ])
      expect(yield* concluded(parked, { settled, closes: false })).toEqual(["close openai sign-in", "settle Parked"])
    }))

  it.effect("makes everyone on the job's tenant's provider wait, before the job is given back", () =>
    Effect.gen(function*() {
      const settled = Effect.succeed<JobStatus>("pending")
      const cooled = Outcomes.cooled(new RateLimited({ provider: "openai", detail: "429" }), delay, true)
      expect(yield* concluded(cooled, { settled })).toEqual(["tests cools openai 1s", "settle Cooled"])
    }))

  it.effect("tells nobody to wait who was told when the refusal was heard", () =>
    Effect.gen(function*() {
      const heard = Outcome.Cooled({ error, delay, refunded: true, provider: null })
      expect(yield* concluded(heard)).toEqual(["settle Cooled"])
    }))

  it.effect("reports nothing of a job that a newer claim has", () =>
    Effect.gen(function*() {
      const lost = Effect.fail(new LeaseLost({ job: 1, fence: 1 }))
      const halted = Outcomes.halted(new AuthenticationFailed({ provider: "openai", detail: "401" }))
      expect(yield* concluded(halted, { settled: lost })).toEqual(["settle Halted"])
    }))
})
