import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { IndexStore } from "../../../domain/index/IndexStore.js"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import { leftOutMessage } from "../../../domain/failure/UserMessage.js"
import { JobId } from "../../../domain/job/Job.js"
import type { Job } from "../../../domain/job/Job.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import type { Step } from "../../../domain/job/Step.js"
import * as WaitReason from "../../../domain/job/WaitReason.js"
import { count } from "../../../domain/text/count.js"
import { around } from "../surroundings.js"
import * as JobView from "../JobView.js"
import { commandResult } from "../CommandResult.js"
import * as Style from "../Style.js"
import { withStores } from "../provideLayers.js"

/** Refused items that are shown at once. */
const mostRefused = 1000

type Row = readonly [string, string]

const row = <A>(name: string, value: Option.Option<A>, show: (value: A) => string): ReadonlyArray<Row> =>
  Option.toArray(Option.map(value, (found): Row => [name, show(found)]))

/** Steps that are shown at once: the last of more would say little. */
const mostSteps = 1000

const rows = (style: Style.Style, job: Job, around: WaitReason.Surroundings): ReadonlyArray<Row> => [
  ["job", String(job.id)],
  ["kind", job.kind],
  ["key", Style.clean(job.key)],
  ["state", JobView.state(style, job, around)],
  ...row("waits for", WaitReason.waitReason(job, around), WaitReason.describe),
  ...row("provider", Option.fromNullable(job.provider), Style.clean),
  ...row("session", Option.fromNullable(job.session), Style.clean),
  ...(job.priority === 0 ? [] : [["priority", String(job.priority)] as const]),
  ...row("payload", JobView.summary(job.payload), (text) => text),
  ...row("output", JobView.summary(job.output), (text) => text),
  ...(job.progress.total === 0 ? [] : [["done", JobView.progress(job)] as const]),
  ...row("of that", JobView.detail(job), (text) => text),
  ["attempts", `${job.attempts} of ${job.maxAttempts}${job.crashes > 0 ? `, worker died ${job.crashes} times` : ""}`],
  ...row(
    "lease",
    job.lease,
    ({ expiresAt, fence, worker }) => `${worker} until ${Style.time(expiresAt)} (fence ${fence})`
  ),
  ...row("last error", JobView.errorLine(job), Style.clean),
  ...row("error at", Option.map(job.lastError, ({ at }) => at), Style.time),
  ["created", Style.time(job.createdAt)],
  ...row("started", job.startedAt, Style.time),
  ...row("progress", job.progressAt, Style.time),
  ...row("finished", job.finishedAt, Style.time)
]

/** What an index job left out, and why. */
const leftOut = Effect.fnUntraced(function*(job: Job) {
  const source = IndexJob.sourceOf(job)
  if (Option.isNone(source) || IndexJob.countsOf(job.progress).refused === 0) return []
  const refused = yield* (yield* IndexStore).refusals(source.value, mostRefused)
  return refused.map(({ failure, item }) => ({
    item,
    tag: failure._tag,
    reason: leftOutMessage(failure),
    detail: failure.detail
  }))
})

type LeftOut = Effect.Effect.Success<ReturnType<typeof leftOut>>

const stepLines = (style: Style.Style, steps: ReadonlyArray<Step>): ReadonlyArray<string> =>
  steps.length === 0 ? [] : [
    "",
    "Finished steps:",
    ...Style.table(
      style,
      ["step", "took", "attempt", "ended", "bytes"],
      steps.map((step) => [
        Style.clean(step.name),
        Duration.format(JobView.took(step)),
        String(step.attempt),
        Style.time(step.finishedAt),
        count(step.bytes)
      ]),
      [0]
    )
  ]

const refusedLines = (style: Style.Style, job: Job, reasons: LeftOut): ReadonlyArray<string> =>
  reasons.length === 0 ? [] : [
    "",
    "Left out:",
    ...reasons.map(({ detail, item, reason, tag }) =>
      `  ${Style.paint(style, "strong", Style.clean(item))}  ${tag}: ${reason}${
        detail === "" ? "" : ` (${Style.clean(detail)})`
      }`
    ),
    Style.paint(style, "faint", `Ask for them again: holdfast jobs retry ${job.id}`)
  ]

export const run = ({ job: id }: { readonly job: number }) =>
  withStores(Effect.gen(function*() {
    const queue = yield* JobQueue
    const job = yield* queue.find(JobId.make(id))
    const now = yield* around
    const steps = yield* queue.steps(job.id, mostSteps)
    const next = job.status === "failed"
      ? Option.some(`Once the cause is mended: holdfast jobs retry ${job.id}`)
      : Option.map(JobView.moves(job, now), (command) => `What makes it go on: ${command}`)
    const refused = yield* leftOut(job)
    return commandResult({
      job: { ...JobView.json(job, now), payload: job.payload, output: job.output },
      steps: steps.map(JobView.stepJson),
      refused
    }, (style) => [
      ...Style.prose(style, rows(style, job, now).map(([name, value]) => [Style.paint(style, "faint", name), value])),
      ...stepLines(style, steps),
      ...refusedLines(style, job, refused),
      ...Option.toArray(Option.map(next, (line) => Style.paint(style, "faint", line)))
    ])
  }))
