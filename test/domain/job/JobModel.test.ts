import { describe, expect, it } from "@effect/vitest"
import { setImmediate } from "node:timers/promises"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { ProviderUnavailable } from "../../../src/domain/failure/Failure.js"
import { isOpen } from "../../../src/domain/job/Job.js"
import type { Fence } from "../../../src/domain/lease/Lease.js"
import * as Model from "../../support/JobModel.js"
import * as Outcomes from "../../support/Outcomes.js"

const open = ({ job }: Model.World) => isOpen(job.status)

/** Who could still write: of all claims there ever were, those whose heartbeat would be heard. */
const live = (world: Model.World): ReadonlyArray<Fence> =>
  world.claims.filter((fence) => Model.beat(world, fence).accepted)

/** The law that a step breaks, or nothing. */
const broken = (before: Model.World, { accepted, under, world: after }: Model.Taken, { kind }: Model.Step) => {
  const { job } = after
  if (job !== before.job) {
    const holders = live(after)
    if (holders.length > 1) return "more than one live holder"
    if (holders[0] !== (job.status === "running" ? job.fence : undefined)) {
      return "a holder that is not the newest claim's"
    }
  }
  if (kind === "claim" && accepted && before.claims.some((fence) => job.fence <= fence)) {
    return "a fence that did not grow"
  }
  if (job.fence < before.job.fence) return "a fence that went back"
  if (under !== undefined && under !== before.job.fence && (accepted || after.job !== before.job)) {
    return "a write under an old fence"
  }
  if (!accepted && after.job !== before.job) return "a refused event that changed something"
  if (job.attempts < 0 || job.attempts > job.maxAttempts) return "attempts beyond the maximum"
  if (job.crashes < 0 || job.crashes > job.maxAttempts) return "crashes beyond the maximum"
  if (!open(before) && open(after) && kind !== "retry" && kind !== "enqueue") {
    return "a closed job that opened by itself"
  }
  const asked = before.job.again && before.job.status === "running"
  if (asked && !job.again && job.status !== "pending" && job.status !== "cancelled") return "a request that was lost"
  if (Option.isSome(job.leaseUntil) !== (job.status === "running")) return "a lease of a job that does not run"
  if (kind === "claim" && accepted && DateTime.greaterThan(before.job.runAt, before.now)) {
    return "a start before its time"
  }
  const isAnother = kind === "enqueue" && !open(before)
  const forgot = [...before.job.steps].some((step) => !job.steps.has(step))
  if (forgot && job.run === before.job.run && !isAnother) return "a finished step that was lost within its run"
  if (job.run > before.job.run && job.steps.size > 0) return "a step of an earlier run"
  return undefined
}

const retried = Outcomes.retried(new ProviderUnavailable({ provider: "p", detail: "503" }), Duration.minutes(1))

const dies = (world: Model.World) => Model.look(Model.outwait(Model.claim(Model.outwait(world)).world)).world

const fails = (world: Model.World) => {
  const claimed = Model.claim(Model.outwait(world)).world
  return Model.settle(claimed, claimed.job.fence, retried).world
}

/** Left to time and workers alone, whatever they do, a job ends: `again` may give it one more round of attempts. */
const ends = (world: Model.World, round: (world: Model.World) => Model.World) => {
  let left = world.job.status === "running" ? Model.look(Model.outwait(world)).world : world
  for (let rounds = 0; open(left) && rounds <= 2 * Model.maxAttempts; rounds++) left = round(left)
  return !open(left)
}

/** In parts, so that a slow machine hears from each. */
const parts = Array.from({ length: 10 }, (_, part) => part)
const histories = 100_000

describe("100,000 histories of a job keep one live holder, growing fences and bounded attempts", () => {
  const accepted = new Map<Model.Kind, number>()
  let late = 0

  it.each(parts)("and every open job can move on to its end: part %i", async (part) => {
    await setImmediate()
    const [round, fate] = part % 2 === 0
      ? [dies, "whose workers always die"] as const
      : [fails, "that always fails"] as const
    FastCheck.assert(
      FastCheck.property(Model.histories(30), (steps) => {
        let world = Model.world
        for (const step of steps) {
          const taken = Model.take(world, step)
          const law = broken(world, taken, step)
          if (law !== undefined) throw new Error(`${step.kind}: ${law}`)
          if (taken.accepted) accepted.set(step.kind, (accepted.get(step.kind) ?? 0) + 1)
          else if (taken.under !== undefined) late++
          world = taken.world
        }
        if (!ends(world, round)) throw new Error(`a job ${fate} stays open for ever`)
      }),
      { numRuns: histories / parts.length }
    )
  })

  it("in which everything happened often, writes that came too late among it", () => {
    expect(Model.kinds.filter((kind) => (accepted.get(kind) ?? 0) < 1000)).toEqual([])
    expect(late).toBeGreaterThan(10_000)
  })
})
