import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import { count } from "../text/count.js"
import type { Job, LastError } from "./Job.js"
import * as WaitReason from "./WaitReason.js"

/** How a job of any kind stands, for every surface that shows it: the first of these that holds. */
export type JobState = Data.TaggedEnum<{
  Queued: {}
  Running: { readonly done: number; readonly total: number }
  /** The worker that was at it is gone; another one takes it over, where one runs. */
  Abandoned: { readonly workers: Option.Option<number> }
  /** It failed and is tried again. */
  Retrying: { readonly tries: number; readonly until: Option.Option<DateTime.Utc>; readonly error: LastError }
  /** It stands behind a closed gate or a cooling provider. */
  Waiting: { readonly reason: WaitReason.WaitReason }
  /** It is not to start before this time. */
  Scheduled: { readonly until: DateTime.Utc }
  Succeeded: {}
  /** Done, but for what its kind left out. */
  Partial: {}
  Failed: { readonly error: Option.Option<LastError> }
  Cancelled: {}
}>
export const JobState = Data.taggedEnum<JobState>()

/** How a job stands that no worker has. */
export type PendingState = Extract<JobState, { readonly _tag: "Queued" | "Retrying" | "Waiting" | "Scheduled" }>

/** The state of a pending job: pure and total. */
export const pendingState = (job: Job, around: WaitReason.Surroundings): PendingState => {
  const blocking = Option.filter(WaitReason.waitReason(job, around), WaitReason.isBlocking)
  if (Option.isSome(blocking)) return JobState.Waiting({ reason: blocking.value })
  const until = Option.filter(Option.some(job.runAt), DateTime.greaterThan(around.now))
  return Option.match(job.lastError, {
    onSome: (error) => JobState.Retrying({ tries: job.attempts, until, error }),
    onNone: () =>
      Option.match(until, { onSome: (time) => JobState.Scheduled({ until: time }), onNone: () => JobState.Queued() })
  })
}

/** The state of a job: pure and total. */
export const jobState = (job: Job, around: WaitReason.Surroundings): JobState =>
  Match.value(job.status).pipe(
    Match.withReturnType<JobState>(),
    Match.when("pending", () => pendingState(job, around)),
    Match.when("running", () =>
      Option.isSome(WaitReason.waitReason(job, around))
        ? JobState.Abandoned({ workers: WaitReason.living(around) })
        : JobState.Running(job.progress)),
    Match.when("succeeded", () => JobState.Succeeded()),
    Match.when("partial", () => JobState.Partial()),
    Match.when("failed", () => JobState.Failed({ error: job.lastError })),
    Match.when("cancelled", () => JobState.Cancelled()),
    Match.exhaustive
  )

/** How a state looks. `tone` may become a colour, but glyph and words tell the same. */
export interface Badge {
  readonly glyph: string
  readonly words: string
  readonly tone: "good" | "busy" | "attention" | "bad" | "idle"
}

export const badgeOf = (glyph: string, tone: Badge["tone"], words: string): Badge => ({ glyph, words, tone })

/** The state in a glyph and a few words. */
export const badge = (state: JobState): Badge =>
  Match.value(state).pipe(
    Match.withReturnType<Badge>(),
    Match.tagsExhaustive({
      Queued: () => badgeOf("…", "idle", "queued"),
      Running: ({ done, total }) =>
        badgeOf("▶", "busy", total === 0 ? "running" : `running ${count(done)}/${count(total)}`),
      Abandoned: ({ workers }) =>
        badgeOf("⏸", "attention", `stopped: its worker is gone${Option.contains(workers, 0) ? ", and none runs" : ""}`),
      Retrying: ({ tries, until }) =>
        badgeOf(
          "↻",
          "attention",
          `retrying (${tries} ${tries === 1 ? "try" : "tries"})${
            Option.match(until, { onNone: () => "", onSome: (time) => `, next at ${WaitReason.written(time)}` })
          }`
        ),
      Waiting: ({ reason }) => badgeOf("⏸", "attention", `waiting (${WaitReason.describe(reason)})`),
      Scheduled: ({ until }) => badgeOf("…", "idle", `scheduled for ${WaitReason.written(until)}`),
      Succeeded: () => badgeOf("✓", "good", "succeeded"),
      Partial: () => badgeOf("!", "attention", "partial"),
      Failed: () => badgeOf("✗", "bad", "failed"),
      Cancelled: () => badgeOf("○", "idle", "cancelled")
    })
  )
