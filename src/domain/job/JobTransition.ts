import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import type { Fence } from "../lease/Lease.js"
import * as Job from "./Job.js"
import type { Outcome } from "./Outcome.js"

/**
 * The state machine of a job.
 *
 *     enqueue ──▶ pending ──claim──▶ running ──settle──▶ succeeded | partial | failed | cancelled
 *                    ▲                  │                                 │
 *                    └── retried, cooled, parked, released, edited, ──────┘ a person's retry
 *                        or its worker died
 *
 * What holds at all times:
 * - Only the newest claim's fence may beat, persist or settle; whatever carries another changes nothing.
 * - `attempts` never exceeds `maxAttempts`. The provider's and the worker's trouble is given back, a person's retry starts anew.
 * - `crashes` counts claims in a row that ended without a word; progress or a settlement forgives them.
 * - A request to run again that arrives while the job runs (`again`) is never lost, unless the job is cancelled.
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
  /** The source's revision that the job was asked for with. */
  readonly revision: Option.Option<string>
  /** Asked for anew while running: an edit, or a forced run. */
  readonly again: boolean
  readonly forced: boolean
  readonly progress: Job.Progress
  /** Waits named by the provider since the last progress, added up. */
  readonly cooled: Duration.Duration
  /** The tag of the last error. */
  readonly lastError: Option.Option<string>
}

/** What happens to a job. `revision` is the source's at that moment, none where the source is gone. */
export type JobEvent = Data.TaggedEnum<{
  Claimed: { readonly fence: Fence; readonly until: DateTime.Utc }
  Beat: { readonly fence: Fence; readonly until: DateTime.Utc }
  Persisted: { readonly fence: Fence; readonly progress: Job.Progress }
  Settled: { readonly fence: Fence; readonly outcome: Outcome; readonly revision: Option.Option<string> }
  /** Somebody looks whether the holder is gone: its lease is over, or its process is known to be `dead`. */
  Reclaimed: { readonly dead: boolean }
  Enqueued: { readonly revision: Option.Option<string>; readonly force: boolean }
  CancelAsked: { readonly fence: Fence }
  RetryAsked: {}
  SourceDeleted: { readonly fence: Fence }
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
  /** The job is history; an enqueue makes a new one. */
  | "closed"
  /** The job runs already. */
  | "running"

/** What an outcome makes of its job: where it goes, and who pays. */
export interface Settlement {
  readonly to: "completed" | "pending" | "failed" | "cancelled"
  /** The attempt is given back. A pending job that is not refunded fails where its attempts are spent. */
  readonly refund: boolean
  readonly delay: Duration.Duration
  /** The delay is one that the provider named: it adds up until there is progress. */
  readonly cooling: boolean
  readonly error: Option.Option<Job.NewError>
}

const plain = (to: Settlement["to"]): Settlement => ({
  to,
  refund: false,
  delay: Duration.zero,
  cooling: false,
  error: Option.none()
})

const stalled = (after: Duration.Duration): Option.Option<Job.NewError> =>
  Option.some({
    tag: "stalled",
    message: `The job made no progress for ${Duration.format(after)}, so the attempt was ended.`,
    detail: ""
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
    Completed: () => plain("completed"),
    Retried: ({ delay, error }) => ({ ...plain("pending"), error: Option.some(error), delay }),
    Cooled: ({ delay, error, refunded }) => ({
      ...plain("pending"),
      error: Option.some(error),
      delay,
      refund: refunded,
      cooling: refunded
    }),
    Parked: ({ error }) => ({ ...plain("pending"), error: Option.some(error), refund: true }),
    Halted: ({ error }) => ({ ...plain("failed"), error: Option.some(error) }),
    Released: () => ({ ...plain("pending"), refund: true }),
    Cancelled: () => plain("cancelled"),
    Stalled: ({ after }) => ({ ...plain("pending"), error: stalled(after) })
  })
)

/** A job as it is first stored. */
export const fresh = (
  { fence, force, maxAttempts, revision }: Pick<JobState, "fence" | "maxAttempts" | "revision"> & {
    readonly force: boolean
  },
  now: DateTime.Utc
): JobState => ({
  status: "pending",
  attempts: 0,
  maxAttempts,
  crashes: 0,
  fence,
  runAt: now,
  leaseUntil: Option.none(),
  revision,
  again: false,
  forced: force,
  progress: Job.noProgress,
  cooled: Duration.zero,
  lastError: Option.none()
})

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

/** A failed job that was asked for anew meanwhile runs again: what failed was the older source. */
const failed = (state: JobState, now: DateTime.Utc): JobState =>
  state.again ? anew(state, now) : closed(state, "failed")

const waiting = (state: JobState, attempts: number, runAt: DateTime.Utc): JobState => ({
  ...state,
  status: "pending",
  attempts,
  runAt,
  leaseUntil: Option.none(),
  again: false
})

const completed = (state: JobState, revision: Option.Option<string>, now: DateTime.Utc): JobState =>
  Option.match(revision, {
    onNone: () => closed(state, "cancelled"),
    onSome: (current) =>
      state.again || !Option.contains(state.revision, current)
        ? { ...anew(state, now), revision: state.again ? state.revision : revision, lastError: Option.none() }
        : { ...closed(state, state.progress.refused > 0 ? "partial" : "succeeded"), lastError: Option.none() }
  })

const settled = (
  state: JobState,
  end: Settlement,
  revision: Option.Option<string>,
  now: DateTime.Utc
): JobState => {
  const heard = {
    ...state,
    crashes: 0,
    cooled: end.cooling ? Duration.sum(state.cooled, end.delay) : state.cooled,
    lastError: Option.orElse(Option.map(end.error, (error) => error.tag), () => state.lastError)
  }
  return Match.value(end.to).pipe(
    Match.withReturnType<JobState>(),
    Match.when("completed", () => completed(heard, revision, now)),
    Match.when("failed", () => failed(heard, now)),
    Match.when("cancelled", () => closed(heard, "cancelled")),
    Match.when("pending", () =>
      end.refund
        ? waiting(heard, Math.max(0, heard.attempts - 1), DateTime.addDuration(now, end.delay))
        : heard.attempts >= heard.maxAttempts
        ? failed(heard, now)
        : waiting(heard, heard.attempts, DateTime.addDuration(now, end.delay))),
    Match.exhaustive
  )
}

/** The holder is gone: the attempt stays spent, and one crash too many ends the job. */
const reclaimed = (state: JobState, now: DateTime.Utc): JobState => {
  const crashes = state.crashes + 1
  return crashes >= state.maxAttempts
    ? failed({ ...state, crashes, lastError: Option.some("crashed") }, now)
    : { ...waiting(state, state.attempts, now), crashes }
}

const holds = (state: JobState, fence: Fence): boolean => state.status === "running" && state.fence === fence

const isOver = (state: JobState, now: DateTime.Utc): boolean =>
  Option.exists(state.leaseUntil, (until) => DateTime.lessThanOrEqualTo(until, now))

const when = (holds: boolean, rejection: Rejection, next: () => JobState): Either.Either<JobState, Rejection> =>
  holds ? Either.right(next()) : Either.left(rejection)

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
          ...state,
          progress,
          attempts: Math.max(1, state.attempts - state.crashes),
          crashes: 0,
          cooled: Duration.zero
        })),
      Settled: ({ fence, outcome, revision }) =>
        when(holds(state, fence), "lease-lost", () => settled(state, settlement(outcome), revision, now)),
      Reclaimed: ({ dead }) =>
        when(state.status === "running" && (dead || isOver(state, now)), "held", () => reclaimed(state, now)),
      Enqueued: ({ force, revision }) =>
        when(Job.isOpen(state.status), "closed", () => ({
          ...state,
          forced: state.forced || force,
          revision,
          ...(state.status === "pending"
            ? { runAt: DateTime.min(state.runAt, now) }
            : { again: state.again || force || !sameRevision(state.revision, revision) })
        })),
      CancelAsked: ({ fence }) =>
        when(Job.isOpen(state.status), "closed", () => ({ ...closed(state, "cancelled"), fence })),
      RetryAsked: () => when(state.status !== "running", "running", () => anew(state, now)),
      SourceDeleted: ({ fence }) =>
        when(Job.isOpen(state.status), "closed", () => ({ ...closed(state, "cancelled"), fence }))
    })
  )

const sameRevision = Option.getEquivalence<string>((a, b) => a === b)
