import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { brokenByBug, brokenByStore, stalled, wordsOf } from "../../../domain/job/Ending.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { Outcome } from "../../../domain/job/Outcome.js"
import type { LeaseLost } from "../../../domain/lease/Lease.js"
import { isPassing } from "../../../domain/store/StoreFailure.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { conclude } from "./Conclude.js"
import { fork, free, logStore, vacate } from "./RunningJobs.js"
import type { Needs, Running, RunningJobs } from "./RunningJobs.js"
import * as Settle from "./Settle.js"

/** How a run's end is written, and what becomes of one whose end cannot be. */

const labelled = <A, E, R>({ fence, job }: Held, said: Effect.Effect<A, E, R>) =>
  Effect.annotateLogs(said, { job: job.id, fence })

/** With the whole cause, where it can be printed: one that goes round in a circle ends the printing, and must not end more. */
const logBug = (message: string, cause: unknown) =>
  Effect.catchAllDefect(Effect.logError(message, cause), () => Effect.logError(message))

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
      return labelled(held, logBug(`A bug ended an attempt at job ${held.job.id}: ${said}`, cause)).pipe(
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
      return labelled(held, logBug(`A bug kept the end of job ${held.job.id} from being written`, defect))
        .pipe(Effect.zipRight(Deferred.die(jobs.broken, defect)))
    }
  })

/** Deal with whatever kept a job from ending well, and let it go. */
const mended = (jobs: RunningJobs, one: Running, cause: Cause.Cause<StoreFailure | LeaseLost>) =>
  troubled(jobs, one.held, cause).pipe(
    Effect.catchAllCause((cause) => abandoned(jobs, one.held, cause)),
    Effect.ensuring(Effect.sync(() => free(jobs, one)))
  )

/** A fiber of its own, which nothing cuts short. */
const forkUninterruptible = (jobs: RunningJobs, effect: Effect.Effect<void, never, Needs>): void => {
  fork(jobs, jobs.runtime, Effect.uninterruptible(effect))
}

/**
 * Write the end of a job, as the outcome says it. What concerns others, such as a gate that closes, is written before the slot is free:
 * the next job would make one more call.
 */
const close = (jobs: RunningJobs, one: Running, outcome: Outcome): Effect.Effect<void, never, Needs> => {
  if (!Settle.isPlain(outcome)) {
    return Effect.mapInputContext(
      Effect.matchCauseEffect(conclude(jobs.settle, one.held, outcome), {
        onFailure: (cause) => mended(jobs, one, cause),
        onSuccess: () => Effect.sync(() => free(jobs, one))
      }),
      // Gates, pace and reports are the worker's, whatever the kind was registered with.
      () => jobs.runtime.context
    )
  }
  vacate(jobs, one)
  return jobs.settle.together({
    held: one.held,
    outcome,
    written: (exit) =>
      Effect.sync(() => {
        if (Exit.isSuccess(exit)) free(jobs, one)
        // Not here: the others' ends go on being written.
        else forkUninterruptible(jobs, mended(jobs, one, exit.cause))
      })
  })
}

/** A run is over: write its end. One that was cut short is given back, unless a newer claim has the job. */
export const ended = (
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
        forkUninterruptible(jobs, close(jobs, one, stalled(jobs.stallAfter, one.held.job, random)))
      })
    case undefined:
      return Effect.flatMap(Deferred.isDone(jobs.stop), (isStopping) =>
        isStopping
          ? close(jobs, one, Outcome.Released())
          // Nobody here did: it would be claimed, and interrupt itself, again and again.
          : Effect.sync(() => {
            const byItself = Cause.die(new Error("the handler was interrupted by itself"))
            forkUninterruptible(jobs, mended(jobs, one, byItself))
          }))
  }
}
