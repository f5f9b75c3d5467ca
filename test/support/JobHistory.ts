import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Data from "effect/Data"
import { ProviderUnavailable } from "../../src/domain/failure/Failure.js"
import { noProgress, Progress } from "../../src/domain/job/Job.js"
import { JobEvent } from "../../src/domain/job/JobTransition.js"
import * as JobTransition from "../../src/domain/job/JobTransition.js"
import { Outcome } from "../../src/domain/job/Outcome.js"
import { Fence } from "../../src/domain/lease/Lease.js"
import { GateRef } from "../../src/domain/session/Gate.js"
import * as Outcomes from "./Outcomes.js"

/** Generated histories of one job, told in steps that the pure model and a real queue can both take. */

/** Who acts: the newest claim's holder, or the one before it, who slept through its lease. */
export type Who = "holder" | "sleeper"

export type Step = Data.TaggedEnum<{
  Claim: {}
  Beat: { readonly who: Who }
  Persist: { readonly who: Who; readonly refused: number }
  Settle: { readonly who: Who; readonly outcome: Outcome }
  Reclaim: {}
  Enqueue: { readonly force: boolean }
  Edit: {}
  Delete: {}
  Cancel: {}
  Retry: {}
  Wait: { readonly minutes: number }
}>
export const Step = Data.taggedEnum<Step>()

const failure = new ProviderUnavailable({ provider: "ollama", detail: "503" })
const delay = Duration.minutes(10)

const outcomes: ReadonlyArray<Outcome> = [
  Outcome.Completed(),
  Outcome.Completed(),
  Outcomes.retried(failure, delay),
  Outcomes.cooled(failure, delay, true),
  Outcomes.cooled(failure, delay, false),
  Outcomes.parked(failure, GateRef.make({ kind: "provider", name: "ollama" }), "key"),
  Outcomes.halted(failure),
  Outcome.Released(),
  Outcome.Cancelled(),
  Outcome.Stalled({ after: Duration.hours(1) })
]

const who = FastCheck.constantFrom<Who>("holder", "holder", "holder", "sleeper")

const step: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  { weight: 6, arbitrary: FastCheck.constant(Step.Claim()) },
  { weight: 2, arbitrary: FastCheck.record({ who }).map(Step.Beat) },
  { weight: 2, arbitrary: FastCheck.record({ who, refused: FastCheck.integer({ min: 0, max: 1 }) }).map(Step.Persist) },
  { weight: 6, arbitrary: FastCheck.record({ who, outcome: FastCheck.constantFrom(...outcomes) }).map(Step.Settle) },
  { weight: 3, arbitrary: FastCheck.constant(Step.Reclaim()) },
  { weight: 2, arbitrary: FastCheck.record({ force: FastCheck.boolean() }).map(Step.Enqueue) },
  { weight: 1, arbitrary: FastCheck.constantFrom<Step>(Step.Edit(), Step.Delete(), Step.Cancel()) },
  { weight: 1, arbitrary: FastCheck.constant(Step.Retry()) },
  { weight: 4, arbitrary: FastCheck.constantFrom(1, 3, 11).map((minutes) => Step.Wait({ minutes })) }
)

export const histories = (length: number): FastCheck.Arbitrary<ReadonlyArray<Step>> =>
  FastCheck.array(step, { minLength: 1, maxLength: length })

/** A lease of the histories: two minutes, so that some waits outlast it. */
export const lease = Duration.minutes(2)
export const maxAttempts = 3

export const progressOf = (refused: number) => Progress.make({ ...noProgress, items: 2, embedded: 1, refused })

/** The model's world: one source, its newest job, the clock, and the fences of the newest claims. */
export interface World {
  readonly job: JobTransition.JobState
  readonly now: DateTime.Utc
  readonly source: Option.Option<string>
  readonly fences: number
  readonly holder: number
  readonly sleeper: number
}

const start = DateTime.unsafeMake("2026-01-01T00:00:00Z")

export const world: World = {
  job: JobTransition.fresh({ maxAttempts, force: false, fence: Fence.make(0), revision: Option.some("0") }, start),
  now: start,
  source: Option.some("0"),
  fences: 0,
  holder: 0,
  sleeper: 0
}

const edited = (source: Option.Option<string>) => Option.some(String(Number(Option.getOrElse(source, () => "0")) + 1))

const apply = (world: World, event: JobEvent): World =>
  Either.match(JobTransition.transition(world.job, event, world.now), {
    onLeft: () => world,
    onRight: (job) => ({ ...world, job })
  })

/** What the model makes of a step. A step that is rejected changes nothing. */
export const take = (world: World, step: Step): World => {
  const fence = Fence.make(world.fences + 1)
  const of = (who: Who) => Fence.make(who === "holder" ? world.holder : world.sleeper)
  const until = DateTime.addDuration(world.now, lease)
  return Match.value(step).pipe(
    Match.withReturnType<World>(),
    Match.tagsExhaustive({
      Claim: () => {
        const next = apply(world, JobEvent.Claimed({ fence, until }))
        return next === world ? world : { ...next, fences: fence, holder: fence, sleeper: world.holder }
      },
      Beat: ({ who }) => apply(world, JobEvent.Beat({ fence: of(who), until })),
      Persist: ({ refused, who }) =>
        apply(world, JobEvent.Persisted({ fence: of(who), progress: progressOf(refused) })),
      Settle: ({ outcome, who }) => apply(world, JobEvent.Settled({ fence: of(who), outcome, revision: world.source })),
      Reclaim: () => apply(world, JobEvent.Reclaimed({ dead: false })),
      Enqueue: ({ force }) => {
        const next = apply(world, JobEvent.Enqueued({ force, revision: world.source }))
        return next === world && (world.job.status !== "pending" && world.job.status !== "running")
          ? {
            ...world,
            job: JobTransition.fresh({ maxAttempts, force, fence: Fence.make(0), revision: world.source }, world.now)
          }
          : next
      },
      Edit: () => ({ ...world, source: edited(world.source) }),
      Delete: () => ({ ...apply(world, JobEvent.SourceDeleted({ fence })), fences: fence, source: Option.none() }),
      Cancel: () => ({ ...apply(world, JobEvent.CancelAsked({ fence })), fences: fence }),
      Retry: () => apply(world, JobEvent.RetryAsked()),
      Wait: ({ minutes }) => ({ ...world, now: DateTime.add(world.now, { minutes }) })
    })
  )
}
