import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Embedder } from "../../../domain/index/Embedder.js"
import type { EmbedderMismatch } from "../../../domain/index/EmbedderUse.js"
import { isOpen } from "../../../domain/job/Job.js"
import type { Job, JobId } from "../../../domain/job/Job.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import { Outcome } from "../../../domain/job/Outcome.js"
import { holds } from "../../../domain/session/Gate.js"
import { Gates } from "../../../domain/session/Gates.js"
import { isPassing } from "../../../domain/store/StoreFailure.js"
import * as Admission from "./Admission.js"
import * as KnownModel from "./KnownModel.js"
import * as Paced from "../work/Paced.js"
import { upkeep } from "./Reconcile.js"
import { Attempt, runJob } from "./IndexJob.js"
import type { Runner } from "../work/RunningJobs.js"
import { WorkSettings, workWith } from "../work/WorkerLoop.js"

/** A foreground program waits for a delay up to this long; past it, it says so and leaves the job queued. */
const patience = Duration.minutes(1)

/** How often a worker makes sure that the store still uses its embedder; each job does so too. */
const admittedEvery = Duration.seconds(5)

/** What runs an index job, for whom, and how it ends where the store moves to another embedder meanwhile. */
const indexing = Effect.gen(function*() {
  yield* Admission.admitted
  const { batchSize, stallAfter } = yield* WorkSettings
  const embedder = yield* KnownModel.heldTo(yield* Embedder)
  const { concurrency, provider } = embedder
  const calls = yield* Paced.make(provider, concurrency)
  const admission = yield* Admission.remembered
  const moved = yield* Deferred.make<never, EmbedderMismatch>()
  const run = (...[held, stop]: Parameters<Runner<never>>) =>
    admission.pipe(
      Effect.flatMap((profile) => runJob(held, { batchSize, stallAfter, stop, calls, profile })),
      Effect.provideService(Embedder, embedder),
      Effect.catchTag("EmbedderMismatch", (mismatch) =>
        Effect.as(Deferred.fail(moved, mismatch), Attempt.Unsettled({ outcome: Outcome.Released() }))),
      Effect.annotateLogs({ job: held.job.id, fence: held.fence })
    )
  const watching = Admission.admitted.pipe(
    Effect.catchIf((failure) => failure._tag !== "EmbedderMismatch" && isPassing(failure), () => Effect.void),
    Effect.delay(admittedEvery),
    Effect.forever
  )
  return { provider, run, moved: Effect.raceFirst(Deferred.await(moved), watching) }
})

/** Ends when the job has had its turn and another one is ready that nobody takes. */
const turnIsOver = Effect.fnUntraced(function*(provider: string) {
  const queue = yield* JobQueue
  const { turn } = yield* WorkSettings
  const isWaiting = Effect.orElseSucceed(
    Effect.map(queue.nextReadyIn(provider), Option.exists((wait) => Duration.toMillis(wait) === 0)),
    () => false
  )
  yield* Effect.repeat(Effect.delay(isWaiting, turn), { until: (waiting) => waiting })
})

/** A job gives way after its turn, so that one huge catalog does not keep the small ones waiting. It goes on behind them. */
const inTurns = <R>(run: Runner<R>, provider: string) => (...[held, stop]: Parameters<Runner<never>>) =>
  Effect.scoped(Effect.gen(function*() {
    const halt = yield* Deferred.make<void>()
    const over = Effect.raceFirst(Deferred.await(stop), turnIsOver(provider))
    yield* Effect.forkScoped(Effect.zipRight(over, Deferred.succeed(halt, undefined)))
    return yield* run(held, halt)
  }))

/**
 * Claim and run index jobs until `over` ends, and answer what it says. Beside it, sources that lost their vectors are found and
 * history is pruned. Fails with EmbedderMismatch, and has done nothing, where the store uses another embedder; where it moves to
 * another one meanwhile, what is under way is stored first.
 */
export const workUntil = Effect.fn("Worker.workUntil")(function*<A, E, R>(over: Effect.Effect<A, E, R>) {
  const { moved, provider, run } = yield* indexing
  yield* Effect.forkScoped(upkeep)
  const said = yield* Deferred.make<A>()
  const ended = Effect.tap(over, (answer) => Deferred.succeed(said, answer))
  yield* workWith(inTurns(run, provider), undefined, { provider, over: Effect.raceFirst(ended, moved) })
  return yield* Deferred.await(said)
}, Effect.scoped)

/** `workUntil` interrupted. */
export const work = workUntil(Effect.never).pipe(Effect.asVoid)

/** Whether a job that does not run now will not run soon: it stands behind a gate, or a long delay. */
export const isPutOff = Effect.fnUntraced(function*(job: Job) {
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
  const { moved, provider, run } = yield* indexing
  yield* workWith(run, {
    id,
    done: Effect.fnUntraced(function*(running: number) {
      const job = yield* queue.find(id)
      if (!isOpen(job.status)) return true
      return running === 0 && job.status === "pending" && (yield* isPutOff(job))
    }, Effect.catchTag("JobNotFound", () => Effect.succeed(true)))
  }, { provider, over: moved })
  return yield* queue.find(id)
})

/** The job each time it is looked at, until it is closed. */
export const follow = (id: JobId) =>
  Stream.repeatEffect(Effect.delay(Effect.flatMap(JobQueue, (queue) => queue.find(id)), "200 millis")).pipe(
    Stream.takeUntil((job) => !isOpen(job.status))
  )
