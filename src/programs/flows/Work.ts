import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { JobId } from "../../domain/job/Job.js"
import { JobQueue } from "../../domain/job/JobQueue.js"
import type { Held } from "../../domain/job/JobQueue.js"
import { Outcome } from "../../domain/job/Outcome.js"
import { WakeUps } from "../../domain/job/WakeUps.js"
import { heartbeatEvery } from "../../domain/lease/Lease.js"
import type { LeaseLost } from "../../domain/lease/Lease.js"
import { WorkerLock } from "../../domain/lease/WorkerLock.js"
import { isPassing } from "../../domain/store/StoreFailure.js"
import type { StoreFailure } from "../../domain/store/StoreFailure.js"
import { conclude } from "./Conclude.js"
import { patiently } from "./PatientStore.js"
import type { Attempt } from "./RunJob.js"
import * as Settle from "./Settle.js"

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
  /** How long a shutdown waits for the batches under way. */
  readonly grace: Duration.Duration
}>() {}

/** How often the jobs of dead workers are looked for; with a takeover target of two seconds. */
const reclaimEvery = Duration.seconds(1)

/** One attempt at a job. `stop` is done when nothing new is to be begun. */
export type Runner<R> = (
  held: Held,
  stop: Deferred.Deferred<void>
) => Effect.Effect<Attempt, LeaseLost | StoreFailure, R>

interface Running {
  readonly held: Held
  /** Set, before its fiber is interrupted, where a newer claim has the job. */
  lost: boolean
  fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined
}

/** The jobs that this worker holds now, and a signal for each one that ends. */
interface Bench {
  readonly running: Map<JobId, Running>
  readonly fibers: FiberSet.FiberSet
  readonly settle: Settle.Settle
  /** Done when nothing new is to be begun. */
  readonly stop: Deferred.Deferred<void>
  readonly freed: { signal: Deferred.Deferred<void> }
  /** When the leases were last renewed, in milliseconds. */
  readonly beatAt: Ref.Ref<number>
  /** The first trouble that left a job to its lease. */
  readonly broken: Deferred.Deferred<never, StoreFailure>
}

const logStore = (what: string) => (failure: StoreFailure) => Effect.logWarning(`${what}: ${failure.message}`)

/** Stop a job that a newer claim has; its end is not waited for. */
const lose = (one: Running) =>
  Effect.suspend(() => {
    one.lost = true
    return one.fiber === undefined ? Effect.void : Fiber.interruptFork(one.fiber)
  })

/** Renew all leases with one statement; a job whose lease is gone is stopped at once. */
const beat = Effect.fnUntraced(function*(bench: Bench, leaseDuration: Duration.Duration) {
  const queue = yield* JobQueue
  const at = yield* Clock.currentTimeMillis
  const running = [...bench.running.values()]
  const held = yield* queue.renew(running.map((one) => one.held), leaseDuration)
  yield* Effect.forEach(
    running.filter((one) => !held.has(one.held.job.id)),
    lose,
    { discard: true }
  )
  yield* Ref.set(bench.beatAt, at)
})

const heartbeat = Effect.fnUntraced(function*(bench: Bench, leaseDuration: Duration.Duration) {
  const every = heartbeatEvery(leaseDuration)
  yield* beat(bench, leaseDuration).pipe(
    Effect.tapError(logStore("The heartbeat failed and is tried again")),
    Effect.retry(Schedule.spaced(Duration.min(every, Duration.seconds(1)))),
    Effect.delay(every),
    Effect.forever
  )
})

/** A process that slept through its leases renews them first: what nobody took is still its own, and not a dead worker's. */
const wake = Effect.fnUntraced(function*(bench: Bench, leaseDuration: Duration.Duration) {
  const quiet = (yield* Clock.currentTimeMillis) - (yield* Ref.get(bench.beatAt))
  if (quiet >= Duration.toMillis(leaseDuration)) yield* beat(bench, leaseDuration)
})

const reclaim = Effect.fnUntraced(function*(bench: Bench, leaseDuration: Duration.Duration) {
  const queue = yield* JobQueue
  yield* Effect.zipRight(wake(bench, leaseDuration), queue.reclaim).pipe(
    Effect.tap(({ failed, freed }) =>
      freed + failed === 0
        ? Effect.void
        : Effect.logWarning(`Took over from dead workers: ${freed} jobs run again, ${failed} failed for good`)
    ),
    Effect.catchAll(logStore("Looking for dead workers failed and is tried again")),
    Effect.delay(reclaimEvery),
    Effect.forever
  )
})

const labelled = <A, E, R>({ held }: Running, said: Effect.Effect<A, E, R>) =>
  Effect.annotateLogs(said, { job: held.job.id, fence: held.fence })

/** What an interruption means: a newer claim has the job, or this worker shuts down and gives it back. */
const interrupted = (bench: Bench, one: Running) =>
  one.lost
    ? labelled(one, Effect.logWarning(`Lost the lease on job ${one.held.job.id}: stopped at once`))
    : Effect.ignore(conclude(bench.settle, one.held, Outcome.Released()))

/**
 * Run one job to its end and write that end, also when the run is cut short. A lost lease interrupts it: racing the run with the
 * loss would cost a small job more than all the rest here.
 */
const runHeld = <R>(bench: Bench, one: Running, run: Runner<R>) =>
  Effect.interruptible(run(one.held, bench.stop)).pipe(
    Effect.onInterrupt(() => interrupted(bench, one)),
    Effect.flatMap((attempt) =>
      attempt._tag === "Settled"
        ? labelled(one, Effect.logInfo(`Job ${one.held.job.id} is ${attempt.settled.status}`))
        : conclude(bench.settle, one.held, attempt.outcome)
    ),
    Effect.catchTag("LeaseLost", (lost) => labelled(one, Effect.logWarning(lost.message))),
    Effect.catchAll((failure) =>
      labelled(one, logStore(`Job ${one.held.job.id} is left to its lease`)(failure)).pipe(
        Effect.zipRight(Deferred.fail(bench.broken, failure))
      )
    ),
    Effect.catchAllDefect((defect) =>
      labelled(one, Effect.logError(`A bug ended job ${one.held.job.id}`, defect)).pipe(
        Effect.zipRight(Deferred.die(bench.broken, defect))
      )
    )
  )

const start = <R>(bench: Bench, held: Held, run: Runner<R>) =>
  Effect.suspend(() => {
    const one: Running = { held, lost: false, fiber: undefined }
    // This process may take over from itself, where a lease ran out while it slept: the older run is over.
    const older = bench.running.get(held.job.id)
    bench.running.set(held.job.id, one)
    const ended = Effect.suspend(() => {
      if (bench.running.get(held.job.id) === one) bench.running.delete(held.job.id)
      return Deferred.succeed(bench.freed.signal, undefined)
    })
    // A fiber begins as its parent is: uninterruptible, like the claim around this, so that a job which was claimed also ends.
    const begun = Effect.map(FiberSet.run(bench.fibers, Effect.ensuring(runHeld(bench, one, run), ended)), (fiber) => {
      one.fiber = fiber
    })
    return older === undefined ? begun : Effect.zipRight(lose(older), begun)
  })

/** Let the batches under way be stored, for as long as the grace lasts. What is left after it is given back as it stands. */
const drain = (bench: Bench, grace: Duration.Duration) =>
  Effect.gen(function*() {
    yield* Deferred.succeed(bench.stop, undefined)
    yield* Effect.timeoutOption(Effect.interruptible(FiberSet.awaitEmpty(bench.fibers)), grace)
  })

/** From so many slots on they are claimed for in halves, so that one half is claimed while the other runs and is settled. */
const manySlots = 16

const atOnce = (workers: number) => workers < manySlots ? workers : Math.ceil(workers / 2)

/**
 * Claim for the free slots and begin; answers whether more may be ready. Not to be cut in two: a claimed job that nobody runs
 * would count as a crash.
 */
const claim = Effect.fnUntraced(
  function*<R>(bench: Bench, worker: Held["worker"], run: Runner<R>, only: JobId | undefined) {
    const queue = yield* JobQueue
    const { leaseDuration, workers } = yield* WorkSettings
    const slots = Math.min(workers - bench.running.size, atOnce(workers))
    if (slots <= 0) return false
    const claimed = yield* queue.claim({
      worker,
      slots,
      duration: leaseDuration,
      ...(only === undefined ? {} : { only })
    })
    yield* Effect.forEach(claimed, (held) => start(bench, held, run), { discard: true })
    return claimed.length === slots
  },
  Effect.uninterruptible
)

/** A store that blinks costs a pause; any other trouble ends the worker. Who waits for one job is not kept waiting for ever. */
const claimPatiently = <R>(bench: Bench, worker: Held["worker"], run: Runner<R>, only: JobId | undefined) =>
  only !== undefined ? patiently(claim(bench, worker, run, only)) : claim(bench, worker, run, only).pipe(
    Effect.catchIf(isPassing, (failure) =>
      logStore("Claiming failed and is tried again")(failure).pipe(
        Effect.zipRight(Effect.sleep("1 second")),
        Effect.as(false)
      ))
  )

/** Between two looks at the table, however soon the next job says that it is ready: another worker may have it. */
const shortestPause = Duration.millis(20)

/** How long a freed slot of many waits for others, so that a backlog is claimed in few statements. */
const company = Duration.millis(5)

/** How often a wait for one job looks at it. */
const watchEvery = Duration.millis(500)

/** Until a job may be ready, a slot is free, or the poll is due. */
const pause = Effect.fnUntraced(function*(bench: Bench, freed: Deferred.Deferred<void>, only: JobId | undefined) {
  const queue = yield* JobQueue
  const wakeUps = yield* WakeUps
  const { pollInterval, workers } = yield* WorkSettings
  if (bench.running.size >= workers) {
    yield* Deferred.await(freed)
    if (workers - bench.running.size < atOnce(workers) && workers >= manySlots) yield* Effect.sleep(company)
    return
  }
  const next = yield* Effect.orElseSucceed(queue.nextReadyIn, () => Option.none<Duration.Duration>())
  const atMost = only !== undefined
    ? Duration.min(pollInterval, watchEvery)
    : Option.match(next, {
      onNone: () => pollInterval,
      onSome: Duration.clamp({ minimum: shortestPause, maximum: pollInterval })
    })
  yield* Effect.raceFirst(wakeUps.next(Duration.toMillis(atMost)), Deferred.await(freed))
})

const bench: Effect.Effect<Bench, never, JobQueue | Scope.Scope> = Effect.gen(function*() {
  // Before the fibers: what they write when the scope ends must still be written.
  const settle = yield* Settle.make
  return {
    settle,
    stop: yield* Deferred.make<void>(),
    running: new Map<JobId, Running>(),
    fibers: yield* FiberSet.make(),
    freed: { signal: yield* Deferred.make<void>() },
    beatAt: yield* Ref.make(yield* Clock.currentTimeMillis),
    broken: yield* Deferred.make<never, StoreFailure>()
  }
})

/**
 * Work until interrupted, or until `done` says so: claim what is ready, run it, keep its leases. An interruption stops
 * claiming, lets the batches under way be stored, gives the leases back and then ends.
 */
export const workWith = Effect.fn("Work.workWith")(
  function*<R, R2>(run: Runner<R>, options: {
    readonly only?: JobId
    /** Asked before each claim, with the number of jobs that run here. */
    readonly done: (running: number) => Effect.Effect<boolean, StoreFailure, R2>
  }) {
    const settings = yield* WorkSettings
    const worker = yield* (yield* WorkerLock).register
    const jobs = yield* bench
    yield* Effect.forkScoped(heartbeat(jobs, settings.leaseDuration))
    yield* Effect.forkScoped(reclaim(jobs, settings.leaseDuration))
    yield* Effect.addFinalizer(() => drain(jobs, settings.grace))
    const loop = Effect.gen(function*() {
      while (true) {
        // Before anything is asked, so that a job which ends meanwhile cuts the next pause short.
        const freed = yield* Deferred.make<void>()
        jobs.freed.signal = freed
        if (yield* options.done(jobs.running.size)) return
        const more = yield* claimPatiently(jobs, worker, run, options.only)
        if (!more || jobs.running.size >= settings.workers) yield* pause(jobs, freed, options.only)
      }
    })
    yield* options.only === undefined ? loop : Effect.raceFirst(loop, Deferred.await(jobs.broken))
  },
  Effect.scoped
)
