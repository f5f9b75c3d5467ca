import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import { brokenByBug, brokenByStore } from "../../../domain/job/Ending.js"
import type { JobId } from "../../../domain/job/Job.js"
import type { Held, JobQueue } from "../../../domain/job/JobQueue.js"
import { Outcome } from "../../../domain/job/Outcome.js"
import type { LeaseLost } from "../../../domain/lease/Lease.js"
import { isPassing } from "../../../domain/store/StoreFailure.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import type { Tenant } from "../../../domain/store/Tenant.js"
import { conclude } from "./Conclude.js"
import { lastWords, Stopping } from "./PatientStore.js"
import type { Attempt } from "../index/IndexJob.js"
import * as Settle from "./Settle.js"

/** The jobs that one worker runs: a fiber each, from its claim until its end is written. */

/** One attempt at a job. `stop` is done when nothing new is to be begun. */
export type Runner<R> = (
  held: Held,
  stop: Deferred.Deferred<void>
) => Effect.Effect<Attempt, LeaseLost | StoreFailure, R>

interface Running {
  readonly held: Held
  /** Set, before its fiber is interrupted, where a newer claim has the job. */
  lost: boolean
}

export interface RunningJobs {
  /** A slot each. */
  readonly fibers: FiberMap.FiberMap<Running, void, never>
  /** The newest run of each job. */
  readonly newest: Map<JobId, Running>
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

export const logStore = (what: string) => (failure: StoreFailure) => Effect.logWarning(`${what}: ${failure.message}`)

/** How many jobs run here, and those whose end is being written. */
export const size = (jobs: RunningJobs): Effect.Effect<number> => FiberMap.size(jobs.fibers)

/** What this worker holds. */
export const held = (jobs: RunningJobs): ReadonlyArray<Held> => [...jobs.newest.values()].map((one) => one.held)

/** Stop a job that a newer claim has; its end is not waited for. */
const lose = (jobs: RunningJobs, one: Running) =>
  Effect.suspend(() => {
    one.lost = true
    return Effect.forkDaemon(FiberMap.remove(jobs.fibers, one))
  })

/** Stop what is held no more. */
export const keepOnly = (jobs: RunningJobs, still: ReadonlySet<JobId>) =>
  Effect.forEach(
    [...jobs.newest.values()].filter((one) => !still.has(one.held.job.id)),
    (one) => lose(jobs, one),
    { discard: true }
  )

const labelled = <A, E, R>({ fence, job }: Held, said: Effect.Effect<A, E, R>) =>
  Effect.annotateLogs(said, { job: job.id, fence })

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
      const defect = Cause.squash(cause)
      return labelled(held, Effect.logError(`A bug ended an attempt at job ${held.job.id}`, defect)).pipe(
        Effect.zipRight(ended((random) => brokenByBug(Inspectable.toStringUnknown(defect), held.job, random)))
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

/** Write the end of a job, as the outcome says it. */
const close = (jobs: RunningJobs, held: Held, outcome: Outcome) =>
  Settle.isPlain(outcome) ? jobs.settle.together(held, outcome) : conclude(jobs.settle, held, outcome)

/** The run is over: write its end. One that was cut short is given back, unless a newer claim has the job. */
const ended = (jobs: RunningJobs, { held, lost }: Running, exit: Exit.Exit<Attempt, StoreFailure | LeaseLost>) => {
  if (Exit.isSuccess(exit)) {
    return exit.value._tag === "Unsettled"
      ? close(jobs, held, exit.value.outcome)
      : labelled(held, Effect.logInfo(`Job ${held.job.id} is ${exit.value.settled.status}`))
  }
  if (!Cause.isInterruptedOnly(exit.cause)) return Effect.failCause(exit.cause)
  return lost
    ? labelled(held, Effect.logWarning(`Lost the lease on job ${held.job.id}: stopped at once`))
    : close(jobs, held, Outcome.Released())
}

const free = (jobs: RunningJobs, one: Running) =>
  Effect.sync(() => {
    if (jobs.newest.get(one.held.job.id) === one) jobs.newest.delete(one.held.job.id)
    jobs.freed.unsafeOpen()
    jobs.news.unsafeOpen()
  })

/** A job from its claim to its written end. Only the run itself can be interrupted. */
const carried = <R>(jobs: RunningJobs, one: Running, run: Runner<R>) =>
  Effect.interruptible(Effect.suspend(() => run(one.held, jobs.stop))).pipe(
    Effect.exit,
    Effect.flatMap((exit) => ended(jobs, one, exit)),
    Effect.catchAllCause((cause) => troubled(jobs, one.held, cause)),
    Effect.catchAllCause((cause) => abandoned(jobs, one.held, cause)),
    Effect.ensuring(free(jobs, one)),
    Effect.uninterruptible
  )

/** Take a slot for each. All in one step: a heartbeat frees what is claimed and not named here. */
const seat = (jobs: RunningJobs, claimed: ReadonlyArray<Held>) =>
  Effect.sync(() =>
    claimed.map((held) => {
      const one: Running = { held, lost: false }
      const older = jobs.newest.get(held.job.id)
      jobs.newest.set(held.job.id, one)
      return { one, older }
    })
  )

/**
 * Begin all these jobs. This process may take over from itself, where a lease ran out while it slept: the older run of a job is over
 * then.
 */
export const start = <R>(jobs: RunningJobs, claimed: ReadonlyArray<Held>, run: Runner<R>) =>
  Effect.flatMap(
    seat(jobs, claimed),
    Effect.forEach(({ older, one }) =>
      Effect.zipRight(
        older === undefined ? Effect.void : lose(jobs, older),
        FiberMap.run(jobs.fibers, one, carried(jobs, one, run))
      ), { discard: true })
  )

/** Let the batches under way be stored, for as long as the grace lasts. What is left after it is given back as it stands. */
export const drain = (jobs: RunningJobs, grace: Duration.Duration) =>
  Deferred.succeed(jobs.stop, undefined).pipe(
    Effect.zipRight(Effect.timeoutOption(Effect.interruptible(FiberMap.awaitEmpty(jobs.fibers)), grace))
  )

/** Longer than the patience for one write that whoever stops has left. */
const farewell = Duration.sum(lastWords, Duration.millis(500))

/** Interrupts what is left, and waits until it is given back: not for long, since a lease frees it too. */
const giveBack = (jobs: RunningJobs) =>
  Effect.timeoutOption(Effect.interruptible(Effect.disconnect(FiberMap.clear(jobs.fibers))), farewell)

/** No jobs yet. When its scope ends, what still runs is interrupted and given back. */
export const make: Effect.Effect<RunningJobs, never, JobQueue | Tenant | Scope.Scope> = Effect.gen(function*() {
  const stop = yield* Deferred.make<void>()
  // First, so that it ends last: what the jobs write when the scope ends must still be written.
  const settle = yield* Effect.provideService(Settle.make, Stopping, Option.some(Deferred.await(stop)))
  const jobs: RunningJobs = {
    fibers: yield* FiberMap.make<Running, void, never>(),
    newest: new Map<JobId, Running>(),
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
