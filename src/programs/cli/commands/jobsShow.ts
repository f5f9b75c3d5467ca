import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { IndexStore } from "../../../domain/index/IndexStore.js"
import { leftOutMessage } from "../../../domain/failure/UserMessage.js"
import { JobId } from "../../../domain/job/Job.js"
import type { Job } from "../../../domain/job/Job.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import * as WaitReason from "../../../domain/job/WaitReason.js"
import { around } from "../around.js"
import * as JobView from "../JobView.js"
import { report } from "../Report.js"
import * as Style from "../Style.js"
import { withStores } from "../wired.js"

/** Refused items that are shown at once. */
const mostRefused = 1000

type Row = readonly [string, string]

const row = <A>(name: string, value: Option.Option<A>, show: (value: A) => string): ReadonlyArray<Row> =>
  Option.toArray(Option.map(value, (found): Row => [name, show(found)]))

const rows = (style: Style.Style, job: Job, waits: Option.Option<WaitReason.WaitReason>): ReadonlyArray<Row> => [
  ["job", String(job.id)],
  ["source", `${job.source.kind} ${job.source.id}`],
  ["state", JobView.status(style, job, waits)],
  ...row("waits for", waits, WaitReason.describe),
  ["provider", job.provider],
  ["done", JobView.progress(job)],
  [
    "items",
    `${Style.count(job.progress.embedded)} embedded, ${Style.count(job.progress.reused)} reused, ${
      Style.count(job.progress.refused)
    } refused`
  ],
  ["attempts", `${job.attempts} of ${job.maxAttempts}${job.crashes > 0 ? `, worker died ${job.crashes} times` : ""}`],
  ...row(
    "lease",
    job.lease,
    ({ expiresAt, fence, worker }) => `${worker} until ${Style.time(expiresAt)} (fence ${fence})`
  ),
  ...row("last error", JobView.errorLine(job), Style.clean),
  ...row("error at", Option.map(job.lastError, ({ at }) => at), Style.time),
  ...(Option.isSome(job.forcedAt)
    ? [["forced", `everything anew since ${Style.time(job.forcedAt.value)}`] as const]
    : []),
  ["created", Style.time(job.createdAt)],
  ...row("started", job.startedAt, Style.time),
  ...row("progress", job.progressAt, Style.time),
  ...row("finished", job.finishedAt, Style.time)
]

export const run = ({ job: id }: { readonly job: number }) =>
  withStores(Effect.gen(function*() {
    const queue = yield* JobQueue
    const job = yield* queue.find(JobId.make(id))
    const now = yield* around
    const waits = WaitReason.waitReason(job, now)
    const next = job.status === "failed"
      ? Option.some(`Once the cause is mended: holdfast jobs retry ${job.id}`)
      : Option.map(JobView.moves(waits, now), (command) => `What makes it go on: ${command}`)
    const index = yield* IndexStore
    const refused = job.progress.refused > 0 ? yield* index.refusals(job.source, mostRefused) : []
    const reasons = refused.map(({ failure, item }) => ({
      item,
      tag: failure._tag,
      reason: leftOutMessage(failure),
      detail: failure.detail
    }))
    return report({ job: JobView.json(job, waits), refused: reasons }, (style) => [
      ...Style.prose(style, rows(style, job, waits).map(([name, value]) => [Style.paint(style, "faint", name), value])),
      ...(reasons.length === 0 ? [] : ["", "Left out:"]),
      ...reasons.map(({ detail, item, reason, tag }) =>
        `  ${Style.paint(style, "strong", Style.clean(item))}  ${tag}: ${reason}${
          detail === "" ? "" : ` (${Style.clean(detail)})`
        }`
      ),
      ...(reasons.length === 0
        ? []
        : [Style.paint(style, "faint", `Ask for them again: holdfast jobs retry ${job.id}`)]),
      ...Option.toArray(Option.map(next, (line) => Style.paint(style, "faint", line)))
    ])
  }))
