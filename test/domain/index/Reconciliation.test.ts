import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { SourceRef } from "../../../src/domain/index/SourceRef.js"
import { JobId } from "../../../src/domain/job/Job.js"
import * as Reconciliation from "../../../src/domain/index/Reconciliation.js"

const last = (fields: Partial<Reconciliation.LastJob>): Reconciliation.Unmatched => ({
  source: SourceRef.make({ kind: "catalog", id: "pets" }),
  last: Option.some({
    id: JobId.make(1),
    status: "failed",
    failures: 1,
    endedFor: Duration.zero,
    maxAttempts: 5,
    ...fields
  })
})

describe("what the reconciler opens a job for", () => {
  it.each<[number, string]>([[0, "0"], [1, "5m"], [2, "10m"], [6, "2h 40m"], [7, "5h 20m"], [8, "6h"], [5000, "6h"]])(
    "after %i failures in a row a source is left alone for %s",
    (failures, expected) => {
      expect(Duration.format(Reconciliation.backoff(failures))).toBe(expected)
    }
  )

  it("is a source that no job was ever opened for, or whose job ended well and left something out", () => {
    expect(Reconciliation.isDue({ ...last({}), last: Option.none() })).toBe(true)
    expect(Reconciliation.isDue(last({ status: "succeeded", failures: 0 }))).toBe(true)
    expect(Reconciliation.isDue(last({ status: "partial", failures: 0 }))).toBe(true)
  })

  it("is a source whose job failed, once its time has come and not before", () => {
    expect(Reconciliation.isDue(last({ failures: 2, endedFor: Duration.minutes(10) }))).toBe(true)
    expect(Reconciliation.isDue(last({ failures: 2, endedFor: Duration.minutes(9.99) }))).toBe(false)
  })

  it("is never a source whose job a person cancelled", () => {
    expect(Reconciliation.isDue(last({ status: "cancelled", failures: 0, endedFor: Duration.days(365) }))).toBe(false)
  })

  it.prop("waits longer with every failure, and never longer than six hours", [FastCheck.nat(10_000)], ([failures]) => {
    const [now, next] = [Reconciliation.backoff(failures), Reconciliation.backoff(failures + 1)]
    return Duration.lessThanOrEqualTo(now, next) && Duration.lessThanOrEqualTo(next, Duration.hours(6))
  })

  it.prop("leaves out nothing that is due", [
    FastCheck.array(FastCheck.record({ failures: FastCheck.nat(20), hours: FastCheck.nat(10) }))
  ], ([jobs]) => {
    const unmatched = jobs.map(({ failures, hours }) => last({ failures, endedFor: Duration.hours(hours) }))
    const due = new Set(Reconciliation.due(unmatched))
    return unmatched.every((one) => due.has(one) === Reconciliation.isDue(one))
  })
})
