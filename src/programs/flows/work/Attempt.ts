import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { CallContext } from "../../../domain/failure/CallContext.js"
import { consequence } from "../../../domain/failure/Consequence.js"
import { isFailure } from "../../../domain/failure/Failure.js"
import * as Ending from "../../../domain/job/Ending.js"
import type { Progress } from "../../../domain/job/Job.js"
import { parentSpan } from "../../../domain/job/JobKind.js"
import type { RunnableKind } from "../../../domain/job/JobKinds.js"
import type { Claimed, Held, JobQueue } from "../../../domain/job/JobQueue.js"
import type { Outcome } from "../../../domain/job/Outcome.js"
import { Ended, JobFailed } from "../../../domain/job/Run.js"
import type { HandlerFailure, Run } from "../../../domain/job/Run.js"
import { idempotencyKey, StepProblem } from "../../../domain/job/Step.js"
import { LeaseLost } from "../../../domain/lease/Lease.js"
import { isStoreFailure } from "../../../domain/store/StoreFailure.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import type { Tenant } from "../../../domain/store/Tenant.js"
import { patiently } from "./PatientStore.js"
import * as Steps from "./Steps.js"

/** One attempt at a job: its handler is run, and however it ends becomes an Outcome, here and nowhere else. */

/** What an attempt needs to know of its worker. */
export interface Given {
  readonly queue: JobQueue["Type"]
  readonly held: Held
  /** Ends when the job is to give way. */
  readonly stop: Effect.Effect<void>
  /** Hears that the job got on, at this time of the process's clock (milliseconds). */
  readonly onProgress: (at: number) => void
}

/** The most that `done` and `total` may be: the database keeps 32 bits. */
const mostCounted = 2_147_483_647

const isCount = (count: number): boolean => Number.isInteger(count) && count >= 0 && count <= mostCounted

const isStorable = ({ detail, done, total }: Progress): boolean =>
  isCount(done) && isCount(total) && Object.values(detail).every(Number.isSafeInteger)

const runOf = ({ held, onProgress, queue, stop }: Given): Run => {
  const gotOn = Effect.map(Clock.currentTimeMillis, onProgress)
  const fenced = <A, E, R>(write: Effect.Effect<A, E, R>, progress?: Progress) =>
    progress === undefined || isStorable(progress)
      ? Effect.zipLeft(queue.fenced(held, Option.fromNullable(progress), write), gotOn)
      : Effect.dieMessage(`A progress has whole numbers from 0 to ${mostCounted}, not ${JSON.stringify(progress)}.`)
  let step: Run["step"] | undefined
  return {
    job: held.job,
    held,
    gotOn,
    stop,
    fenced,
    progress: (progress) => patiently(fenced(Effect.void, progress)),
    // Most jobs have no steps: what they need is made for the first one.
    step: (name, result, effect) => (step ??= Steps.make(queue, held, gotOn))(name, result, effect),
    idempotencyKey: (step) => idempotencyKey(held.tenant, held.job, step)
  }
}

/** How an attempt ends that its handler ended by a failure. What the store refused, or a newer claim took, is not decided here. */
const outcomeOf = (failure: HandlerFailure, job: Claimed): Effect.Effect<Outcome, LeaseLost | StoreFailure> => {
  if (isFailure(failure)) {
    const follows = consequence(failure, CallContext.Agent({ malformedTries: job.attempts - 1 }))
    return Effect.map(Random.next, (random) => Ending.ending(failure, follows, job, random))
  }
  if (failure instanceof LeaseLost || isStoreFailure(failure)) return Effect.fail(failure)
  if (failure instanceof Ended) return Effect.succeed(failure.outcome)
  if (failure instanceof JobFailed) return Effect.map(Random.next, (random) => Ending.failed(failure, job, random))
  // Types can be got round: what fails with anything else is a bug of its own.
  return failure instanceof StepProblem ? Effect.succeed(Ending.brokenStep(failure)) : Effect.die(failure)
}

/** The handler in its time. */
const limited = <R>(
  handling: Effect.Effect<Outcome, HandlerFailure, R>,
  { timeLimit }: RunnableKind,
  job: Claimed
): Effect.Effect<Outcome, HandlerFailure, R> =>
  timeLimit === undefined ? handling : Effect.flatMap(
    Effect.timeoutOption(handling, timeLimit),
    Option.match({
      onSome: (outcome) => Effect.succeed(outcome),
      onNone: () => Effect.map(Random.next, (random) => Ending.timedOut(timeLimit, job, random))
    })
  )

/** Run the handler; answers how the attempt ended. Fails where the lease is lost, or the store stays away or refuses what is written. */
export const attempt = (
  kind: RunnableKind,
  given: Given
): Effect.Effect<Outcome, LeaseLost | StoreFailure, Tenant> => {
  const { job } = given.held
  const handling = limited(kind.handle(runOf(given)), kind, job).pipe(
    Effect.catchAll((failure) => outcomeOf(failure, job))
  )
  return job.trace === null ? handling : Option.match(parentSpan(job.trace), {
    onNone: () => handling,
    onSome: (parent) => Effect.withSpan(handling, `job ${job.kind}`, { parent, attributes: { job: job.id } })
  })
}
