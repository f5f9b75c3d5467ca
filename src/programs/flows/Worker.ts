import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { Embedder } from "../../domain/embedding/Embedder.js"
import { IndexStore } from "../../domain/embedding/IndexStore.js"
import { isOpen } from "../../domain/job/Job.js"
import type { Job, JobId } from "../../domain/job/Job.js"
import { JobQueue } from "../../domain/job/JobQueue.js"
import { holds } from "../../domain/session/Gate.js"
import { Gates } from "../../domain/session/Gates.js"
import type { Runner } from "./Bench.js"
import * as Paced from "./Paced.js"
import { upkeep } from "./Reconcile.js"
import { runJob } from "./RunJob.js"
import { WorkSettings, workWith } from "./Work.js"

/** A foreground program waits for a delay up to this long; past it, it says so and leaves the job queued. */
const patience = Duration.minutes(1)

/** How long a dimension that was found counts (milliseconds): small jobs come by the hundreds, and all ask for it. */
const dimensionCounts = 1000

/** Asks the store for the dimension of a model's vectors, unless it answered a moment ago. That there is none is asked each time. */
const dimensionOf = Effect.fnUntraced(function*(model: string) {
  const store = yield* IndexStore
  const last = yield* Ref.make({ at: Number.NEGATIVE_INFINITY, dimension: 0 })
  return Effect.gen(function*() {
    const at = yield* Clock.currentTimeMillis
    const known = yield* Ref.get(last)
    if (at - known.at < dimensionCounts) return known.dimension
    const dimension = yield* store.dimensionOf(model)
    if (dimension !== null) yield* Ref.set(last, { at, dimension })
    return dimension
  })
})

const indexing = Effect.gen(function*() {
  const { batchSize, stallAfter } = yield* WorkSettings
  const { concurrency, model, provider } = yield* Embedder
  const calls = yield* Paced.make(provider, concurrency)
  const dimension = yield* dimensionOf(model)
  const run = (...[held, stop]: Parameters<Runner<never>>) =>
    runJob(held, { batchSize, stallAfter, stop, calls, dimension }).pipe(
      Effect.annotateLogs({ job: held.job.id, fence: held.fence })
    )
  return run
})

/** Ends when the job has had its turn and another one is ready that nobody takes. */
const turnIsOver = Effect.gen(function*() {
  const queue = yield* JobQueue
  const { turn } = yield* WorkSettings
  const isWaiting = Effect.orElseSucceed(
    Effect.map(queue.nextReadyIn, Option.exists((wait) => Duration.toMillis(wait) === 0)),
    () => false
  )
  yield* Effect.repeat(Effect.delay(isWaiting, turn), { until: (waiting) => waiting })
})

/** A job gives way after its turn, so that one huge catalog does not keep the small ones waiting. It goes on behind them. */
const inTurns = <R>(run: Runner<R>) => (...[held, stop]: Parameters<Runner<never>>) =>
  Effect.scoped(Effect.gen(function*() {
    const halt = yield* Deferred.make<void>()
    const over = Effect.raceFirst(Deferred.await(stop), turnIsOver)
    yield* Effect.forkScoped(Effect.zipRight(over, Deferred.succeed(halt, undefined)))
    return yield* run(held, halt)
  }))

/** Claim and run index jobs until interrupted. Beside it, sources that lost their vectors are found and history is pruned. */
export const work = Effect.flatMap(
  indexing,
  (run) => Effect.zipRight(Effect.forkScoped(upkeep), workWith(inTurns(run)))
).pipe(
  Effect.scoped,
  Effect.withSpan("Worker.work")
)

/** Whether a job that does not run now will not run soon: it stands behind a gate, or a long delay. */
const isPutOff = Effect.fnUntraced(function*(job: Job) {
  const gates = yield* Gates
  const now = yield* DateTime.now
  const soon = DateTime.addDuration(now, patience)
  const closed = yield* gates.closed
  const cooling = yield* gates.cooling
  return closed.some((gate) => holds(gate, job.provider)) ||
    cooling.some(({ provider, until }) => provider === job.provider && DateTime.greaterThan(until, soon)) ||
    DateTime.greaterThan(job.runAt, soon)
})

/**
 * Run one job, or wait while another worker runs it, until it is closed. Ends early, with the job still pending, where it
 * would wait longer than a minute: behind a closed gate, a cooldown or a backoff.
 */
export const workOn = Effect.fn("Worker.workOn")(function*(id: JobId) {
  const queue = yield* JobQueue
  const run = yield* indexing
  yield* workWith(run, {
    id,
    done: Effect.fnUntraced(function*(running: number) {
      const job = yield* queue.find(id)
      if (!isOpen(job.status)) return true
      return running === 0 && job.status === "pending" && (yield* isPutOff(job))
    }, Effect.catchTag("JobNotFound", () => Effect.succeed(true)))
  })
  return yield* queue.find(id)
})

/** The job each time it is looked at, until it is closed. */
export const follow = (id: JobId) =>
  Stream.repeatEffect(Effect.delay(Effect.flatMap(JobQueue, (queue) => queue.find(id)), "200 millis")).pipe(
    Stream.takeUntil((job) => !isOpen(job.status))
  )
