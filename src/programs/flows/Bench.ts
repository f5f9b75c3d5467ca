import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import { brokenByBug, brokenByStore } from "../../domain/job/Ending.js"
import type { JobId } from "../../domain/job/Job.js"
import type { Held, JobQueue } from "../../domain/job/JobQueue.js"
import { Outcome } from "../../domain/job/Outcome.js"
import type { LeaseLost } from "../../domain/lease/Lease.js"
import { isPassing } from "../../domain/store/StoreFailure.js"
import type { StoreFailure } from "../../domain/store/StoreFailure.js"
import type { Tenant } from "../../domain/store/Tenant.js"
import * as Bell from "./Bell.js"
import { conclude } from "./Conclude.js"
import { lastWords, Stopping } from "./PatientStore.js"
import type { Attempt } from "./RunJob.js"
import * as Settle from "./Settle.js"

/**
 * The jobs that one worker holds: begun, run, and settled when they end. Plain callbacks carry a job from its claim to its end,
 * and an effect is made only where one is needed: small jobs come by the thousands a second.
 */

/** One attempt at a job. `stop` is done when nothing new is to be begun. */
export type Runner<R> = (
  held: Held,
  stop: Deferred.Deferred<void>
) => Effect.Effect<Attempt, LeaseLost | StoreFailure, R>

type Refusal = LeaseLost | StoreFailure

/** Begins an effect at once, on a fiber that no scope ends. */
export type Fork<R> = <A, E>(effect: Effect.Effect<A, E, R>) => Fiber.RuntimeFiber<A, E>

/** What the ends of jobs concern beside the queue. */
export type Others = Effect.Effect.Context<ReturnType<typeof conclude>>

interface Running {
  readonly held: Held
  /** Set, before its fiber is interrupted, where a newer claim has the job. */
  lost: boolean
  /** While it runs; its end is written outside, where no interruption reaches it. */
  fiber: Fiber.RuntimeFiber<void, Refusal> | undefined
}

/** Why there may be something to claim: a hint says so, a job ended here, or it is time to look. */
export type News = "hint" | "end" | "time"

/** The jobs that this worker holds now. */
export interface Bench {
  /** By job: a slot each. */
  readonly running: Map<JobId, Running>
  /** Those that a newer claim of this same worker replaced, until they are settled. */
  readonly replaced: Set<Running>
  readonly settle: Settle.Settle
  /** Done when nothing new is to be begun. */
  readonly stop: Deferred.Deferred<void>
  /** Set once nobody settles jobs any more: what is claimed from then on is left to its lease. */
  closed: boolean
  /** Opened by every job that ends; whoever waits closes it first. */
  readonly freed: Effect.Latch
  /** It is worth a look whether there is something to claim. */
  readonly news: Bell.Bell<News>
  readonly me: FiberId.FiberId
  /** When the leases were last renewed, in milliseconds. */
  readonly beatAt: Ref.Ref<number>
  /** The first trouble that kept the end of a job from being written. */
  readonly broken: Deferred.Deferred<never, StoreFailure>
}

export const logStore = (what: string) => (failure: StoreFailure) => Effect.logWarning(`${what}: ${failure.message}`)

/** Stop a job that a newer claim has; its end is not waited for. */
export const lose = (bench: Bench, one: Running) => {
  one.lost = true
  one.fiber?.unsafeInterruptAsFork(bench.me)
}

const labelled = <A, E, R>({ held }: Running, said: Effect.Effect<A, E, R>) =>
  Effect.annotateLogs(said, { job: held.job.id, fence: held.fence })

/**
 * What becomes of a job whose run, or whose end, failed. A bug, and a store that refuses what is written, end the attempt like any
 * other failure; a store that stays away can be told nothing.
 */
const troubled = (bench: Bench, one: Running, cause: Settle.Refused) => {
  const { held } = one
  const ended = (outcome: (random: number) => Outcome) =>
    Effect.flatMap(Random.next, (random) => conclude(bench.settle, held, outcome(random)))
  return Option.match(Cause.failureOption(cause), {
    onSome: (failure) =>
      failure._tag === "LeaseLost"
        ? labelled(one, Effect.logWarning(failure.message))
        : isPassing(failure)
        ? Effect.fail(failure)
        : labelled(one, logStore(`The store ended an attempt at job ${held.job.id}`)(failure)).pipe(
          Effect.zipRight(ended((random) => brokenByStore(failure, held.job, random)))
        ),
    onNone: () => {
      const defect = Cause.squash(cause)
      return labelled(one, Effect.logError(`A bug ended an attempt at job ${held.job.id}`, defect)).pipe(
        Effect.zipRight(ended((random) => brokenByBug(Inspectable.toStringUnknown(defect), held.job, random)))
      )
    }
  })
}

/** Its end is not written: the next heartbeat no longer names the job, and so frees it. */
const abandoned = (bench: Bench, one: Running, cause: Settle.Refused) =>
  Option.match(Cause.failureOption(cause), {
    onSome: (failure) =>
      labelled(one, Effect.logWarning(`The end of job ${one.held.job.id} is not written: ${failure.message}`)).pipe(
        Effect.zipRight(failure._tag === "LeaseLost" ? Effect.void : Deferred.fail(bench.broken, failure))
      ),
    onNone: () => {
      const defect = Cause.squash(cause)
      return labelled(one, Effect.logError(`A bug kept the end of job ${one.held.job.id} from being written`, defect))
        .pipe(
          Effect.zipRight(Deferred.die(bench.broken, defect))
        )
    }
  })

const free = (bench: Bench, one: Running) => {
  if (bench.running.get(one.held.job.id) === one) bench.running.delete(one.held.job.id)
  else bench.replaced.delete(one)
  bench.freed.unsafeOpen()
  bench.news.ring("end")
}

/** What is left to do for a job whose run is over. Never interrupted; its slot is free after it. */
const finish = <R>(
  bench: Bench,
  fork: Fork<R | Others>,
  one: Running,
  last: Effect.Effect<unknown, Refusal, R | Others>
) =>
  fork(
    last.pipe(
      Effect.catchAllCause((cause) => troubled(bench, one, cause)),
      Effect.catchAllCause((cause) => abandoned(bench, one, cause)),
      Effect.uninterruptible
    )
  ).addObserver(() => free(bench, one))

/** Write the end of a job, as the outcome says it. */
const close = <R>(bench: Bench, fork: Fork<R | Others>, one: Running, outcome: Outcome) =>
  Settle.isPlain(outcome)
    ? bench.settle.together(one.held, outcome, (refused) =>
      refused === undefined ? free(bench, one) : finish(bench, fork, one, Effect.failCause(refused)))
    : finish(bench, fork, one, conclude(bench.settle, one.held, outcome))

/** The run is over: write its end, as its attempt says it. */
const ended = <R>(bench: Bench, fork: Fork<R | Others>, one: Running, attempt: Attempt) =>
  attempt._tag === "Unsettled"
    ? close(bench, fork, one, attempt.outcome)
    : finish(
      bench,
      fork,
      one,
      labelled(one, Effect.logInfo(`Job ${one.held.job.id} is ${attempt.settled.status}`))
    )

/** The run did not come to its end: it failed, or was interrupted and is given back, unless a newer claim has the job. */
const cutShort = <R>(bench: Bench, fork: Fork<R | Others>, one: Running, cause: Cause.Cause<Refusal>) => {
  if (!Cause.isInterruptedOnly(cause)) return finish(bench, fork, one, Effect.failCause(cause))
  return one.lost
    ? finish(
      bench,
      fork,
      one,
      labelled(one, Effect.logWarning(`Lost the lease on job ${one.held.job.id}: stopped at once`))
    )
    : close(bench, fork, one, Outcome.Released())
}

/** Take the place of a job that is to be begun. */
const seat = (bench: Bench, held: Held): Running => {
  const one: Running = { held, lost: false, fiber: undefined }
  // This process may take over from itself, where a lease ran out while it slept: the older run is over.
  const older = bench.running.get(held.job.id)
  if (older !== undefined) {
    bench.replaced.add(older)
    lose(bench, older)
  }
  bench.running.set(held.job.id, one)
  return one
}

/**
 * Runs the jobs that are left, one after the other, on one fiber; whoever made it goes on once a job has to wait, or ends the
 * fiber without having come to its end.
 */
const lane = <R>(bench: Bench, fork: Fork<R | Others>, left: Array<Running>, run: Runner<R>) => {
  let current: Running | undefined
  let fiber: Fiber.RuntimeFiber<void, Refusal> | undefined
  const over = () => {
    const one = current
    current = undefined
    // Kept until the end is written, it would be most of the memory that lives on.
    if (one !== undefined) one.fiber = undefined
    return one
  }
  fiber = fork(Effect.whileLoop({
    while: () => left.length > 0,
    body: () => {
      const one = left.pop() as Running // the loop asked whether there is one
      current = one
      one.fiber = fiber
      return run(one.held, bench.stop)
    },
    step: (attempt) => {
      const one = over()
      if (one !== undefined) ended(bench, fork, one, attempt)
    }
  }))
  // Nobody stops a job before it waits.
  if (current !== undefined) current.fiber = fiber
  fiber.addObserver((exit) => {
    const one = over()
    if (one !== undefined && Exit.isFailure(exit)) cutShort(bench, fork, one, exit.cause)
  })
}

/**
 * Begin all these jobs, now. A job that ends without waiting leaves its fiber to the next one; any other has its own. A fiber
 * each would cost small jobs more than all the rest here.
 */
export const start = <R>(bench: Bench, fork: Fork<R | Others>, claimed: ReadonlyArray<Held>, run: Runner<R>) => {
  if (bench.closed) return
  const left = claimed.map((held) => seat(bench, held)).toReversed()
  while (left.length > 0) lane(bench, fork, left, run)
}

/** Until all that was begun is settled. */
const emptied = (bench: Bench) =>
  Effect.whileLoop({
    while: () => bench.running.size + bench.replaced.size > 0,
    body: () => {
      bench.freed.unsafeClose()
      return bench.freed.await
    },
    step: () => {}
  })

/** Let the batches under way be stored, for as long as the grace lasts. What is left after it is given back as it stands. */
export const drain = (bench: Bench, grace: Duration.Duration) =>
  Effect.gen(function*() {
    yield* Deferred.succeed(bench.stop, undefined)
    yield* Effect.timeoutOption(Effect.interruptible(emptied(bench)), grace)
  })

/** Longer than the patience for one write that whoever stops has left. */
const farewell = Duration.sum(lastWords, Duration.millis(500))

/** Interrupts what is left, and waits until it is given back: not for long, since a lease frees it too. */
const giveBack = (bench: Bench) =>
  Effect.suspend(() => {
    for (const one of [...bench.running.values(), ...bench.replaced]) one.fiber?.unsafeInterruptAsFork(bench.me)
    return Effect.timeoutOption(Effect.interruptible(emptied(bench)), farewell)
  }).pipe(Effect.zipRight(Effect.sync(() => {
    bench.closed = true
  })))

/** An empty bench. When its scope ends, what still runs is interrupted and given back. */
export const make: Effect.Effect<Bench, never, JobQueue | Tenant | Scope.Scope> = Effect.gen(function*() {
  const stop = yield* Deferred.make<void>()
  // First, so that it ends last: what the jobs write when the scope ends must still be written.
  const settle = yield* Effect.provideService(Settle.make, Stopping, Option.some(Deferred.await(stop)))
  const made: Bench = {
    settle,
    stop,
    closed: false,
    running: new Map<JobId, Running>(),
    replaced: new Set<Running>(),
    freed: yield* Effect.makeLatch(),
    news: Bell.make<News>(),
    me: yield* Effect.fiberId,
    beatAt: yield* Ref.make(yield* Clock.currentTimeMillis),
    broken: yield* Deferred.make<never, StoreFailure>()
  }
  yield* Effect.addFinalizer(() => giveBack(made))
  return made
})
