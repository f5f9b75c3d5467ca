import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import type { ExitCode } from "../../../domain/failure/Consequence.js"
import type { Job } from "../../../domain/job/Job.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import * as WaitReason from "../../../domain/job/WaitReason.js"
import { enqueueCatalog, readCatalog } from "../../flows/index/IndexCatalog.js"
import type { ReadCatalog } from "../../flows/index/IndexCatalog.js"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import { count } from "../../../domain/text/count.js"
import { workOn } from "../../flows/index/IndexWorker.js"
import { watch } from "../../flows/work/Jobs.js"
import { Settings } from "../../Settings.js"
import { around } from "../surroundings.js"
import { exitCodeOfError, exitCodeOfGate } from "../Fault.js"
import * as JobView from "../JobView.js"
import { note } from "../Output.js"
import * as Phase from "../Phase.js"
import * as Progress from "../Progress.js"
import { commandResult } from "../CommandResult.js"
import { clean, paint, rough } from "../Style.js"
import type { Style } from "../Style.js"
import { withApp, withSources } from "../provideLayers.js"

interface Asked {
  readonly location: string
  readonly name: string | undefined
  readonly force: boolean
  readonly retryRefused: boolean
  readonly detach: boolean
}

interface Ended {
  readonly catalog: string
  readonly items: number
  readonly job: Job
  readonly waits: Option.Option<WaitReason.WaitReason>
  readonly around: WaitReason.Surroundings
}

const mostWarnings = 5

const warn = Effect.fnUntraced(function*(warnings: ReadonlyArray<string>) {
  yield* Effect.forEach(warnings.slice(0, mostWarnings), (warning) => note(`! ${clean(warning)}`), { discard: true })
  const more = warnings.length - mostWarnings
  if (more > 0) yield* note(`! and ${count(more)} more of the kind`)
})

const ofLastError = (job: Job): ExitCode => Option.match(job.lastError, { onNone: () => 1, onSome: exitCodeOfError })

/** What a job that is left waiting means to whoever asked for it. */
const ofWaiting = (job: Job, waits: Option.Option<WaitReason.WaitReason>): ExitCode =>
  Option.match(waits, {
    onNone: () => 6,
    onSome: WaitReason.WaitReason.$match({
      Gate: ({ reason }): ExitCode => exitCodeOfGate(reason),
      RateLimit: (): ExitCode => 6,
      Backoff: () => ofLastError(job),
      ProviderDown: () => ofLastError(job),
      NoWorkerForKind: (): ExitCode => 6,
      Scheduled: (): ExitCode => 6,
      Concurrency: (): ExitCode => 6,
      LeaseHeld: (): ExitCode => 6
    })
  })

const exitCodeOf = ({ job, waits }: Ended): ExitCode =>
  Match.value(job.status).pipe(
    Match.withReturnType<ExitCode>(),
    Match.when("succeeded", () => 0),
    Match.when("partial", () => 5),
    Match.when("failed", () => ofLastError(job)),
    Match.when("cancelled", () => 130),
    Match.when("pending", () => ofWaiting(job, waits)),
    Match.when("running", () => 1),
    Match.exhaustive
  )

const json = ({ catalog, items, job }: Pick<Ended, "catalog" | "items" | "job">) => ({
  catalog,
  job: job.id,
  status: job.status,
  ...IndexJob.countsOf(job.progress),
  items
})

/** What makes a job go on that is left waiting: it was waited for as long as that is no hardship. */
const goesOn = ({ around, waits }: Ended): string =>
  Option.match(JobView.endsWait(waits), {
    onNone: () =>
      WaitReason.nobodyWorks(around)
        ? "It goes on where a worker runs, and none does: holdfast worker"
        : "It goes on by itself: a worker runs.",
    onSome: (command) =>
      Option.exists(waits, (reason) => reason._tag === "Gate" && Option.isNone(reason.until))
        ? `Once the cause is mended: ${command}${WaitReason.nobodyWorks(around) ? ", then holdfast worker" : ""}`
        : `${
          WaitReason.nobodyWorks(around)
            ? "It goes on then where a worker runs, and none does: holdfast worker"
            : "It goes on by itself then: a worker runs"
        }. Without the wait: ${command}`
  })

/** What to do next, by how the job ended. */
const advice = (ended: Ended): string => {
  const { catalog, job } = ended
  return Match.value(job.status).pipe(
    Match.withReturnType<string>(),
    Match.when("succeeded", () => `Ask it something: holdfast search <question> --catalog ${catalog}`),
    Match.when(
      "partial",
      () => `Which items, and why: holdfast jobs show ${job.id}. Ask for them again: holdfast jobs retry ${job.id}`
    ),
    Match.when("failed", () => `What was embedded is stored. Try again: holdfast jobs retry ${job.id}`),
    Match.when("cancelled", () => "Somebody cancelled it; what was embedded is stored."),
    Match.when("pending", () => goesOn(ended)),
    Match.when("running", () => `See how it gets on: holdfast jobs show ${job.id}`),
    Match.exhaustive
  )
}

const text = (ended: Ended, took: Duration.Duration) => (style: Style): ReadonlyArray<string> => {
  const { catalog, items, job, waits } = ended
  const { embedded, refused, reused } = IndexJob.countsOf(job.progress)
  return [
    `${JobView.state(style, job, ended.around)}  ${paint(style, "strong", catalog)}: ${count(items)} items, ${
      count(embedded)
    } embedded, ${count(reused)} reused, ${count(refused)} refused, in ${rough(took)}`,
    ...Option.toArray(Option.map(waits, (reason) => `  waits for: ${WaitReason.describe(reason)}`)),
    ...(job.status === "succeeded"
      ? []
      : Option.toArray(Option.map(JobView.errorLine(job), (line) => `  ${clean(line)}`))),
    paint(style, "faint", `  ${advice(ended)}`)
  ]
}

/** Where the job is to be run by somebody else, and what that takes. */
const detached = (catalog: string, items: number, job: Job, embedded: boolean) =>
  commandResult(json({ catalog, items, job }), (style) => [
    `${paint(style, "idle", "… queued")}  ${paint(style, "strong", catalog)}: ${count(items)} items, job ${job.id}`,
    paint(
      style,
      "faint",
      embedded
        ? "  It runs as soon as a worker is started in this data directory: holdfast worker"
        : "  It runs as soon as a worker is free: holdfast worker"
    )
  ])

/** Store what was read, run its job, and tell how it ended. */
const indexed = Effect.fnUntraced(function*(asked: Asked, read: ReadCatalog, phase: Phase.Phase) {
  const { databaseUrl, maxAttempts } = yield* Settings
  const started = yield* Clock.currentTimeMillis
  yield* phase.begin(`storing ${count(read.description.operations.length)} operations`)
  const { catalog, items, job, warnings } = yield* enqueueCatalog(read, {
    force: asked.force,
    retryRefused: asked.retryRefused,
    maxAttempts
  })
  yield* phase.end
  yield* warn(warnings)
  if (asked.detach) return detached(catalog, items, yield* (yield* JobQueue).find(job.id), Option.isNone(databaseUrl))
  const ended = yield* Progress.showing(catalog, watch(job.id), workOn(job.id))
  const now = yield* around
  const told: Ended = { catalog, items, job: ended, waits: WaitReason.waitReason(ended, now), around: now }
  const took = Duration.millis((yield* Clock.currentTimeMillis) - started)
  return commandResult(json(told), text(told, took), exitCodeOf(told))
})

/** Input that is no use is refused before a database is opened or made. */
export const run = (asked: Asked) =>
  Effect.scoped(Effect.gen(function*() {
    const phase = yield* Phase.make
    yield* phase.begin(`reading ${asked.location}`)
    const read = yield* withSources(readCatalog({ location: asked.location, name: asked.name }))
    yield* phase.begin(yield* Phase.opening)
    return yield* withApp(indexed(asked, read, phase))
  }))
