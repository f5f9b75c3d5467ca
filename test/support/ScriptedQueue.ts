import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { Reporter } from "../../src/domain/failure/Reporter.js"
import { JobId } from "../../src/domain/job/Job.js"
import { JobQueue } from "../../src/domain/job/JobQueue.js"
import type { ClaimRequest, Held } from "../../src/domain/job/JobQueue.js"
import type { Outcome } from "../../src/domain/job/Outcome.js"
import type { HandlerFailure, Run } from "../../src/domain/job/Run.js"
import { WakeUps } from "../../src/domain/job/WakeUps.js"
import { WorkerId } from "../../src/domain/lease/Lease.js"
import { WorkerLock } from "../../src/domain/lease/WorkerLock.js"
import { Pacer } from "../../src/domain/retry/Pacer.js"
import { Gates } from "../../src/domain/session/Gates.js"
import { StoreRejectedData } from "../../src/domain/store/StoreFailure.js"
import type { StoreFailure } from "../../src/domain/store/StoreFailure.js"
import { work, WorkerSettings } from "../../src/programs/flows/work/WorkerLoop.js"
import type { Only } from "../../src/programs/flows/work/WorkerLoop.js"

/** A queue that does what a test says, and a worker on it: for the tests of what runs jobs, by the test's clock. */

const settings = {
  workers: 8,
  leaseDuration: Duration.minutes(3),
  pollInterval: Duration.seconds(5),
  stallAfter: Duration.hours(1),
  timeSlice: Duration.minutes(1),
  grace: Duration.seconds(10)
}

interface Told {
  /** What each claim answers, in turn; after them nothing is ready. */
  readonly claims: ReadonlyArray<Effect.Effect<ReadonlyArray<Held>, StoreFailure>>
  /** The jobs that a heartbeat finds still held. */
  readonly renewed?: ReadonlyArray<number>
  readonly settled?: Effect.Effect<void, StoreFailure>
  /** Ends that the store cannot take. */
  readonly refuses?: (outcome: Outcome) => boolean
  readonly workers?: number
  readonly stallAfter?: Duration.Duration
  readonly timeSlice?: Duration.Duration
  /** Whether another job is ready that nobody takes. */
  readonly isWaiting?: () => boolean
  /** Whether others see the worker's lock. */
  readonly lock?: Effect.Latch
}

const unstorable = new StoreRejectedData({ sqlState: "22P05", detail: "unsupported Unicode escape sequence" })

/** A queue that answers as told and notes what is settled, and how. */
export const queueOf = (
  { claims, isWaiting = () => false, lock, refuses = () => false, renewed = [], settled = Effect.void, ...how }: Told
) => {
  const ends: Array<string> = []
  const reports: Array<string> = []
  const renewals: Array<ReadonlyArray<number>> = []
  const hints: Array<Effect.Latch> = []
  let claimed = 0
  const slots: Array<number> = []
  const requests: Array<ClaimRequest> = []
  const others: Array<string> = []
  const claim = (request: ClaimRequest) =>
    Effect.suspend(() => {
      slots.push(request.slots)
      requests.push(request)
      return claims[claimed++] ?? Effect.succeed([])
    })
  const layer = Layer.mergeAll(
    Layer.mock(JobQueue, {
      claim,
      disown: () => Effect.succeed(0),
      lost: () => Effect.succeed(new Set()),
      renew: (jobs) =>
        Effect.sync(() => {
          renewals.push(jobs.map(({ job }) => job.id))
          return new Set(renewed.map((id) => JobId.make(id)))
        }),
      settleAll: (all) =>
        Effect.map(settled, () => {
          ends.push(...all.map(({ held: { job }, outcome }) => `${job.id} ${outcome._tag}`))
          return new Set(all.map(({ held: { job } }) => job.id))
        }),
      settle: (one, outcome) =>
        Effect.map(refuses(outcome) ? Effect.fail(unstorable) : settled, () => {
          ends.push(`${one.job.id} ${outcome._tag} ${"error" in outcome ? outcome.error.tag : ""}`)
          return { status: "pending" as const, runAt: Option.none() }
        }),
      isReclaimDue: () => Effect.succeed(false),
      nextReadyIn: () => Effect.sync(() => isWaiting() ? Option.some(Duration.zero) : Option.none())
    }),
    Layer.mock(WorkerLock, {
      register: () => Effect.succeed({ id: WorkerId.make("worker"), seen: lock?.await ?? Effect.void })
    }),
    Layer.mock(WakeUps, { hear: (_, latch) => Effect.sync(() => hints.push(latch)) }),
    Layer.mock(Gates, {
      close: ({ name }, reason) => Effect.sync(() => others.push(`close ${name} ${reason}`) > 0)
    }),
    Layer.mock(Pacer, {
      throttled: (provider, _, wait) => Effect.sync(() => void others.push(`cool ${provider} ${Duration.format(wait)}`))
    }),
    Layer.succeed(Reporter, { report: ({ tag }) => Effect.sync(() => void reports.push(tag)) }),
    Layer.succeed(WorkerSettings, { ...settings, ...how }),
    Logger.remove(Logger.defaultLogger)
  )
  return {
    ends,
    reports,
    renewals,
    layer,
    hint: () => hints.forEach((latch) => latch.unsafeOpen()),
    asked: () => claimed,
    /** For how many slots each claim asked, and the whole of it. */
    slots,
    requests,
    /** What was done to gates and cooldowns. */
    others
  }
}

/** What a kind of the tests does with a job. */
export type Handler = (held: Held, run: Run) => Effect.Effect<Outcome, HandlerFailure>

/** A worker of one kind. */
export const workWith = (
  handler: Handler,
  more: { readonly only?: Only<never>; readonly timeLimit?: Duration.Duration } = {}
) => {
  const { timeLimit, ...rest } = more
  const kind = {
    kind: "test",
    provider: Option.none(),
    timeLimit,
    services: Context.empty(),
    handle: (run: Run) => handler(run.held, run)
  }
  return work({ tenants: ["tests"], kinds: [kind], ...rest })
}

/** Lets everything that is ready happen. */
export const settledDown = TestClock.adjust("10 millis")
