import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { ProviderUnavailable } from "../../src/domain/failure/Failure.js"
import { noProgress, Progress } from "../../src/domain/job/Job.js"
import * as JobTransition from "../../src/domain/job/JobTransition.js"
import { Outcome } from "../../src/domain/job/Outcome.js"
import { Fence } from "../../src/domain/lease/Lease.js"
import { GateRef } from "../../src/domain/session/Gate.js"
import * as Outcomes from "./Outcomes.js"

/**
 * Long histories of one job with any number of workers, each of which goes on acting under the fence of its own claim,
 * however old. A history is a row of bytes, two a step: what happens, and to whom. That is quick to make and shrinks well.
 */

const failure = new ProviderUnavailable({ provider: "p", detail: "503" })
const delay = Duration.minutes(3)

const outcomes: ReadonlyArray<Outcome> = [
  Outcome.Completed(),
  Outcome.Completed(),
  Outcomes.retried(failure, delay),
  Outcomes.retried(failure, delay),
  Outcomes.cooled(failure, delay, true),
  Outcomes.cooled(failure, delay, false),
  Outcomes.parked(failure, GateRef.make({ kind: "provider", name: "p" }), "key"),
  Outcomes.halted(failure),
  Outcome.Released(),
  Outcome.Cancelled(),
  Outcome.Stalled({ after: Duration.hours(1) })
]

/** How often each thing happens. */
const weights = {
  claim: 6,
  beat: 2,
  persist: 2,
  complete: 3,
  fail: 4,
  expire: 2,
  look: 2,
  crash: 2,
  wait: 4,
  enqueue: 1,
  force: 1,
  edit: 1,
  delete: 0.5,
  cancel: 0.5,
  retry: 1
}
export type Kind = keyof typeof weights
export const kinds = Object.keys(weights) as ReadonlyArray<Kind>

const wheel = kinds.flatMap((kind) => Array.from({ length: weights[kind] * 2 }, () => kind))

export interface Step {
  readonly kind: Kind
  readonly pick: number
}

/** Of at least half of so many steps. */
export const histories = (steps: number): FastCheck.Arbitrary<ReadonlyArray<Step>> =>
  FastCheck.uint8Array({ minLength: steps, maxLength: steps * 2 }).map((bytes) =>
    Array.from({ length: bytes.length >> 1 }, (_, n) => ({
      kind: wheel[(bytes[2 * n] ?? 0) % wheel.length] ?? "wait",
      pick: bytes[2 * n + 1] ?? 0
    }))
  )

export const maxAttempts = 3
const lease = Duration.minutes(2)
const minute = Duration.minutes(1)

export interface World {
  readonly job: JobTransition.JobState
  readonly now: DateTime.Utc
  readonly revision: number | null
  /** Of every claim so far, the newest first: each may still be acted under. */
  readonly claims: ReadonlyArray<Fence>
  readonly fences: number
}

const start = DateTime.unsafeMake("2026-01-01T00:00:00Z")

export const world: World = {
  job: JobTransition.fresh({ maxAttempts, force: false, fence: Fence.make(0), revision: Option.some("0") }, start),
  now: start,
  revision: 0,
  claims: [],
  fences: 0
}

export interface Taken {
  readonly world: World
  /** The fence that a holder's write carried; none where no holder acted. */
  readonly under: Fence | undefined
  readonly accepted: boolean
}

/** One event on the pure state machine; a rejected one leaves the very same state. */
const on = (world: World, event: JobTransition.JobEvent, under?: Fence, made: Partial<World> = {}): Taken => {
  const next = JobTransition.transition(world.job, event, world.now)
  return Either.isRight(next)
    ? { world: { ...world, ...made, job: next.right }, under, accepted: true }
    : { world, under, accepted: false }
}

const passing = (world: World, until: DateTime.Utc): Taken => ({
  world: { ...world, now: DateTime.max(world.now, until) },
  under: undefined,
  accepted: true
})

const { JobEvent } = JobTransition

const revisionOf = (world: World) => Option.map(Option.fromNullable(world.revision), String)

export const claim = (world: World): Taken => {
  const fence = Fence.make(world.fences + 1, { disableValidation: true })
  const event = JobEvent.Claimed({ fence, until: DateTime.addDuration(world.now, lease) })
  return on(world, event, undefined, { fences: fence, claims: [fence, ...world.claims] })
}

export const settle = (world: World, fence: Fence, outcome: Outcome): Taken =>
  on(world, JobEvent.Settled({ fence, outcome, revision: revisionOf(world) }), fence)

export const beat = (world: World, fence: Fence): Taken =>
  on(world, JobEvent.Beat({ fence, until: DateTime.addDuration(world.now, lease) }), fence)

export const look = (world: World, dead = false): Taken => on(world, JobEvent.Reclaimed({ dead }))

/** To the end of the lease, and of whatever the job waits for. */
export const outwait = (world: World): World =>
  passing(world, DateTime.max(world.job.runAt, Option.getOrElse(world.job.leaseUntil, () => world.now))).world

const persisted = (world: World, fence: Fence, pick: number): Taken => {
  const progress = new Progress({ ...noProgress, items: 2, embedded: 1, refused: pick & 1 }, {
    disableValidation: true
  })
  return on(world, JobEvent.Persisted({ fence, progress }), fence)
}

const enqueued = (world: World, force: boolean): Taken => {
  const asked = on(world, JobEvent.Enqueued({ force, revision: revisionOf(world) }))
  return asked.accepted
    ? asked
    : { ...asked, accepted: true, world: { ...world, job: { ...world.job, ...freshOf(world, force) } } }
}

const freshOf = (world: World, force: boolean) =>
  JobTransition.fresh({
    maxAttempts,
    force,
    fence: Fence.make(world.fences, { disableValidation: true }),
    revision: revisionOf(world)
  }, world.now)

const nobody = Fence.make(0)

export const take = (world: World, { kind, pick }: Step): Taken => {
  // Mostly the newest holder acts; else one of those who came before it.
  const holder = (pick < 160 ? world.claims[0] : world.claims[pick % Math.max(1, world.claims.length)]) ?? nobody
  const fence = Fence.make(world.fences + 1, { disableValidation: true })
  switch (kind) {
    case "claim":
      return claim(world)
    case "beat":
      return beat(world, holder)
    case "persist":
      return persisted(world, holder, pick)
    case "complete":
      return settle(world, holder, Outcome.Completed())
    case "fail":
      return settle(world, holder, outcomes[pick % outcomes.length] ?? Outcome.Released())
    case "expire":
      return passing(world, Option.getOrElse(world.job.leaseUntil, () => world.now))
    case "look":
      return look(world)
    case "crash":
      return look(world, true)
    case "wait":
      return passing(world, DateTime.addDuration(world.now, Duration.times(minute, pick % 4)))
    case "enqueue":
      return enqueued(world, false)
    case "force":
      return enqueued(world, true)
    case "edit":
      return { world: { ...world, revision: (world.revision ?? 0) + 1 }, under: undefined, accepted: true }
    case "delete":
      return {
        ...on({ ...world, revision: null }, JobEvent.SourceDeleted({ fence }), undefined, { fences: fence })
      }
    case "cancel":
      return on(world, JobEvent.CancelAsked({ fence }), undefined, { fences: fence })
    case "retry":
      return on(world, JobEvent.RetryAsked())
  }
}
