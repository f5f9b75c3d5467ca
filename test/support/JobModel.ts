import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { ProviderUnavailable } from "../../src/domain/failure/Failure.js"
import { isOpen, Progress } from "../../src/domain/job/Job.js"
import type { Claimable } from "../../src/domain/lease/Wanted.js"
import type { IfOver, IfRunning } from "../../src/domain/job/JobQueue.js"
import * as JobTransition from "../../src/domain/job/JobTransition.js"
import { Outcome } from "../../src/domain/job/Outcome.js"
import { Fence } from "../../src/domain/lease/Lease.js"
import { GateRef } from "../../src/domain/session/Gate.js"
import * as Outcomes from "./Outcomes.js"

/**
 * Long histories of one key's jobs with any number of workers, each of which goes on acting under the fence of its own claim, however
 * old. The pure model runs them, and so does the queue in SQL. A history is a row of bytes, two a step: what happens, and how. That is
 * quick to make and shrinks well.
 */

const failure = new ProviderUnavailable({ provider: "p", detail: "503" })
const delay = Duration.minutes(3)

const outcomes: ReadonlyArray<Outcome> = [
  Outcomes.retried(failure, delay),
  Outcomes.retried(failure, delay),
  Outcomes.cooled(failure, delay, true),
  Outcomes.cooled(failure, delay, false),
  Outcomes.parked(failure, GateRef.make({ kind: "provider", name: "q" }), "key"),
  Outcomes.parked(failure, GateRef.make({ kind: "session", name: "s" }), "sign-in"),
  Outcomes.halted(failure),
  Outcome.Released(),
  Outcome.Cancelled()
]

/** How often each thing happens. What follows an edit, and what ends a job that was asked for anew, is worth most. */
const weights = {
  claim: 6,
  beat: 2,
  persist: 2,
  step: 2,
  complete: 4,
  fail: 4,
  expire: 2,
  look: 2,
  crash: 2,
  wait: 4,
  enqueue: 5,
  cancel: 0.5,
  retry: 1,
  shut: 1,
  open: 2
}
export type Kind = keyof typeof weights
export const kinds = Object.keys(weights) as ReadonlyArray<Kind> // the keys of the object above

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

export const jobKind = "test"
/** Few, so that many histories spend them all. */
export const maxAttempts = 2
export const lease = Duration.minutes(2)
const minute = Duration.minutes(1)

/** A gate, and whether it is closed: that of the provider `q`, and that of the session `s`. */
export const gates = [
  GateRef.make({ kind: "provider", name: "q" }),
  GateRef.make({ kind: "session", name: "s" })
] as const

export const gateOf = (pick: number): GateRef => gates[pick & 1 ? 1 : 0]

export interface World {
  readonly job: JobTransition.JobState
  readonly now: DateTime.Utc
  /** What the newest enqueue asked for. */
  readonly version: number
  /** Of every claim so far, the newest first: each may still be acted under. */
  readonly claims: ReadonlyArray<Fence>
  readonly fences: number
  readonly closed: ReadonlySet<string>
}

const start = DateTime.unsafeMake("2026-01-01T00:00:00Z")

const provider = (name: string | null) => ({ provider: name, session: null })

/** What the first enqueue asks for. */
export const first: JobTransition.Asked = {
  asked: "0",
  behind: provider("p"),
  priority: 0,
  maxAttempts,
  runAt: start,
  ifRunning: "again-if-changed"
}

export const world: World = {
  job: JobTransition.fresh(first, Fence.make(0)),
  now: start,
  version: 0,
  claims: [],
  fences: 0,
  closed: new Set()
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

const isBehindClosed = ({ closed, job: { behind } }: World): boolean =>
  behind.provider !== null && closed.has(`provider ${behind.provider}`) ||
  behind.session !== null && closed.has(`session ${behind.session}`)

/** What a worker looks for: mostly all of the kind, else another kind, or one provider's alone. */
export const wanted = (pick: number): Claimable =>
  pick < 200
    ? { kind: jobKind, provider: Option.none() }
    : pick < 215
    ? { kind: "other", provider: Option.none() }
    : { kind: jobKind, provider: Option.some(pick & 1 ? "p" : "q") }

const isWanted = ({ job }: World, { kind, provider }: Claimable): boolean =>
  kind === jobKind && Option.match(provider, { onNone: () => true, onSome: (own) => own === job.behind.provider })

export const claim = (world: World, pick = 0): Taken => {
  if (isBehindClosed(world) || !isWanted(world, wanted(pick))) return { world, under: undefined, accepted: false }
  const fence = Fence.make(world.fences + 1, { disableValidation: true })
  const event = JobEvent.Claimed({ fence, until: DateTime.addDuration(world.now, lease) })
  return on(world, event, undefined, { fences: fence, claims: [fence, ...world.claims] })
}

export const settle = (world: World, fence: Fence, outcome: Outcome): Taken =>
  on(world, JobEvent.Settled({ fence, outcome }), fence)

export const beat = (world: World, fence: Fence): Taken =>
  on(world, JobEvent.Beat({ fence, until: DateTime.addDuration(world.now, lease) }), fence)

export const look = (world: World, dead = false): Taken => on(world, JobEvent.Reclaimed({ dead }))

/** To the end of the lease, and of whatever the job waits for. */
export const outwait = (world: World): World =>
  passing(
    { ...world, closed: new Set() },
    DateTime.max(world.job.runAt, Option.getOrElse(world.job.leaseUntil, () => world.now))
  ).world

/** Half of the writes move the progress. */
export const progressOf = (pick: number): Option.Option<Progress> =>
  pick & 1
    ? Option.some(new Progress({ done: pick % 7, total: 7, detail: { left: pick % 3 } }, { disableValidation: true }))
    : Option.none()

export const stepName = (pick: number): string => `step-${pick % 3}`

export const completion = (pick: number): Outcome =>
  Outcome.Completed({ output: pick % 5 === 0 ? null : { n: pick % 5 }, partial: pick % 3 === 0 })

export const failing = (pick: number): Outcome => outcomes[pick % outcomes.length] ?? Outcome.Released()

/** What an enqueue asks for. */
export interface Request {
  readonly asked: JobTransition.Asked
  readonly ifOver: IfOver
  readonly version: number
}

const ways: ReadonlyArray<IfRunning> = ["again-if-changed", "again-if-changed", "again", "leave"]

/** The first two bits say how, the next ones what; an edit of what the job is for comes with every second one. */
export const requestOf = (world: World, pick: number): Request => {
  const version = pick & 4 ? world.version + 1 : world.version
  return {
    version,
    ifOver: pick > 220 ? "leave" : "open-another",
    asked: {
      asked: String(version),
      behind: { provider: pick & 8 ? "q" : pick & 64 ? null : "p", session: pick & 16 ? "s" : null },
      priority: pick % 5 - 2,
      maxAttempts,
      runAt: pick & 32 ? DateTime.addDuration(world.now, Duration.minutes(2)) : world.now,
      ifRunning: ways[pick & 3] ?? "again"
    }
  }
}

const enqueued = (world: World, pick: number): Taken => {
  const { asked, ifOver, version } = requestOf(world, pick)
  const next = on(world, JobEvent.Enqueued(asked), undefined, { version })
  if (next.accepted || ifOver === "leave" && !isOpen(world.job.status)) return next
  const job = JobTransition.fresh(asked, Fence.make(world.fences, { disableValidation: true }))
  return { world: { ...world, version, job }, under: undefined, accepted: true }
}

/** Mostly the newest holder acts, else one of the two before it, or any. */
export const holderAt = (pick: number, claims: number): number =>
  pick < 160 ? 0 : pick < 230 ? 1 + pick % 2 : pick % Math.max(1, claims)

const nobody = Fence.make(0)

export const take = (world: World, { kind, pick }: Step): Taken => {
  const holder = world.claims[holderAt(pick, world.claims.length)] ?? nobody
  const fence = Fence.make(world.fences + 1, { disableValidation: true })
  switch (kind) {
    case "claim":
      return claim(world, pick)
    case "beat":
      return beat(world, holder)
    case "persist":
      return on(world, JobEvent.Persisted({ fence: holder, progress: progressOf(pick) }), holder)
    case "step":
      return on(world, JobEvent.StepEnded({ fence: holder, name: stepName(pick) }), holder)
    case "complete":
      return settle(world, holder, completion(pick))
    case "fail":
      return settle(world, holder, failing(pick))
    case "expire":
      return passing(world, Option.getOrElse(world.job.leaseUntil, () => world.now))
    case "look":
      return look(world)
    case "crash":
      return look(world, true)
    case "wait":
      return passing(world, DateTime.addDuration(world.now, Duration.times(minute, pick % 4)))
    case "enqueue":
      return enqueued(world, pick)
    case "cancel":
      return on(world, JobEvent.CancelAsked({ fence }), undefined, { fences: fence })
    case "retry":
      return on(world, JobEvent.RetryAsked())
    case "shut":
    case "open": {
      const { kind: of, name } = gateOf(pick)
      const closed = new Set(world.closed)
      if (kind === "shut") closed.add(`${of} ${name}`)
      else closed.delete(`${of} ${name}`)
      return { world: { ...world, closed }, under: undefined, accepted: true }
    }
  }
}
