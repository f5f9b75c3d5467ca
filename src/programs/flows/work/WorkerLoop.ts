import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type { JobId } from "../../../domain/job/Job.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import { WakeUps } from "../../../domain/job/WakeUps.js"
import { heartbeatEvery } from "../../../domain/lease/Lease.js"
import { WorkerLock } from "../../../domain/lease/WorkerLock.js"
import type { Registered } from "../../../domain/lease/WorkerLock.js"
import { isPassing } from "../../../domain/store/StoreFailure.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { lastWords, patiently, Stopping } from "./PatientStore.js"
import * as RunningJobs from "./RunningJobs.js"

/** How a worker works. */
export class WorkSettings extends Context.Tag("holdfast/WorkSettings")<WorkSettings, {
  /** Jobs at a time. */
  readonly workers: number
  /** Texts per call, at most. */
  readonly batchSize: number
  readonly leaseDuration: Duration.Duration
  /** How often the table is asked when no hint arrives. */
  readonly pollInterval: Duration.Duration
  /** An attempt without progress for so long ends as stalled. */
  readonly stallAfter: Duration.Duration
  /** A job that runs for so long gives way to others that are ready. */
  readonly turn: Duration.Duration
  /** How long a shutdown waits for the batches under way; writing their ends may take two seconds more. */
  readonly grace: Duration.Duration
}>() {}

/** How often the jobs of dead workers are looked for; with a takeover target of two seconds. */
const reclaimEvery = Duration.seconds(1)

/** Renew all leases with one statement; a job whose lease is gone is stopped at once. */
const beat = Effect.fnUntraced(function*(jobs: RunningJobs.RunningJobs, leaseDuration: Duration.Duration) {
  const queue = yield* JobQueue
  const at = yield* Clock.currentTimeMillis
  yield* RunningJobs.keepOnly(jobs, yield* queue.renew(RunningJobs.held(jobs), leaseDuration))
  yield* Ref.set(jobs.beatAt, at)
})

const heartbeat = Effect.fnUntraced(function*(jobs: RunningJobs.RunningJobs, leaseDuration: Duration.Duration) {
  const every = heartbeatEvery(leaseDuration)
  yield* beat(jobs, leaseDuration).pipe(
    Effect.tapError(RunningJobs.logStore("The heartbeat failed and is tried again")),
    Effect.retry(Schedule.spaced(Duration.min(every, Duration.seconds(1)))),
    Effect.delay(every),
    Effect.forever
  )
})

/** A process that slept through its leases renews them first: what nobody took is still its own, and not a dead worker's. */
const wake = Effect.fnUntraced(function*(jobs: RunningJobs.RunningJobs, leaseDuration: Duration.Duration) {
  const quiet = (yield* Clock.currentTimeMillis) - (yield* Ref.get(jobs.beatAt))
  if (quiet >= Duration.toMillis(leaseDuration)) yield* beat(jobs, leaseDuration)
})

const takeOver = Effect.fnUntraced(function*(jobs: RunningJobs.RunningJobs, leaseDuration: Duration.Duration) {
  const queue = yield* JobQueue
  if (!(yield* queue.isReclaimDue)) return
  // Last of all before: the process may have slept since it asked.
  yield* wake(jobs, leaseDuration)
  const { failed, freed } = yield* queue.reclaim
  if (freed + failed > 0) {
    yield* Effect.logWarning(
      `Took over from dead workers. Jobs that run again: ${freed}; that failed for good: ${failed}`
    )
  }
})

const reclaim = Effect.fnUntraced(function*(jobs: RunningJobs.RunningJobs, leaseDuration: Duration.Duration) {
  yield* takeOver(jobs, leaseDuration).pipe(
    Effect.catchAll(RunningJobs.logStore("Looking for dead workers failed and is tried again")),
    Effect.delay(reclaimEvery),
    Effect.forever
  )
})

/** From so many slots on, a freed one waits for others, so that a backlog is claimed in few statements. */
const manySlots = 16

/** How long it waits. */
const company = Duration.millis(5)

/** What one worker works with. */
interface Shift<R> {
  readonly jobs: RunningJobs.RunningJobs
  readonly settings: WorkSettings["Type"]
  readonly worker: Registered
  readonly run: RunningJobs.Runner<R>
  /** The one job that is worked on; none means every job. */
  readonly only: JobId | undefined
  /** Whose jobs are worked on; none means every provider's. */
  readonly provider: string | undefined
}

/**
 * Waits for a claim that was sent, also when interrupted: a claimed job that nobody runs would count as a crash. A database that
 * does not answer is not waited for.
 */
const sent = <A, E>(claiming: Fiber.Fiber<A, E>) =>
  Effect.timeoutOption(Effect.interruptible(Fiber.await(claiming)), lastWords)

/** Claim for all free slots and begin. */
const claim = Effect.fnUntraced(function*<R>({ jobs, only, provider, run, settings, worker }: Shift<R>) {
  const queue = yield* JobQueue
  const slots = settings.workers - (yield* RunningJobs.size(jobs))
  if (slots <= 0) return
  const claiming = queue.claim({
    worker: worker.id,
    slots,
    duration: settings.leaseDuration,
    ...(only === undefined ? {} : { only }),
    ...(provider === undefined ? {} : { provider })
  })
  yield* Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Effect.forkDaemon(Effect.flatMap(claiming, (claimed) => RunningJobs.start(jobs, claimed, run))),
      (begun) => Effect.onInterrupt(restore(Fiber.join(begun)), () => sent(begun))
    )
  )
})

/** A store that blinks costs a pause; any other trouble ends the worker. Who waits for one job is not kept waiting for ever. */
const claimPatiently = <R>(shift: Shift<R>) =>
  shift.only !== undefined ?
    patiently(claim(shift)) :
    Effect.catchIf(claim(shift), isPassing, (failure) =>
      Effect.zipRight(
        RunningJobs.logStore("Claiming failed and is tried again")(failure),
        Effect.sleep("1 second")
      ))

/** Between two looks at the table, however soon the next job says that it is ready: another worker may have it. */
const shortestPause = Duration.millis(20)

/** How often a wait for one job looks at it. */
const watchEvery = Duration.millis(500)

/** Until a job may be ready, a slot is free, or the poll is due. */
const pause = Effect.fnUntraced(function*<R>({ jobs, only, provider, settings: { pollInterval, workers } }: Shift<R>) {
  if ((yield* RunningJobs.size(jobs)) >= workers) {
    yield* jobs.freed.await
    return workers >= manySlots && (yield* RunningJobs.size(jobs)) > 0 ? yield* Effect.sleep(company) : undefined
  }
  const queue = yield* JobQueue
  const next = yield* Effect.orElseSucceed(
    Effect.disconnect(queue.nextReadyIn(provider)),
    () => Option.none<Duration.Duration>()
  )
  const atMost = only !== undefined
    ? Duration.min(pollInterval, watchEvery)
    : Option.match(next, {
      onNone: () => pollInterval,
      onSome: Duration.clamp({ minimum: shortestPause, maximum: pollInterval })
    })
  yield* Effect.timeoutOption(jobs.news.await, atMost)
})

/** The one job that is worked on, by whoever waits for it. */
export interface Only<R> {
  readonly id: JobId
  /** Asked before each claim, with the number of jobs that run here. */
  readonly done: (running: number) => Effect.Effect<boolean, StoreFailure, R>
}

/** Whose jobs alone are worked on, and what ends the work from outside, well or not. */
export interface Own<A, E, R> {
  readonly provider: string
  readonly over: Effect.Effect<A, E, R>
}

/**
 * Work until interrupted, or until the only job is done: claim what is ready, run it, keep its leases. An interruption stops
 * claiming, lets the batches under way be stored, gives the leases back and then ends; so does the end of `own.over`.
 */
export const workWith = Effect.fn("WorkerLoop.workWith")(
  function*<R, R2 = never, A = never, E = never, R3 = never>(
    run: RunningJobs.Runner<R>,
    only?: Only<R2>,
    own?: Own<A, E, R3>
  ) {
    const settings = yield* WorkSettings
    const worker = yield* (yield* WorkerLock).register
    const jobs = yield* RunningJobs.make
    const shift: Shift<R> = { jobs, settings, worker, run, only: only?.id, provider: own?.provider }
    // Disconnected: a statement without an answer is left behind when the scope ends.
    yield* Effect.forkScoped(Effect.disconnect(heartbeat(jobs, settings.leaseDuration)))
    yield* Effect.forkScoped(Effect.disconnect(reclaim(jobs, settings.leaseDuration)))
    yield* Effect.addFinalizer(() => RunningJobs.drain(jobs, settings.grace))
    yield* (yield* WakeUps).hear(jobs.news)
    const loop = Effect.gen(function*() {
      while (true) {
        // Before anything is asked, so that what happens meanwhile cuts the next pause short.
        yield* Effect.zipRight(jobs.freed.close, jobs.news.close)
        if (only !== undefined && (yield* Effect.disconnect(only.done(yield* RunningJobs.size(jobs))))) return
        yield* worker.seen
        yield* claimPatiently(shift)
        yield* pause(shift)
      }
    })
    const endless = Effect.provideService(loop, Stopping, Option.some(Deferred.await(jobs.stop)))
    const working = only === undefined ? endless : Effect.raceFirst(endless, Deferred.await(jobs.broken))
    // Inside of the scope: whoever is interrupted here still waits for the batches under way.
    yield* own === undefined ? working : Effect.raceFirst(working, own.over)
  },
  Effect.scoped
)
