import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import type { Fence } from "../lease/Lease.js"
import type { GateRef } from "../session/Gate.js"
import * as Job from "./Job.js"
import type { IfRunning } from "./JobQueue.js"
import type { Outcome } from "./Outcome.js"

/**
 * The state machine of a job.
 *
 *     enqueue ──▶ pending ──claim──▶ running ──settle──▶ succeeded | partial | failed | cancelled
 *                    ▲                  │                                 │
 *                    └── retried, cooled, parked, released, or asked ─────┘ a person's retry
 *                        for anew, or its worker died
 *
 * What holds at all times:
 * - Only the newest claim's fence may beat, persist or settle; whatever carries another changes nothing.
 * - `attempts` never exceeds `maxAttempts`. The provider's and the worker's trouble is given back, a person's retry starts anew.
 * - `crashes` counts claims in a row that ended without a word; progress or a settlement forgives them.
 * - A request to run again that arrives while the job runs (`again`) is never lost, unless the job is cancelled.
 * - A finished step is never lost within its run; what the job is asked for anew is another run.
 *
 * Production runs none of this but `settlement` and `crashed`: the rules live in the statements of adapters/postgres/jobs. This is
 * what they are held to (test/adapters/suites/jobHistories).
 */
export interface JobState {
  readonly status: Job.JobStatus
  readonly attempts: number
  readonly maxAttempts: number
  readonly crashes: number
  /** Of the newest claim, or of the cancellation that ended it. */
  readonly fence: Fence
  readonly runAt: DateTime.Utc
  readonly leaseUntil: Option.Option<DateTime.Utc>
  /** What the job is to do, and what that depends on: `payload` and `version`, as one value to compare. */
  readonly asked: string
  readonly behind: Job.Behind
  readonly priority: number
  /** Asked for anew while running. */
  readonly again: boolean
  /** Counts what the job was asked for: the steps of an earlier run answer nothing. */
  readonly run: number
  /** The steps that the present run has finished. */
  readonly steps: ReadonlySet<string>
  readonly progress: Job.Progress
  /** Waits named by the provider since the last progress, added up. */
  readonly cooled: Duration.Duration
  /** The tag of the last error. */
  readonly lastError: Option.Option<string>
  /** As JSON; null for none. */
  readonly output: unknown
}

/** What an enqueue asks for. */
export interface Asked {
  readonly asked: string
  readonly behind: Job.Behind
  readonly priority: number
  readonly maxAttempts: number
  readonly runAt: DateTime.Utc
  readonly ifRunning: IfRunning
}

/** What happens to a job. */
export type JobEvent = Data.TaggedEnum<{
  Claimed: { readonly fence: Fence; readonly until: DateTime.Utc }
  Beat: { readonly fence: Fence; readonly until: DateTime.Utc }
  Persisted: { readonly fence: Fence; readonly progress: Option.Option<Job.Progress> }
  /** A step has ended, and its result is to be stored. */
  StepEnded: { readonly fence: Fence; readonly name: string }
  Settled: { readonly fence: Fence; readonly outcome: Outcome }
  /** Somebody looks whether the holder is gone: its lease is over, or its process is known to be `dead`. */
  Reclaimed: { readonly dead: boolean }
  Enqueued: Asked
  CancelAsked: { readonly fence: Fence }
  RetryAsked: {}
}>
export const JobEvent = Data.taggedEnum<JobEvent>()

/** Why an event changes nothing. */
export type Rejection =
  /** The fence is not the newest claim's, or the job does not run. */
  | "lease-lost"
  /** Not pending, or not due yet. */
  | "not-ready"
  /** The holder's lease is live. */
  | "held"
  /** The job is over; an enqueue makes another one, or leaves it so. */
  | "closed"
  /** The job runs already. */
  | "running"

/** What an outcome makes of its job: where it goes, and who pays. */
export interface Settlement {
  readonly to: Exclude<Job.JobStatus, "running">
  /** The attempt is given back. A pending job that is not refunded fails where its attempts are spent. */
  readonly refund: boolean
  readonly delay: Duration.Duration
  /** The delay is one that the provider named: it adds up until there is progress. */
  readonly cooling: boolean
  readonly error: Option.Option<Job.NewError>
  /** What the job stands behind from now on: the gate that closed. */
  readonly gate: Option.Option<GateRef>
  readonly output: unknown
}

const plain = (to: Settlement["to"]): Settlement => ({
  to,
  refund: false,
  delay: Duration.zero,
  cooling: false,
  error: Option.none(),
  gate: Option.none(),
  output: null
})

/** What is stored when a job's worker died too often; `crashes` as a number or in its place a mark for one. */
export const crashed = (crashes: number | string): Job.NewError => ({
  tag: "crashed",
  message: `The worker died ${crashes} times while running this job.`,
  detail: ""
})

/** What every outcome makes of its job. */
export const settlement: (outcome: Outcome) => Settlement = Match.type<Outcome>().pipe(
  Match.withReturnType<Settlement>(),
  Match.tagsExhaustive({
    Completed: ({ output, partial }) => ({ ...plain(partial ? "partial" : "succeeded"), output }),
    Retried: ({ delay, error }) => ({ ...plain("pending"), error: Option.some(error), delay }),
    Cooled: ({ delay, error, refunded }) => ({
      ...plain("pending"),
      error: Option.some(error),
      delay,
      refund: refunded,
      cooling: refunded
    }),
    Parked: ({ error, gate }) => ({
      ...plain("pending"),
      error: Option.some(error),
      refund: true,
      gate: Option.some(gate)
    }),
    Halted: ({ error }) => ({ ...plain("failed"), error: Option.some(error) }),
    Released: () => ({ ...plain("pending"), refund: true }),
    Cancelled: () => plain("cancelled")
  })
)

/** A job as it is first stored. */
export const fresh = ({ asked, behind, maxAttempts, priority, runAt }: Asked, fence: Fence): JobState => ({
  status: "pending",
  attempts: 0,
  maxAttempts,
  crashes: 0,
  fence,
  runAt,
  leaseUntil: Option.none(),
  asked,
  behind,
  priority,
  again: false,
  run: 1,
  steps: new Set(),
  progress: Job.noProgress,
  cooled: Duration.zero,
  lastError: Option.none(),
  output: null
})

/** What the job is asked for is another thing now, or the same once more. */
const nextRun = (state: JobState): JobState => ({ ...state, run: state.run + 1, steps: new Set() })

/** Ready at once, with all attempts before it. */
const anew = (state: JobState, now: DateTime.Utc): JobState => ({
  ...state,
  status: "pending",
  attempts: 0,
  crashes: 0,
  cooled: Duration.zero,
  runAt: now,
  leaseUntil: Option.none(),
  again: false
})

const closed = (state: JobState, status: "succeeded" | "partial" | "failed" | "cancelled"): JobState => ({
  ...state,
  status,
  leaseUntil: Option.none(),
  again: false
})

/** A job that is over and was asked for anew meanwhile runs again: what ended is what it was asked for before. */
const over = (state: JobState, status: "succeeded" | "partial" | "failed", now: DateTime.Utc): JobState =>
  state.again ? nextRun(anew(state, now)) : closed(state, status)

const waiting = (state: JobState, attempts: number, runAt: DateTime.Utc): JobState => ({
  ...(state.again ? nextRun(state) : state),
  status: "pending",
  attempts,
  runAt,
  leaseUntil: Option.none(),
  again: false
})

const behindGate = (behind: Job.Behind, gate: Option.Option<GateRef>): Job.Behind =>
  Option.match(gate, {
    onNone: () => behind,
    onSome: ({ kind, name }) => kind === "provider" ? { ...behind, provider: name } : { ...behind, session: name }
  })

const settled = (state: JobState, end: Settlement, now: DateTime.Utc): JobState => {
  const heard = {
    ...state,
    crashes: 0,
    behind: behindGate(state.behind, end.gate),
    cooled: end.cooling ? Duration.sum(state.cooled, end.delay) : state.cooled,
    lastError: Option.orElse(Option.map(end.error, (error) => error.tag), () => state.lastError)
  }
  const done = { ...heard, lastError: Option.none(), output: heard.again ? state.output : end.output }
  return Match.value(end.to).pipe(
    Match.withReturnType<JobState>(),
    Match.when("succeeded", () => over(done, "succeeded", now)),
    Match.when("partial", () => over(done, "partial", now)),
    Match.when("failed", () => over(heard, "failed", now)),
    Match.when("cancelled", () => closed(heard, "cancelled")),
    Match.when("pending", () =>
      end.refund
        ? waiting(heard, Math.max(0, heard.attempts - 1), DateTime.addDuration(now, end.delay))
        : heard.attempts >= heard.maxAttempts
        ? over(heard, "failed", now)
        : waiting(heard, heard.attempts, DateTime.addDuration(now, end.delay))),
    Match.exhaustive
  )
}

/** The holder is gone: the attempt stays spent, and one crash too many ends the job. */
const reclaimed = (state: JobState, now: DateTime.Utc): JobState => {
  const crashes = state.crashes + 1
  return crashes >= state.maxAttempts
    ? over({ ...state, crashes, lastError: Option.some("crashed") }, "failed", now)
    : { ...waiting(state, state.attempts, now), crashes }
}

const holds = (state: JobState, fence: Fence): boolean => state.status === "running" && state.fence === fence

const isOver = (state: JobState, now: DateTime.Utc): boolean =>
  Option.exists(state.leaseUntil, (until) => DateTime.lessThanOrEqualTo(until, now))

const when = (holds: boolean, rejection: Rejection, next: () => JobState): Either.Either<JobState, Rejection> =>
  holds ? Either.right(next()) : Either.left(rejection)

/** Progress forgives the crashes before it, the attempts that they spent, and the waits. */
const gotOn = (state: JobState): JobState => ({
  ...state,
  attempts: Math.max(1, state.attempts - state.crashes),
  crashes: 0,
  cooled: Duration.zero
})

/** A pending job takes on what is asked for now, and is ready as soon as either request said. */
const replaced = (state: JobState, request: Asked): JobState => ({
  ...(state.asked === request.asked ? state : nextRun(state)),
  asked: request.asked,
  behind: request.behind,
  priority: request.priority,
  maxAttempts: request.maxAttempts,
  runAt: DateTime.min(state.runAt, request.runAt)
})

/** A running job is asked for anew: what it runs with is what it was claimed with, and the next run has the new payload. */
const asked = (state: JobState, request: Asked): JobState => {
  const again = request.ifRunning === "again" ||
    request.ifRunning === "again-if-changed" && state.asked !== request.asked
  return again
    ? {
      ...state,
      again: true,
      asked: request.asked,
      behind: request.behind,
      priority: request.priority,
      maxAttempts: request.maxAttempts
    }
    : state
}

/** Whether everything was done that was asked for. */
const isDone = ({ status }: JobState): boolean => status === "succeeded" || status === "partial"

/** The job after the event, or why the event changes nothing. `now` is the database's time. */
export const transition = (
  state: JobState,
  event: JobEvent,
  now: DateTime.Utc
): Either.Either<JobState, Rejection> =>
  Match.value(event).pipe(
    Match.withReturnType<Either.Either<JobState, Rejection>>(),
    Match.tagsExhaustive({
      Claimed: ({ fence, until }) =>
        when(state.status === "pending" && DateTime.lessThanOrEqualTo(state.runAt, now), "not-ready", () => ({
          ...state,
          status: "running",
          attempts: Math.min(state.attempts + 1, state.maxAttempts),
          fence,
          again: false,
          leaseUntil: Option.some(until)
        })),
      Beat: ({ fence, until }) =>
        when(holds(state, fence), "lease-lost", () => ({ ...state, leaseUntil: Option.some(until) })),
      Persisted: ({ fence, progress }) =>
        when(holds(state, fence), "lease-lost", () => ({
          ...gotOn(state),
          progress: Option.getOrElse(progress, () => state.progress)
        })),
      StepEnded: ({ fence, name }) =>
        when(holds(state, fence), "lease-lost", () => ({ ...gotOn(state), steps: new Set([...state.steps, name]) })),
      Settled: ({ fence, outcome }) =>
        when(holds(state, fence), "lease-lost", () => settled(state, settlement(outcome), now)),
      Reclaimed: ({ dead }) =>
        when(state.status === "running" && (dead || isOver(state, now)), "held", () => reclaimed(state, now)),
      Enqueued: (request) =>
        when(Job.isOpen(state.status), "closed", () =>
          state.status === "pending" ? replaced(state, request) : asked(state, request)),
      CancelAsked: ({ fence }) =>
        when(Job.isOpen(state.status), "closed", () => ({ ...closed(state, "cancelled"), fence })),
      RetryAsked: () =>
        when(state.status !== "running", "running", () =>
          anew(isDone(state) ? nextRun(state) : state, now))
    })
  )
