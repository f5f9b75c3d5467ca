import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import type { JobId } from "../../domain/job/Job.js"
import { JobQueue } from "../../domain/job/JobQueue.js"
import type { Claimer, Held } from "../../domain/job/JobQueue.js"
import { WakeUps } from "../../domain/job/WakeUps.js"
import { heartbeatEvery } from "../../domain/lease/Lease.js"
import { WorkerLock } from "../../domain/lease/WorkerLock.js"
import type { Registered } from "../../domain/lease/WorkerLock.js"
import { isPassing } from "../../domain/store/StoreFailure.js"
import type { StoreFailure } from "../../domain/store/StoreFailure.js"
import * as Bench from "./Bench.js"
import { lastWords, patiently, Stopping } from "./PatientStore.js"

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
  /** How long a shutdown waits for the batches under way; writing their ends may take two seconds more. */
  readonly grace: Duration.Duration
}>() {}

/** How often the jobs of dead workers are looked for; with a takeover target of two seconds. */
const reclaimEvery = Duration.seconds(1)

/** Renew all leases with one statement; a job whose lease is gone is stopped at once. */
const beat = Effect.fnUntraced(function*(bench: Bench.Bench, leaseDuration: Duration.Duration) {
  const queue = yield* JobQueue
  const at = yield* Clock.currentTimeMillis
  const running = [...bench.running.values()]
  const held = yield* queue.renew(running.map((one) => one.held), leaseDuration)
  for (const one of running) if (!held.has(one.held.job.id)) Bench.lose(bench, one)
  yield* Ref.set(bench.beatAt, at)
})

const heartbeat = Effect.fnUntraced(function*(bench: Bench.Bench, leaseDuration: Duration.Duration) {
  const every = heartbeatEvery(leaseDuration)
  yield* beat(bench, leaseDuration).pipe(
    Effect.tapError(Bench.logStore("The heartbeat failed and is tried again")),
    Effect.retry(Schedule.spaced(Duration.min(every, Duration.seconds(1)))),
    Effect.delay(every),
    Effect.forever
  )
})

/** A process that slept through its leases renews them first: what nobody took is still its own, and not a dead worker's. */
const wake = Effect.fnUntraced(function*(bench: Bench.Bench, leaseDuration: Duration.Duration) {
  const quiet = (yield* Clock.currentTimeMillis) - (yield* Ref.get(bench.beatAt))
  if (quiet >= Duration.toMillis(leaseDuration)) yield* beat(bench, leaseDuration)
})

const takeOver = Effect.fnUntraced(function*(bench: Bench.Bench, leaseDuration: Duration.Duration) {
  const queue = yield* JobQueue
  if (!(yield* queue.isReclaimDue)) return
  // Last of all before: the process may have slept since it asked.
  yield* wake(bench, leaseDuration)
  const { failed, freed } = yield* queue.reclaim
  if (freed + failed > 0) {
    yield* Effect.logWarning(`Took over from dead workers: ${freed} jobs run again, ${failed} failed for good`)
  }
})

const reclaim = Effect.fnUntraced(function*(bench: Bench.Bench, leaseDuration: Duration.Duration) {
  yield* takeOver(bench, leaseDuration).pipe(
    Effect.catchAll(Bench.logStore("Looking for dead workers failed and is tried again")),
    Effect.delay(reclaimEvery),
    Effect.forever
  )
})

/** From so many slots on, a freed one waits for others, so that a backlog is claimed in few statements. */
const manySlots = 16

/** How long it waits. */
const company = Duration.millis(5)

/** What one worker works with. Read once: the way from a hint to a claim is short. */
interface Shift {
  readonly bench: Bench.Bench
  readonly queue: JobQueue["Type"]
  readonly claimer: Claimer
  readonly settings: WorkSettings["Type"]
  readonly worker: Registered
  readonly begin: (claimed: ReadonlyArray<Held>) => void
  /** The one job that is worked on; none means every job. */
  readonly only: JobId | undefined
  /** Whose jobs are worked on; none means every provider's. */
  readonly provider: string | undefined
}

const requestOf = ({ bench, provider, settings, worker }: Shift) => ({
  worker: worker.id,
  slots: settings.workers - bench.running.size,
  duration: settings.leaseDuration,
  ...(provider === undefined ? {} : { provider })
})

/**
 * Waits for a claim that was sent, also when interrupted: a claimed job that nobody runs would count as a crash. A database that
 * does not answer is not waited for.
 */
const sentClaim = <E>(over: Effect.Effect<void, E>) =>
  Effect.timeoutOption(Effect.interruptible(Effect.exit(over)), lastWords)

/** Claim for all free slots and begin. */
const claim = (shift: Shift) => {
  const { begin, only, queue } = shift
  const request = requestOf(shift)
  if (request.slots <= 0) return Effect.void
  return Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Effect.forkDaemon(Effect.map(queue.claim(only === undefined ? request : { ...request, only }), begin)),
      (claiming) => Effect.onInterrupt(restore(Fiber.join(claiming)), () => sentClaim(Fiber.join(claiming)))
    )
  )
}

/** A store that blinks costs a pause; any other trouble ends the worker. Who waits for one job is not kept waiting for ever. */
const claimPatiently = (shift: Shift) => {
  const claiming = Effect.suspend(() => claim(shift))
  return shift.only !== undefined ? patiently(claiming) : claiming.pipe(
    Effect.catchIf(isPassing, (failure) =>
      Effect.zipRight(
        Bench.logStore("Claiming failed and is tried again")(failure),
        Effect.sleep("1 second")
      ))
  )
}

/** Between two looks at the table, however soon the next job says that it is ready: another worker may have it. */
const shortestPause = Duration.millis(20)

/** How often a wait for one job looks at it. */
const watchEvery = Duration.millis(500)

/**
 * Waits for news, and claims in the very call that brings a hint: its job is begun before any fiber runs. Answers whether to claim
 * the usual way: for other news, which often come by the hundreds in one call, while others do not see the worker's lock, and after a
 * failure.
 */
const claimAtHint = (shift: Shift) =>
  Effect.async<boolean>((resume) => {
    const { begin, bench, claimer, worker } = shift
    const over = Deferred.unsafeMake<void>(bench.me)
    let sent = false
    const stop = bench.news.listen((news) => {
      if (news !== "hint" || !worker.isSeen()) return resume(Effect.succeed(true))
      const request = requestOf(shift)
      // What rings from now on may be too late for this claim.
      bench.news.silence()
      sent = true
      claimer(request, (claimed) => {
        if (Exit.isSuccess(claimed)) begin(claimed.value)
        Deferred.unsafeDone(over, Effect.void)
        resume(Effect.succeed(Exit.isFailure(claimed)))
      })
    })
    // Who is interrupted begins what was claimed meanwhile: nobody else would run it.
    return Effect.suspend(() => sent ? sentClaim(Deferred.await(over)) : Effect.sync(stop))
  })

const newsOf = ({ bench }: Shift) =>
  Effect.async<true>((resume) => Effect.sync(bench.news.listen(() => resume(Effect.succeed(true)))))

/**
 * Until a job may be ready, a slot is free, or the poll is due; answers whether to claim now. The alarm of the pause before is
 * silenced here, and not when that ended: then there was something to claim.
 */
const pause = Effect.fnUntraced(
  function*(shift: Shift, alarm: Ref.Ref<Fiber.Fiber<unknown>>) {
    const { bench, only, provider, queue, settings: { pollInterval, workers } } = shift
    if (bench.running.size >= workers) {
      yield* bench.freed.await
      if (bench.running.size > 0 && workers >= manySlots) yield* Effect.sleep(company)
      return true
    }
    const next = yield* Effect.orElseSucceed(
      Effect.disconnect(queue.nextReadyIn(provider)),
      () => Option.none<Duration.Duration>()
    )
    const atMost = only !== undefined
      ? Duration.min(pollInterval, watchEvery)
      : Option.match(next, {
        onNone: () => pollInterval,
        onSome: Duration.clamp({ minimum: shortestPause, maximum: pollInterval })
      })
    const ringing = yield* Effect.forkScoped(Effect.delay(Effect.sync(() => bench.news.ring("time")), atMost))
    yield* Fiber.interruptFork(yield* Ref.getAndSet(alarm, ringing))
    return yield* only === undefined ? claimAtHint(shift) : newsOf(shift)
  }
)

/** The one job that is worked on, by whoever waits for it. */
export interface Only<R> {
  readonly id: JobId
  /** Asked before each claim, with the number of jobs that run here. */
  readonly done: (running: number) => Effect.Effect<boolean, StoreFailure, R>
}

/** Whose jobs alone are worked on, and what ends the work from outside, well or not. */
export interface Own<A, E, R> {
  readonly provider: string
  readonly over: Effect.Effect<A, E, R>
}

/**
 * Work until interrupted, or until the only job is done: claim what is ready, run it, keep its leases. An interruption stops
 * claiming, lets the batches under way be stored, gives the leases back and then ends; so does the end of `own.over`.
 */
export const workWith = Effect.fn("Work.workWith")(
  function*<R, R2 = never, A = never, E = never, R3 = never>(
    run: Bench.Runner<R>,
    only?: Only<R2>,
    own?: Own<A, E, R3>
  ) {
    const settings = yield* WorkSettings
    const worker = yield* (yield* WorkerLock).register
    const jobs = yield* Bench.make
    const alarm = yield* Ref.make<Fiber.Fiber<unknown>>(Fiber.void)
    // Jobs are begun inside the claim, which cannot be interrupted, but can be interrupted themselves.
    const stopping = Option.some(Deferred.await(jobs.stop))
    const runtime = Effect.provideService(Effect.runtime<R | Bench.Others>(), Stopping, stopping)
    const fork = Runtime.runFork(yield* Effect.interruptible(runtime))
    const queue = yield* JobQueue
    const shift: Shift = {
      bench: jobs,
      queue,
      claimer: yield* queue.claimer,
      settings,
      worker,
      begin: (claimed) => Bench.start(jobs, fork, claimed, run),
      only: only?.id,
      provider: own?.provider
    }
    // Disconnected: a statement without an answer is left behind when the scope ends.
    yield* Effect.forkScoped(Effect.disconnect(heartbeat(jobs, settings.leaseDuration)))
    yield* Effect.forkScoped(Effect.disconnect(reclaim(jobs, settings.leaseDuration)))
    yield* Effect.addFinalizer(() => Bench.drain(jobs, settings.grace))
    yield* (yield* WakeUps).hear(() => jobs.news.ring("hint"))
    const claiming = claimPatiently(shift)
    const loop = Effect.gen(function*() {
      while (true) {
        // Before anything is asked, so that what happens meanwhile cuts the next pause short.
        jobs.freed.unsafeClose()
        jobs.news.silence()
        if (only !== undefined && (yield* Effect.disconnect(only.done(jobs.running.size)))) return
        yield* worker.seen
        yield* claiming
        while (!(yield* pause(shift, alarm)));
      }
    })
    const working = only === undefined ? loop : Effect.raceFirst(loop, Deferred.await(jobs.broken))
    // Inside of the scope: whoever is interrupted here still waits for the batches under way.
    yield* own === undefined ? working : Effect.raceFirst(working, own.over)
  },
  Effect.scoped
)
