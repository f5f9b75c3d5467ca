import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"
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

type Refusal = LeaseLost | StoreFailure

/** Begins an effect at once, on a fiber that no scope ends. */
type Fork<R> = <A, E>(effect: Effect.Effect<A, E, R>) => Fiber.RuntimeFiber<A, E>

/** What the ends of jobs concern beside the queue. */
type Others = Effect.Effect.Context<ReturnType<typeof conclude>>

interface Running {
  readonly held: Held
  /** Set, before its fiber is interrupted, where a newer claim has the job. */
  lost: boolean
  /** While it runs; its end is written outside, where no interruption reaches it. */
  fiber: Fiber.RuntimeFiber<Attempt, Refusal> | undefined
}

/** The jobs that this worker holds now. */
interface Bench {
  /** By job: a slot each. */
  readonly running: Map<JobId, Running>
  /** These, and those that a newer claim of this same worker replaced: all that is begun and not yet settled. */
  readonly begun: Set<Running>
  readonly settle: Settle.Settle
  /** Done when nothing new is to be begun. */
  readonly stop: Deferred.Deferred<void>
  /** Opened by every job that ends; whoever waits closes it first. */
  readonly freed: Effect.Latch
  readonly me: FiberId.FiberId
  /** When the leases were last renewed, in milliseconds. */
  readonly beatAt: Ref.Ref<number>
  /** The first trouble that left a job to its lease. */
  readonly broken: Deferred.Deferred<never, StoreFailure>
}

const logStore = (what: string) => (failure: StoreFailure) => Effect.logWarning(`${what}: ${failure.message}`)

/** Stop a job that a newer claim has; its end is not waited for. */
const lose = (bench: Bench, one: Running) => {
  one.lost = true
  one.fiber?.unsafeInterruptAsFork(bench.me)
}

/** Renew all leases with one statement; a job whose lease is gone is stopped at once. */
const beat = Effect.fnUntraced(function*(bench: Bench, leaseDuration: Duration.Duration) {
  const queue = yield* JobQueue
  const at = yield* Clock.currentTimeMillis
  const running = [...bench.running.values()]
  const held = yield* queue.renew(running.map((one) => one.held), leaseDuration)
  for (const one of running) if (!held.has(one.held.job.id)) lose(bench, one)
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

/** What becomes of a job whose run, or whose end, failed. */
const troubled = (bench: Bench, one: Running, cause: Settle.Refused) =>
  Option.match(Cause.failureOption(cause), {
    onSome: (failure) =>
      failure._tag === "LeaseLost"
        ? labelled(one, Effect.logWarning(failure.message))
        : labelled(one, logStore(`Job ${one.held.job.id} is left to its lease`)(failure)).pipe(
          Effect.zipRight(Deferred.fail(bench.broken, failure))
        ),
    onNone: () => {
      const defect = Cause.squash(cause)
      return labelled(one, Effect.logError(`A bug ended job ${one.held.job.id}`, defect)).pipe(
        Effect.zipRight(Deferred.die(bench.broken, defect))
      )
    }
  })

const free = (bench: Bench, one: Running) => {
  bench.begun.delete(one)
  if (bench.running.get(one.held.job.id) === one) bench.running.delete(one.held.job.id)
  bench.freed.unsafeOpen()
}

/** What is left to do for a job whose run is over. Never interrupted; its slot is free after it. */
const finish = <R>(bench: Bench, fork: Fork<R>, one: Running, last: Effect.Effect<unknown, Refusal, R>) =>
  fork(Effect.uninterruptible(Effect.catchAllCause(last, (cause) => troubled(bench, one, cause)))).addObserver(() =>
    free(bench, one)
  )

/** The run is over: write its end, as its attempt says it, or as an interruption means it. */
const ended = <R>(bench: Bench, fork: Fork<R | Others>, one: Running, exit: Exit.Exit<Attempt, Refusal>) => {
  const close = (outcome: Outcome) =>
    Settle.isPlain(outcome)
      ? bench.settle.together(one.held, outcome, (refused) =>
        refused === undefined ? free(bench, one) : finish(bench, fork, one, Effect.failCause(refused)))
      : finish(bench, fork, one, conclude(bench.settle, one.held, outcome))
  // Kept until the end is written, it would be most of the memory that lives on.
  one.fiber = undefined
  const { id } = one.held.job
  if (Exit.isSuccess(exit)) {
    return exit.value._tag === "Unsettled"
      ? close(exit.value.outcome)
      : finish(bench, fork, one, labelled(one, Effect.logInfo(`Job ${id} is ${exit.value.settled.status}`)))
  }
  if (!Cause.isInterruptedOnly(exit.cause)) return finish(bench, fork, one, exit)
  return one.lost
    ? finish(bench, fork, one, labelled(one, Effect.logWarning(`Lost the lease on job ${id}: stopped at once`)))
    : close(Outcome.Released())
}

/** Take the place of a job that is to be begun. */
const seat = (bench: Bench, held: Held): Running => {
  const one: Running = { held, lost: false, fiber: undefined }
  // This process may take over from itself, where a lease ran out while it slept: the older run is over.
  const older = bench.running.get(held.job.id)
  if (older !== undefined) lose(bench, older)
  bench.running.set(held.job.id, one)
  bench.begun.add(one)
  return one
}

/** Runs the jobs that are left, one after the other, on one fiber; whoever made it goes on once a job has to wait. */
const lane = <R>(bench: Bench, fork: Fork<R | Others>, left: Array<Running>, run: Runner<R>) => {
  let current: Running | undefined
  const over = (exit: Exit.Exit<Attempt, Refusal>) => {
    const one = current
    current = undefined
    if (one !== undefined) ended(bench, fork, one, exit)
  }
  const runs = Effect.whileLoop({
    while: () => left.length > 0,
    body: () => {
      const one = left.pop() as Running // the loop asked whether there is one
      current = one
      return Effect.exit(Effect.withFiberRuntime<Attempt, Refusal, R>((fiber) => {
        one.fiber = fiber
        return run(one.held, bench.stop)
      }))
    },
    step: over
  })
  // An interruption ends the lane, and not only the step.
  fork(runs).addObserver((exit) => Exit.isFailure(exit) ? over(Exit.failCause(exit.cause)) : undefined)
}

/**
 * Begin all these jobs, now. A job that ends without waiting leaves its fiber to the next one; any other has its own. A fiber
 * each would cost small jobs more than all the rest here.
 */
const start = <R>(bench: Bench, fork: Fork<R | Others>, claimed: ReadonlyArray<Held>, run: Runner<R>) => {
  const left = claimed.map((held) => seat(bench, held)).toReversed()
  while (left.length > 0) lane(bench, fork, left, run)
}

/** Until all that was begun is settled. */
const emptied = (bench: Bench) =>
  Effect.whileLoop({
    while: () => bench.begun.size > 0,
    body: () => {
      bench.freed.unsafeClose()
      return bench.freed.await
    },
    step: () => {}
  })

/** Let the batches under way be stored, for as long as the grace lasts. What is left after it is given back as it stands. */
const drain = (bench: Bench, grace: Duration.Duration) =>
  Effect.gen(function*() {
    yield* Deferred.succeed(bench.stop, undefined)
    yield* Effect.timeoutOption(Effect.interruptible(emptied(bench)), grace)
  })

/** Interrupts what is left, and waits until it is given back. */
const giveBack = (bench: Bench) =>
  Effect.suspend(() => {
    for (const one of bench.begun) one.fiber?.unsafeInterruptAsFork(bench.me)
    return emptied(bench)
  })

/** From so many slots on they are claimed for in halves, so that one half is claimed while the other runs and is settled. */
const manySlots = 16

const atOnce = (workers: number) => workers < manySlots ? workers : Math.ceil(workers / 2)

/**
 * Claim for the free slots and begin; answers whether more may be ready. Not to be cut in two: a claimed job that nobody runs
 * would count as a crash.
 */
const claim = Effect.fnUntraced(
  function*(
    bench: Bench,
    worker: Held["worker"],
    begin: (claimed: ReadonlyArray<Held>) => void,
    only: JobId | undefined
  ) {
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
    begin(claimed)
    return claimed.length === slots
  },
  Effect.uninterruptible
)

/** A store that blinks costs a pause; any other trouble ends the worker. Who waits for one job is not kept waiting for ever. */
const claimPatiently = (...args: Parameters<typeof claim>) =>
  args[3] !== undefined ? patiently(claim(...args)) : claim(...args).pipe(
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
const pause = Effect.fnUntraced(function*(bench: Bench, only: JobId | undefined) {
  const queue = yield* JobQueue
  const wakeUps = yield* WakeUps
  const { pollInterval, workers } = yield* WorkSettings
  if (bench.running.size >= workers) {
    yield* bench.freed.await
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
  yield* wakeUps.next(Duration.toMillis(atMost), bench.freed.await)
})

const bench: Effect.Effect<Bench, never, JobQueue | Scope.Scope> = Effect.gen(function*() {
  // First, so that it ends last: what the jobs write when the scope ends must still be written.
  const settle = yield* Settle.make
  const made: Bench = {
    settle,
    stop: yield* Deferred.make<void>(),
    running: new Map<JobId, Running>(),
    begun: new Set<Running>(),
    freed: yield* Effect.makeLatch(),
    me: yield* Effect.fiberId,
    beatAt: yield* Ref.make(yield* Clock.currentTimeMillis),
    broken: yield* Deferred.make<never, StoreFailure>()
  }
  yield* Effect.addFinalizer(() => giveBack(made))
  return made
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
    // Jobs are begun inside the claim, which cannot be interrupted, but can be interrupted themselves.
    const fork = Runtime.runFork(yield* Effect.interruptible(Effect.runtime<R | Others>()))
    const begin = (claimed: ReadonlyArray<Held>) => start(jobs, fork, claimed, run)
    yield* Effect.forkScoped(heartbeat(jobs, settings.leaseDuration))
    yield* Effect.forkScoped(reclaim(jobs, settings.leaseDuration))
    yield* Effect.addFinalizer(() => drain(jobs, settings.grace))
    const loop = Effect.gen(function*() {
      while (true) {
        // Before anything is asked, so that a job which ends meanwhile cuts the next pause short.
        jobs.freed.unsafeClose()
        if (yield* options.done(jobs.running.size)) return
        const more = yield* claimPatiently(jobs, worker, begin, options.only)
        if (!more || jobs.running.size >= settings.workers) yield* pause(jobs, options.only)
      }
    })
    yield* options.only === undefined ? loop : Effect.raceFirst(loop, Deferred.await(jobs.broken))
  },
  Effect.scoped
)
