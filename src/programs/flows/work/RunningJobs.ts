import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { JobId } from "../../../domain/job/Job.js"
import type { RunnableKind } from "../../../domain/job/JobKinds.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import type { Pacer } from "../../../domain/retry/Pacer.js"
import type { Gates } from "../../../domain/session/Gates.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import type { Tenant } from "../../../domain/store/Tenant.js"
import { lastWords, Stopping } from "./PatientStore.js"
import * as Settle from "./Settle.js"

/**
 * What one worker holds: which jobs, which of them take a slot, and how they are stopped. JobRun carries each through its run, JobEnd
 * writes its end.
 */

export interface Running {
  readonly held: Held
  /** None before it has begun. */
  fiber: Fiber.RuntimeFiber<void> | undefined
  /** Why it was interrupted: a newer claim has the job, or it made no progress. Undefined where nobody has. */
  cut: "lost" | "stalled" | undefined
  /** When it last got on, in milliseconds. */
  progressAt: number
  /** Its handler is over: what is left is to write its end. */
  isOver: boolean
}

/** What a worker runs, and how. */
export interface Given {
  readonly kinds: ReadonlyArray<RunnableKind>
  /** Ends when a job that was just begun is to give way to others that wait. */
  readonly hadItsTime: Effect.Effect<void>
  /** A job without progress for so long is ended. */
  readonly stallAfter: Duration.Duration
}

export interface RunningJobs extends Omit<Given, "kinds"> {
  readonly kinds: ReadonlyMap<string, RunnableKind>
  readonly queue: JobQueue["Type"]
  /** All that are held: from the claim until the end is written. */
  readonly held: Set<Running>
  /**
   * Of these, those that take a slot: until their handler is over, or, where the end concerns others, until it is written. The next jobs
   * are claimed while the ends of the last ones are written.
   */
  readonly busy: Set<Running>
  /** The newest claim of each job that is held. */
  readonly newest: Map<JobId, Running>
  readonly fibers: FiberSet.FiberSet<void>
  /** What the worker itself works with. */
  readonly runtime: Runtime.Runtime<Needs>
  /** With what each kind's jobs of each tenant begin. */
  readonly runtimes: Map<string, Runtime.Runtime<Needs | Tenant>>
  readonly settle: Settle.Settle
  /** Done when nothing new is to be begun. */
  readonly stop: Deferred.Deferred<void>
  /** Opened by every job that ends; whoever waits closes it first. */
  readonly freed: Effect.Latch
  /** Opened by whatever makes it worth a look whether there is something to claim. */
  readonly news: Effect.Latch
  /** When the leases were last renewed, in milliseconds. */
  readonly beatAt: Ref.Ref<number>
  /** The first trouble that kept the end of a job from being written. */
  readonly broken: Deferred.Deferred<never, StoreFailure>
}

/** What the end of a job needs. */
export type Needs = Gates | Pacer

export const logStore = (what: string) => (failure: StoreFailure) => Effect.logWarning(`${what}: ${failure.message}`)

/** How many jobs are held here: those that run, and those whose end is being written. */
export const size = (jobs: RunningJobs): number => jobs.held.size

/** Whether a slot is taken. */
export const isBusy = (jobs: RunningJobs): boolean => jobs.busy.size > 0

/** How many jobs may be claimed. A store that takes claims, but no ends, gets no more than as many again to end. */
export const freeSlots = (jobs: RunningJobs, slots: number): number =>
  Math.max(0, Math.min(slots - jobs.busy.size, 2 * slots - jobs.held.size))

/** What this worker holds: the newest claim of each job. */
export const held = (jobs: RunningJobs): ReadonlyArray<Held> => [...jobs.newest.values()].map((one) => one.held)

/** Stop a job, once; its end is not waited for. */
export const cut = (one: Running, why: "lost" | "stalled") =>
  Effect.suspend(() => {
    if (one.cut !== undefined || one.fiber === undefined) return Effect.void
    one.cut = why
    return Fiber.interruptFork(one.fiber)
  })

/** Stop those of these jobs whose handlers still run, since they are held no more. What is being written goes on. */
export const stopLost = (jobs: RunningJobs, lost: ReadonlyArray<Held>) =>
  Effect.forEach(lost, (held) => {
    const one = jobs.newest.get(held.job.id)
    return one?.held === held && !one.isOver ? cut(one, "lost") : Effect.void
  }, { discard: true })

/** Free its slot. */
export const vacate = (jobs: RunningJobs, one: Running): void => {
  jobs.busy.delete(one)
  jobs.freed.unsafeOpen()
}

/** Hold it no more: its end is written, or cannot be. */
export const free = (jobs: RunningJobs, one: Running): void => {
  jobs.held.delete(one)
  if (jobs.newest.get(one.held.job.id) === one) jobs.newest.delete(one.held.job.id)
  vacate(jobs, one)
  jobs.news.unsafeOpen()
}

/** Begins a fiber that the worker's end interrupts. */
export const fork = <R>(jobs: RunningJobs, runtime: Runtime.Runtime<R>, effect: Effect.Effect<void, never, R>) => {
  const fiber = Runtime.runFork(runtime, effect)
  FiberSet.unsafeAdd(jobs.fibers, fiber)
  return fiber
}

/** Take a slot for each. All in one step: a heartbeat frees what is claimed and not named here. */
export const seat = (jobs: RunningJobs, claimed: ReadonlyArray<Held>, now: number) =>
  claimed.map((held) => {
    const one: Running = { held, fiber: undefined, cut: undefined, progressAt: now, isOver: false }
    const older = jobs.newest.get(held.job.id)
    jobs.held.add(one)
    jobs.busy.add(one)
    jobs.newest.set(held.job.id, one)
    return { one, older }
  })

/** Looks often enough that a job is ended at most a sixtieth later than it may be. */
const stallLooks = 60

/** Ends jobs that make no progress, for as long as it runs. */
export const watchForStalls = (jobs: RunningJobs) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.forEach(
      [...jobs.busy].filter(({ isOver, progressAt }) =>
        !isOver && now - progressAt >= Duration.toMillis(jobs.stallAfter)
      ),
      (one) => cut(one, "stalled"),
      { discard: true }
    )).pipe(
      Effect.delay(Duration.times(jobs.stallAfter, 1 / stallLooks)),
      Effect.forever
    )

/** Until no job is held. */
const emptied = (jobs: RunningJobs): Effect.Effect<void> =>
  Effect.suspend(() =>
    jobs.held.size === 0
      ? Effect.void
      : jobs.freed.close.pipe(
        Effect.zipRight(Effect.suspend(() => jobs.held.size === 0 ? Effect.void : jobs.freed.await)),
        Effect.zipRight(emptied(jobs))
      )
  )

/** Let what is under way be stored, for as long as the grace lasts. What is left after it is given back as it stands. */
export const drain = (jobs: RunningJobs, grace: Duration.Duration) =>
  Deferred.succeed(jobs.stop, undefined).pipe(
    Effect.zipRight(Effect.timeoutOption(Effect.interruptible(emptied(jobs)), grace))
  )

/** Longer than the patience for one write that whoever stops has left. */
const farewell = Duration.sum(lastWords, Duration.millis(500))

/** Interrupts what is left, and waits until it is given back: not for long, since a lease frees it too. */
const giveBack = (jobs: RunningJobs) =>
  FiberSet.clear(jobs.fibers).pipe(
    Effect.zipRight(emptied(jobs)),
    Effect.disconnect,
    Effect.interruptible,
    Effect.timeoutOption(farewell)
  )

/** No jobs yet. When its scope ends, what still runs is interrupted and given back. */
export const make = Effect.fnUntraced(function*(
  { hadItsTime, kinds, stallAfter }: Given
): Effect.fn.Return<RunningJobs, never, JobQueue | Needs | Scope.Scope> {
  const stop = yield* Deferred.make<void>()
  const stopping = Option.some(Deferred.await(stop))
  // First, so that it ends last: what the jobs write when the scope ends must still be written.
  const settle = yield* Effect.provideService(Settle.make, Stopping, stopping)
  const fibers = yield* FiberSet.make<void>()
  const jobs: RunningJobs = {
    kinds: new Map(kinds.map((one) => [one.kind, one])),
    hadItsTime,
    stallAfter,
    queue: yield* JobQueue,
    held: new Set(),
    busy: new Set(),
    newest: new Map<JobId, Running>(),
    fibers,
    runtime: yield* Effect.provideService(Effect.runtime<Needs>(), Stopping, stopping),
    runtimes: new Map(),
    settle,
    stop,
    freed: yield* Effect.makeLatch(),
    news: yield* Effect.makeLatch(),
    beatAt: yield* Ref.make(yield* Clock.currentTimeMillis),
    broken: yield* Deferred.make<never, StoreFailure>()
  }
  yield* Effect.addFinalizer(() => giveBack(jobs))
  return jobs
})
