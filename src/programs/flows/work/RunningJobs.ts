import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { brokenByBug, brokenByStore, stalled } from "../../../domain/job/Ending.js"
import type { JobId } from "../../../domain/job/Job.js"
import type { RunnableKind } from "../../../domain/job/JobKinds.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { Outcome } from "../../../domain/job/Outcome.js"
import type { LeaseLost } from "../../../domain/lease/Lease.js"
import type { Pacer } from "../../../domain/retry/Pacer.js"
import type { Gates } from "../../../domain/session/Gates.js"
import { isPassing } from "../../../domain/store/StoreFailure.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { attempt } from "./Attempt.js"
import { conclude } from "./Conclude.js"
import { lastWords, Stopping } from "./PatientStore.js"
import * as Settle from "./Settle.js"

/**
 * The jobs that one worker runs: a fiber each, from the claim until the handler is over. Its end is written with others', and the next
 * jobs are claimed meanwhile.
 */

interface Running {
  readonly held: Held
  /** None before it has begun, and once it is over. */
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
   * Of these, those whose handler runs: a slot each. The next jobs are claimed while the ends of the last ones are written.
   */
  readonly busy: Set<Running>
  /** The newest claim of each job that has a slot. */
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

/** Whether a handler runs. */
export const isBusy = (jobs: RunningJobs): boolean => jobs.busy.size > 0

/** How many jobs may be claimed. A store that takes claims, but no ends, gets no more than as many again to end. */
export const freeSlots = (jobs: RunningJobs, slots: number): number =>
  Math.max(0, Math.min(slots - jobs.busy.size, 2 * slots - jobs.held.size))

/** What this worker holds: the newest claim of each job. */
export const held = (jobs: RunningJobs): ReadonlyArray<Held> => [...jobs.newest.values()].map((one) => one.held)

/** Stop a job, once; its end is not waited for. */
const cut = (one: Running, why: "lost" | "stalled") =>
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

const labelled = <A, E, R>({ fence, job }: Held, said: Effect.Effect<A, E, R>) =>
  Effect.annotateLogs(said, { job: job.id, fence })

/** What a defect says of itself. */
const wordsOf = (defect: unknown): string =>
  defect instanceof Error ? `${defect.name}: ${defect.message}` : Inspectable.toStringUnknown(defect)

/**
 * What becomes of a job whose run, or whose end, failed. A bug, and a store that refuses what is written, end the attempt like any
 * other failure; a store that stays away can be told nothing.
 */
const troubled = (jobs: RunningJobs, held: Held, cause: Cause.Cause<StoreFailure | LeaseLost>) => {
  const ended = (outcome: (random: number) => Outcome) =>
    Effect.flatMap(Random.next, (random) => conclude(jobs.settle, held, outcome(random)))
  return Option.match(Cause.failureOption(cause), {
    onSome: (failure) =>
      failure._tag === "LeaseLost"
        ? labelled(held, Effect.logWarning(failure.message))
        : isPassing(failure)
        ? Effect.fail(failure)
        : labelled(held, logStore(`The store ended an attempt at job ${held.job.id}`)(failure)).pipe(
          Effect.zipRight(ended((random) => brokenByStore(failure, held.job, random)))
        ),
    onNone: () => {
      const said = wordsOf(Cause.squash(cause))
      return labelled(held, Effect.logError(`A bug ended an attempt at job ${held.job.id}: ${said}`, cause)).pipe(
        Effect.zipRight(ended((random) => brokenByBug(said, held.job, random)))
      )
    }
  })
}

/** Its end is not written: the next heartbeat no longer names the job, and so frees it. */
const abandoned = (jobs: RunningJobs, held: Held, cause: Cause.Cause<StoreFailure | LeaseLost>) =>
  Option.match(Cause.failureOption(cause), {
    onSome: (failure) =>
      labelled(held, Effect.logWarning(`The end of job ${held.job.id} is not written: ${failure.message}`)).pipe(
        Effect.zipRight(failure._tag === "LeaseLost" ? Effect.void : Deferred.fail(jobs.broken, failure))
      ),
    onNone: () => {
      const defect = Cause.squash(cause)
      return labelled(held, Effect.logError(`A bug kept the end of job ${held.job.id} from being written`, defect))
        .pipe(Effect.zipRight(Deferred.die(jobs.broken, defect)))
    }
  })

/** The handler is over, and its slot free. */
const vacate = (jobs: RunningJobs, one: Running): void => {
  jobs.busy.delete(one)
  jobs.freed.unsafeOpen()
}

/** The end is written. */
const free = (jobs: RunningJobs, one: Running): void => {
  jobs.busy.delete(one)
  jobs.held.delete(one)
  if (jobs.newest.get(one.held.job.id) === one) jobs.newest.delete(one.held.job.id)
  jobs.freed.unsafeOpen()
  jobs.news.unsafeOpen()
}

/** Deal with whatever kept a job from ending well, and let it go. */
const mended = (jobs: RunningJobs, one: Running, cause: Cause.Cause<StoreFailure | LeaseLost>) =>
  troubled(jobs, one.held, cause).pipe(
    Effect.catchAllCause((cause) => abandoned(jobs, one.held, cause)),
    Effect.ensuring(Effect.sync(() => free(jobs, one)))
  )

/** What a job begins with: the services of its kind over the worker's, and its tenant. Made once for all that are alike. */
const runtimeOf = (jobs: RunningJobs, { job, tenant }: Held): Runtime.Runtime<Needs | Tenant> => {
  const alike = `${job.kind} ${tenant}`
  const known = jobs.runtimes.get(alike)
  if (known !== undefined) return known
  const services = jobs.kinds.get(job.kind)?.services ?? Context.empty()
  const made = Runtime.make({
    ...jobs.runtime,
    context: Context.add(Context.merge(jobs.runtime.context, services), Tenant, tenant)
  })
  jobs.runtimes.set(alike, made)
  return made
}

/** Begins a fiber that the worker's end interrupts. */
const fork = <R>(jobs: RunningJobs, runtime: Runtime.Runtime<R>, effect: Effect.Effect<void, never, R>) => {
  const fiber = Runtime.runFork(runtime, effect)
  FiberSet.unsafeAdd(jobs.fibers, fiber)
  return fiber
}

/**
 * Write the end of a job, as the outcome says it. What concerns others, such as a gate that closes, is written before the slot is free:
 * the next job would make one more call.
 */
const close = (jobs: RunningJobs, one: Running, outcome: Outcome): Effect.Effect<void, never, Needs> => {
  if (Settle.isPlain(outcome)) vacate(jobs, one)
  return Settle.isPlain(outcome)
    ? jobs.settle.together({
      held: one.held,
      outcome,
      written: (exit) =>
        Exit.isSuccess(exit)
          ? Effect.sync(() => free(jobs, one))
          // In a fiber of its own: the others' ends go on being written.
          : Effect.sync(() => {
            fork(jobs, jobs.runtime, Effect.uninterruptible(mended(jobs, one, exit.cause)))
          })
    })
    : Effect.mapInputContext(
      Effect.matchCauseEffect(conclude(jobs.settle, one.held, outcome), {
        onFailure: (cause) => mended(jobs, one, cause),
        onSuccess: () => Effect.sync(() => free(jobs, one))
      }),
      // Gates, pace and reports are the worker's, whatever the kind was registered with.
      () => jobs.runtime.context
    )
}

/** The run is over: write its end. One that was cut short is given back, unless a newer claim has the job. */
const ended = (
  jobs: RunningJobs,
  one: Running,
  exit: Exit.Exit<Outcome, StoreFailure | LeaseLost>
): Effect.Effect<void, never, Needs> => {
  one.isOver = true
  if (Exit.isSuccess(exit)) return close(jobs, one, exit.value)
  if (!Cause.isInterruptedOnly(exit.cause)) return mended(jobs, one, exit.cause)
  switch (one.cut) {
    case "lost":
      return labelled(one.held, Effect.logWarning(`Lost the lease on job ${one.held.job.id}: stopped at once`)).pipe(
        Effect.zipRight(Effect.sync(() => free(jobs, one)))
      )
    case "stalled":
      // In a fiber of its own: whatever waits in this one is interrupted, too.
      return Effect.map(Random.next, (random) => {
        fork(
          jobs,
          jobs.runtime,
          Effect.uninterruptible(close(jobs, one, stalled(jobs.stallAfter, one.held.job, random)))
        )
      })
    case undefined:
      return Effect.flatMap(Deferred.isDone(jobs.stop), (isStopping) =>
        isStopping
          ? close(jobs, one, Outcome.Released())
          // Nobody here did: it would be claimed, and interrupt itself, again and again.
          : Effect.sync(() => {
            const byItself = Cause.die(new Error("the handler was interrupted by itself"))
            fork(jobs, jobs.runtime, Effect.uninterruptible(mended(jobs, one, byItself)))
          }))
  }
}

/** The handler of its kind. A claim asks for no others; one that came all the same is given back. */
const run = (jobs: RunningJobs, one: Running): Effect.Effect<Outcome, StoreFailure | LeaseLost, Tenant> => {
  const kind = jobs.kinds.get(one.held.job.kind)
  return kind === undefined ? Effect.succeed(Outcome.Released()) : attempt(kind, {
    queue: jobs.queue,
    held: one.held,
    stop: Effect.raceFirst(Deferred.await(jobs.stop), jobs.hadItsTime),
    onProgress: (at) => {
      one.progressAt = at
    }
  })
}

/** A job from its claim until its end is known. Only the run itself can be interrupted. */
const carried = (jobs: RunningJobs, one: Running): Effect.Effect<void, never, Needs | Tenant> =>
  Effect.uninterruptible(
    Effect.flatMap(
      Effect.exit(Effect.interruptible(Effect.suspend(() => run(jobs, one)))),
      (exit) => ended(jobs, one, exit)
    )
  )

/** Take a slot for each. All in one step: a heartbeat frees what is claimed and not named here. */
const seat = (jobs: RunningJobs, claimed: ReadonlyArray<Held>, now: number) =>
  claimed.map((held) => {
    const one: Running = { held, fiber: undefined, cut: undefined, progressAt: now, isOver: false }
    const older = jobs.newest.get(held.job.id)
    jobs.held.add(one)
    jobs.busy.add(one)
    jobs.newest.set(held.job.id, one)
    return { one, older }
  })

/**
 * Begin all these jobs. This process may take over from itself, where a lease ran out while it slept: the older run of a job is over
 * then.
 */
export const start = (jobs: RunningJobs, claimed: ReadonlyArray<Held>) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const seated = seat(jobs, claimed, now)
    const replaced = seated.flatMap(({ older }) => older === undefined || older.isOver ? [] : [cut(older, "lost")])
    return Effect.zipRight(
      Effect.all(replaced, { discard: true }),
      Effect.sync(() => {
        for (const { one } of seated) one.fiber = fork(jobs, runtimeOf(jobs, one.held), carried(jobs, one))
      })
    )
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
