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
import type { RunnableKind } from "../../../domain/job/JobKinds.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import type { Disowning } from "../../../domain/job/JobQueue.js"
import type { Wanted } from "../../../domain/lease/Wanted.js"
import { WakeUps } from "../../../domain/job/WakeUps.js"
import { heartbeatEvery, heartbeatLimit } from "../../../domain/lease/Lease.js"
import { WorkerLock } from "../../../domain/lease/WorkerLock.js"
import type { Registered } from "../../../domain/lease/WorkerLock.js"
import { isPassing, StoreUnavailable } from "../../../domain/store/StoreFailure.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { lastWords, patiently, Stopping } from "./PatientStore.js"
import { start } from "./JobRun.js"
import * as RunningJobs from "./RunningJobs.js"

/** How a worker works. */
export class WorkerSettings extends Context.Tag("holdfast/WorkerSettings")<WorkerSettings, {
  /** Jobs at a time. */
  readonly workers: number
  readonly leaseDuration: Duration.Duration
  /** How often the table is asked when no hint arrives. */
  readonly pollInterval: Duration.Duration
  /** An attempt without progress for so long ends as stalled. */
  readonly stallAfter: Duration.Duration
  /** A job that runs for so long gives way to others that are ready. */
  readonly timeSlice: Duration.Duration
  /** How long a shutdown waits for what is under way; writing their ends may take two seconds more. */
  readonly grace: Duration.Duration
}>() {}

/** How often the jobs of dead workers, and cancelled ones, are looked for; with a takeover target of two seconds. */
const reclaimEvery = Duration.seconds(1)

/** How long such a look is waited for. The next one goes by another connection. */
const lookLimit = Duration.seconds(30)

/** Renew all leases with one statement; a job whose lease is gone is stopped at once. */
const beat = Effect.fnUntraced(function*(jobs: RunningJobs.RunningJobs, leaseDuration: Duration.Duration) {
  const queue = yield* JobQueue
  const at = yield* Clock.currentTimeMillis
  const asked = RunningJobs.held(jobs)
  const still = yield* queue.renew(asked, leaseDuration)
  yield* RunningJobs.stopLost(jobs, asked.filter(({ job }) => !still.has(job.id)))
  yield* Ref.set(jobs.beatAt, at)
})

/** A claim whose answer was lost holds jobs that nobody runs, for a whole lease. */
const disown = Effect.fnUntraced(function*(
  jobs: RunningJobs.RunningJobs,
  { leaseDuration, tenants, worker }: Pick<Disowning, "tenants" | "worker"> & {
    readonly leaseDuration: Duration.Duration
  }
) {
  const queue = yield* JobQueue
  const lost = yield* queue.disown({ worker, tenants, held: RunningJobs.held(jobs), duration: leaseDuration })
  if (lost > 0) yield* Effect.logWarning(`The answers of ${lost} claims were lost: their jobs are given up`)
})

const silent = (what: string) => new StoreUnavailable({ detail: `it gave no answer to ${what}` })

const heartbeat = Effect.fnUntraced(function*(
  jobs: RunningJobs.RunningJobs,
  by: Pick<Disowning, "tenants" | "worker">,
  leaseDuration: Duration.Duration
) {
  const every = heartbeatEvery(leaseDuration)
  yield* Effect.zipRight(beat(jobs, leaseDuration), disown(jobs, { ...by, leaseDuration })).pipe(
    // Not waited for: it may end only with its connection.
    Effect.disconnect,
    Effect.timeoutFail({ duration: heartbeatLimit(leaseDuration), onTimeout: () => silent("a heartbeat") }),
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

const takeOver = Effect.fnUntraced(function*(
  jobs: RunningJobs.RunningJobs,
  tenants: ReadonlyArray<string>,
  leaseDuration: Duration.Duration
) {
  const queue = yield* JobQueue
  if (!(yield* queue.isReclaimDue(tenants))) return
  // Last of all before: the process may have slept since it asked.
  yield* wake(jobs, leaseDuration)
  const { failed, freed } = yield* queue.reclaim(tenants)
  if (freed + failed > 0) {
    yield* Effect.logWarning(
      `Took over from dead workers. Jobs that run again: ${freed}; that failed for good: ${failed}`
    )
  }
})

/** What a person cancelled is stopped long before the next heartbeat. */
const stopCancelled = Effect.fnUntraced(function*(jobs: RunningJobs.RunningJobs) {
  const asked = RunningJobs.held(jobs)
  const lost = yield* (yield* JobQueue).lost(asked)
  yield* RunningJobs.stopLost(jobs, asked.filter(({ job }) => lost.has(job.id)))
})

const reclaim = Effect.fnUntraced(function*(
  jobs: RunningJobs.RunningJobs,
  tenants: ReadonlyArray<string>,
  leaseDuration: Duration.Duration
) {
  yield* Effect.zipRight(stopCancelled(jobs), takeOver(jobs, tenants, leaseDuration)).pipe(
    // Left behind where it has no answer: what it does may be done twice.
    Effect.disconnect,
    Effect.timeoutFail({ duration: lookLimit, onTimeout: () => silent("a look for dead workers") }),
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
interface Shift {
  readonly jobs: RunningJobs.RunningJobs
  readonly settings: WorkerSettings["Type"]
  readonly worker: Registered
  readonly wanted: Wanted
  /** The one job that is worked on; none means every job. */
  readonly only: JobId | undefined
}

/**
 * Waits for a claim that was sent, also when interrupted: a claimed job that nobody runs would count as a crash. A database that
 * does not answer is not waited for.
 */
const sent = <A, E>(claiming: Fiber.Fiber<A, E>) =>
  Effect.timeoutOption(Effect.interruptible(Fiber.await(claiming)), lastWords)

/** Claim for all free slots and begin. */
const claim = Effect.fnUntraced(function*({ jobs, only, settings, wanted, worker }: Shift) {
  const queue = yield* JobQueue
  const slots = RunningJobs.freeSlots(jobs, settings.workers)
  if (slots === 0) return
  const claiming = queue.claim({
    worker: worker.id,
    slots,
    duration: settings.leaseDuration,
    ...wanted,
    ...(only === undefined ? {} : { only })
  })
  yield* Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Effect.forkDaemon(Effect.flatMap(claiming, (claimed) => start(jobs, claimed))),
      (begun) => Effect.onInterrupt(restore(Fiber.join(begun)), () => sent(begun))
    )
  )
})

/** A store that blinks costs a pause; any other trouble ends the worker. Who waits for one job is not kept waiting for ever. */
const claimPatiently = (shift: Shift) =>
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
const pause = Effect.fnUntraced(function*({ jobs, only, settings: { pollInterval, workers }, wanted }: Shift) {
  if (RunningJobs.freeSlots(jobs, workers) === 0) {
    yield* jobs.freed.await
    return workers >= manySlots && RunningJobs.isBusy(jobs) ? yield* Effect.sleep(company) : undefined
  }
  const queue = yield* JobQueue
  const next = yield* queue.nextReadyIn(wanted).pipe(
    Effect.disconnect,
    // The poll is due whatever the answer.
    Effect.timeoutOption(pollInterval),
    Effect.map(Option.flatten),
    Effect.orElseSucceed(() => Option.none<Duration.Duration>())
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

/** What a worker is to do. */
export interface Work<A, E, R, R2> extends Wanted {
  readonly kinds: ReadonlyArray<RunnableKind>
  readonly only?: Only<R2>
  /** What ends the work from outside, well or not. Default: nothing. */
  readonly over?: Effect.Effect<A, E, R>
}

/** Ends when a job that begins now has had its time, and another one is ready that nobody takes. */
const hadItsTime = (queue: JobQueue["Type"], wanted: Wanted, timeSlice: Duration.Duration) => {
  const isWaiting = Effect.orElseSucceed(
    Effect.map(queue.nextReadyIn(wanted), Option.exists((wait) => Duration.toMillis(wait) === 0)),
    () => false
  )
  return Effect.asVoid(Effect.repeat(Effect.delay(isWaiting, timeSlice), { until: (waiting) => waiting }))
}

/**
 * Work until interrupted, or until the only job is done: claim what is ready, run it, keep its leases. An interruption stops
 * claiming, lets what is under way be stored, gives the leases back and then ends; so does the end of `over`.
 */
export const work = Effect.fn("WorkerLoop.work")(
  function*<R2 = never, A = never, E = never, R3 = never>({ kinds, only, over, tenants }: Work<A, E, R3, R2>) {
    const settings = yield* WorkerSettings
    const queue = yield* JobQueue
    const wanted = { tenants, kinds }
    const worker = yield* (yield* WorkerLock).register(wanted)
    const jobs = yield* RunningJobs.make({
      kinds,
      // Who waits for one job lets it go on.
      hadItsTime: only === undefined ? hadItsTime(queue, wanted, settings.timeSlice) : Effect.never,
      stallAfter: settings.stallAfter
    })
    const shift: Shift = { jobs, settings, worker, wanted, only: only?.id }
    // Disconnected: a statement without an answer is left behind when the scope ends.
    yield* Effect.forkScoped(Effect.disconnect(heartbeat(jobs, { tenants, worker: worker.id }, settings.leaseDuration)))
    yield* Effect.forkScoped(Effect.disconnect(reclaim(jobs, tenants, settings.leaseDuration)))
    yield* Effect.forkScoped(RunningJobs.watchForStalls(jobs))
    yield* Effect.addFinalizer(() => RunningJobs.drain(jobs, settings.grace))
    yield* (yield* WakeUps).hear(tenants, jobs.news)
    const loop = Effect.gen(function*() {
      while (true) {
        // Before anything is asked, so that what happens meanwhile cuts the next pause short.
        yield* Effect.zipRight(jobs.freed.close, jobs.news.close)
        if (only !== undefined && (yield* Effect.disconnect(only.done(RunningJobs.size(jobs))))) return
        yield* worker.seen
        yield* claimPatiently(shift)
        yield* pause(shift)
      }
    })
    const endless = Effect.provideService(loop, Stopping, Option.some(Deferred.await(jobs.stop)))
    const working = only === undefined ? endless : Effect.raceFirst(endless, Deferred.await(jobs.broken))
    // Inside of the scope: whoever is interrupted here still waits for what is under way.
    yield* over === undefined ? working : Effect.raceFirst(working, over)
  },
  Effect.scoped
)
