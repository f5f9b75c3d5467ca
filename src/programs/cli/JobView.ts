import * as Array from "effect/Array"
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as IndexJob from "../../domain/index/IndexJob.js"
import type { Job } from "../../domain/job/Job.js"
import * as JobState from "../../domain/job/JobState.js"
import type { Step } from "../../domain/job/Step.js"
import * as WaitReason from "../../domain/job/WaitReason.js"
import * as Storable from "../../domain/text/Storable.js"
import { count } from "../../domain/text/count.js"
import * as Style from "./Style.js"

/** A job's state in a glyph and words. */
export const state = (style: Style.Style, job: Job, around: WaitReason.Surroundings): string =>
  Style.badge(style, JobState.badge(JobState.jobState(job, around)))

/** The command that ends the wait, where time and workers alone do not, or not soon. */
export const endsWait = (waits: Option.Option<WaitReason.WaitReason>): Option.Option<string> =>
  Option.flatMap(waits, (reason) =>
    reason._tag === "Gate"
      ? Option.some(`holdfast gates open ${reason.name}`)
      : reason._tag === "RateLimit"
      ? Option.some(`holdfast gates open ${reason.provider}`)
      : Option.none())

/** The command that starts a worker for jobs of these kinds; none where all of them are kinds of a service's own. */
export const startsWorker = (kinds: Iterable<string>): Option.Option<string> =>
  Array.contains([...kinds], IndexJob.kind) ? Option.some("holdfast worker") : Option.none()

/** Who runs jobs of a kind, as the end of a sentence. */
export const whoRuns = (kind: string): string =>
  Option.match(startsWorker([kind]), {
    onNone: () => `a worker of the service that has the kind ${Style.clean(kind)}`,
    onSome: (command) => `a worker: ${command}`
  })

/** What somebody has to do so that a waiting job goes on; none where time and the workers that run do it alone. */
export const moves = (job: Job, around: WaitReason.Surroundings): Option.Option<string> => {
  const waits = WaitReason.waitReason(job, around)
  return Option.flatMap(waits, (reason) =>
    reason._tag === "Gate" && Option.isNone(reason.until)
      ? endsWait(waits)
      : WaitReason.nobodyWorks(around)
      ? startsWorker([job.kind])
      : Option.none())
}

export const progress = ({ progress: { done, total } }: Job): string =>
  total === 0 ? "-" : `${count(done)}/${count(total)}`

/** What the kind counts beside it. */
export const detail = ({ progress }: Job): Option.Option<string> =>
  Option.map(
    Option.liftPredicate(Object.entries(progress.detail), (entries) => entries.length > 0),
    (entries) => entries.map(([name, value]) => `${count(value)} ${Style.clean(name)}`).join(", ")
  )

/** JSON in one line, as far as it helps to tell one from another. */
export const summary = (value: unknown): Option.Option<string> =>
  value === null || value === undefined
    ? Option.none()
    : Option.some(Storable.cut(Style.clean(JSON.stringify(value)), 200))

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
export const json = (job: Job, around: WaitReason.Surroundings) => ({
  id: job.id,
  kind: job.kind,
  key: job.key,
  status: job.status,
  state: JobState.jobState(job, around)._tag,
  provider: job.provider,
  session: job.session,
  priority: job.priority,
  run: job.run,
  attempts: job.attempts,
  maxAttempts: job.maxAttempts,
  crashes: job.crashes,
  done: job.progress.done,
  total: job.progress.total,
  detail: job.progress.detail,
  waiting: Option.getOrNull(Option.map(WaitReason.waitReason(job, around), waiting)),
  lease: Option.getOrNull(
    Option.map(job.lease, ({ expiresAt, fence, worker }) => ({ worker, fence, expiresAt: at(expiresAt) }))
  ),
  lastError: lastError(job),
  runAt: at(job.runAt),
  createdAt: at(job.createdAt),
  startedAt: atOrNull(job.startedAt),
  progressAt: atOrNull(job.progressAt),
  finishedAt: atOrNull(job.finishedAt)
})

/** How long a step took. */
export const took = ({ finishedAt, startedAt }: Step): Duration.Duration =>
  Duration.millis(Math.max(0, finishedAt.epochMillis - startedAt.epochMillis))

/** A finished step as JSON. */
export const stepJson = (step: Step) => ({
  name: step.name,
  attempt: step.attempt,
  startedAt: at(step.startedAt),
  finishedAt: at(step.finishedAt),
  millis: Duration.toMillis(took(step)),
  bytes: step.bytes
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
