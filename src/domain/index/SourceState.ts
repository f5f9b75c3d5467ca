import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import type { Job, LastError } from "../job/Job.js"
import * as JobState from "../job/JobState.js"
import type { Badge } from "../job/JobState.js"
import * as WaitReason from "../job/WaitReason.js"
import { count } from "../text/count.js"

/**
 * How a source stands, for every surface that shows it: the first of these that holds.
 *
 * An open or failed job goes before the stored vectors: a source whose old vectors serve while its new ones cannot be made
 * is no source that is done. What only a person can mend (a closed gate) goes before the back-off of an earlier try.
 */
export type SourceState = Data.TaggedEnum<{
  /** Every item has its vectors, and nothing is left to do. */
  Indexed: { readonly indexed: number; readonly items: number }
  /** A worker is at it. */
  Indexing: { readonly done: number; readonly items: number }
  /** The worker that was at it is gone; another one takes it over, where one runs (`workers`, none where that is not known). */
  Abandoned: { readonly done: number; readonly items: number; readonly workers: Option.Option<number> }
  /** It failed and is tried again. */
  Retrying: { readonly tries: number; readonly until: Option.Option<DateTime.Utc>; readonly error: LastError }
  /** It stands behind a closed gate or a cooling provider. */
  Waiting: { readonly reason: WaitReason.WaitReason }
  Queued: {}
  /** Its newest job gave up; a person may retry it. */
  Failed: { readonly error: Option.Option<LastError> }
  /** Some items were refused, the others are indexed. */
  Refused: { readonly refused: number; readonly items: number }
  /** It has no items. */
  Empty: {}
  NotIndexed: { readonly indexed: number; readonly items: number }
}>
export const SourceState = Data.taggedEnum<SourceState>()

/** What the rule needs to know of a source: its items, how many have their vectors, how many were refused, its newest job. */
export interface Source {
  readonly items: number
  readonly indexed: number
  readonly refused: number
  readonly job: Option.Option<Job>
}

/** How a source stands whose job is pending: as any job does, but one that is to start later counts as queued. */
const pending = (job: Job, around: WaitReason.Surroundings): SourceState => {
  const state = JobState.pendingState(job, around)
  return state._tag === "Scheduled" ? SourceState.Queued() : state
}

const running = (job: Job, items: number, around: WaitReason.Surroundings): SourceState => {
  const { done, total } = job.progress
  const made = { done, items: total === 0 ? items : total }
  return Option.match(WaitReason.waitReason(job, around), {
    onNone: () => SourceState.Indexing(made),
    onSome: () => SourceState.Abandoned({ ...made, workers: WaitReason.living(around) })
  })
}

/** What stands in the store, where no job is open and none failed. */
const settled = ({ indexed, items, refused }: Source): SourceState =>
  items === 0
    ? SourceState.Empty()
    : indexed >= items
    ? SourceState.Indexed({ indexed, items })
    : refused > 0
    ? SourceState.Refused({ refused, items })
    : SourceState.NotIndexed({ indexed, items })

/** The state of a source: pure and total. */
export const sourceState = (source: Source, around: WaitReason.Surroundings): SourceState =>
  Option.match(source.job, {
    onNone: () => settled(source),
    onSome: (job) =>
      Match.value(job.status).pipe(
        Match.withReturnType<SourceState>(),
        Match.when("running", () => running(job, source.items, around)),
        Match.when("pending", () => pending(job, around)),
        Match.when("failed", () => SourceState.Failed({ error: job.lastError })),
        Match.when("succeeded", () => settled(source)),
        Match.when("partial", () => settled(source)),
        Match.when("cancelled", () => settled(source)),
        Match.exhaustive
      )
  })

/** The state in a glyph and a few words. */
export const badge = (state: SourceState): Badge =>
  Match.value(state).pipe(
    Match.withReturnType<Badge>(),
    Match.tagsExhaustive({
      Indexed: ({ indexed, items }) => JobState.badgeOf("✓", "good", `indexed ${count(indexed)}/${count(items)}`),
      Indexing: ({ done, items }) => JobState.badgeOf("▶", "busy", `indexing ${count(done)}/${count(items)}`),
      Abandoned: ({ done, items, workers }) =>
        JobState.badgeOf(
          "⏸",
          "attention",
          `stopped at ${count(done)}/${count(items)}: its worker is gone, ${
            Option.contains(workers, 0) ? "and none runs" : "another takes over"
          }`
        ),
      Retrying: JobState.badge,
      Waiting: JobState.badge,
      Queued: JobState.badge,
      Failed: JobState.badge,
      Refused: ({ items, refused }) =>
        JobState.badgeOf("!", "attention", `${count(refused)} refused of ${count(items)}`),
      Empty: () => JobState.badgeOf("∅", "idle", "empty"),
      NotIndexed: ({ indexed, items }) =>
        JobState.badgeOf("○", "idle", indexed === 0 ? "not indexed" : `not indexed ${count(indexed)}/${count(items)}`)
    })
  )
