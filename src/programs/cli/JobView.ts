import * as Array from "effect/Array"
import type * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { done } from "../../domain/job/Job.js"
import type { Job, JobStatus } from "../../domain/job/Job.js"
import * as WaitReason from "../../domain/job/WaitReason.js"
import { count, paint } from "./Style.js"
import type { Style } from "./Style.js"

const looks: { readonly [K in JobStatus]: readonly [string, "good" | "busy" | "attention" | "bad" | "idle"] } = {
  pending: ["…", "idle"],
  running: ["▶", "busy"],
  succeeded: ["✓", "good"],
  partial: ["!", "attention"],
  failed: ["✗", "bad"],
  cancelled: ["○", "idle"]
}

/** A job's state in a glyph and a word; `waiting` where it is pending behind something, `stopped` where its worker is gone. */
export const status = (style: Style, { status: stored }: Job, waits: Option.Option<WaitReason.WaitReason>): string => {
  if (Option.exists(waits, ({ _tag }) => _tag === "Gate" || _tag === "RateLimit")) {
    return paint(style, "attention", "⏸ waiting")
  }
  if (Option.exists(waits, ({ _tag }) => _tag === "LeaseHeld")) return paint(style, "attention", "⏸ stopped")
  const [glyph, tone] = looks[stored]
  return paint(style, tone, `${glyph} ${stored}`)
}

/** The command that ends the wait, where time and workers alone do not, or not soon. */
export const endsWait = (waits: Option.Option<WaitReason.WaitReason>): Option.Option<string> =>
  Option.flatMap(waits, (reason) =>
    reason._tag === "Gate"
      ? Option.some(`holdfast gates open ${reason.name}`)
      : reason._tag === "RateLimit"
      ? Option.some(`holdfast gates open ${reason.provider}`)
      : Option.none())

/** What somebody has to do so that a waiting job goes on; none where time and the workers that run do it alone. */
export const moves = (
  waits: Option.Option<WaitReason.WaitReason>,
  around: WaitReason.Surroundings
): Option.Option<string> =>
  Option.flatMap(waits, (reason) =>
    reason._tag === "Gate" && Option.isNone(reason.until)
      ? endsWait(waits)
      : WaitReason.nobodyWorks(around)
      ? Option.some("holdfast worker")
      : Option.none())

export const progress = ({ progress: made }: Job): string =>
  made.items === 0 ? "-" : `${count(done(made))}/${count(made.items)}`

const at = (time: DateTime.Utc): string => WaitReason.written(time)

const atOrNull = (time: Option.Option<DateTime.Utc>): string | null => Option.getOrNull(Option.map(time, at))

/** Why a job waits, for JSON: the words, and since and until when where that is known. */
const waiting = (reason: WaitReason.WaitReason) => ({
  reason: reason._tag === "Gate" ? reason.reason : reason._tag,
  since: "since" in reason ? at(reason.since) : null,
  until: "until" in reason ? (Option.isOption(reason.until) ? atOrNull(reason.until) : at(reason.until)) : null,
  message: WaitReason.describe(reason)
})

/** A job as JSON: what `jobs list` and `jobs show` give. */
export const json = (job: Job, waits: Option.Option<WaitReason.WaitReason>) => ({
  id: job.id,
  kind: job.source.kind,
  source: job.source.id,
  status: job.status,
  provider: job.provider,
  attempts: job.attempts,
  maxAttempts: job.maxAttempts,
  crashes: job.crashes,
  items: job.progress.items,
  done: done(job.progress),
  embedded: job.progress.embedded,
  reused: job.progress.reused,
  refused: job.progress.refused,
  waiting: Option.getOrNull(Option.map(waits, waiting)),
  lease: Option.getOrNull(
    Option.map(job.lease, ({ expiresAt, fence, worker }) => ({ worker, fence, expiresAt: at(expiresAt) }))
  ),
  lastError: lastError(job),
  forced: Option.isSome(job.forcedAt),
  runAt: at(job.runAt),
  createdAt: at(job.createdAt),
  startedAt: atOrNull(job.startedAt),
  progressAt: atOrNull(job.progressAt),
  finishedAt: atOrNull(job.finishedAt)
})

export const lastError = (job: Job) =>
  Option.getOrNull(
    Option.map(job.lastError, ({ at: when, detail, message, tag }) => ({ tag, message, detail, at: at(when) }))
  )

/** A job's last error in one line. */
export const errorLine = (job: Job): Option.Option<string> =>
  Option.map(
    job.lastError,
    ({ detail, message, tag }) =>
      Array.filter([`${tag}: ${message}`, detail === "" || message.includes(detail) ? "" : `(${detail})`], (part) =>
        part !== "").join(" ")
  )
