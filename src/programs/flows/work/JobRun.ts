import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type { Held } from "../../../domain/job/JobQueue.js"
import { Outcome } from "../../../domain/job/Outcome.js"
import type { LeaseLost } from "../../../domain/lease/Lease.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { attempt } from "./Attempt.js"
import { ended } from "./JobEnd.js"
import { cut, fork, seat } from "./RunningJobs.js"
import type { Needs, Running, RunningJobs } from "./RunningJobs.js"

/** Jobs from their claim until their end is known: a fiber each. */

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
