import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Embedder } from "../../../domain/index/Embedder.js"
import type { EmbedderMismatch } from "../../../domain/index/EmbedderUse.js"
import type { Fingerprint } from "../../../domain/index/Fingerprint.js"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import type { IndexStore } from "../../../domain/index/IndexStore.js"
import type { StoreEmbedder } from "../../../domain/index/StoreEmbedder.js"
import { isOpen } from "../../../domain/job/Job.js"
import type { Job, JobId } from "../../../domain/job/Job.js"
import { served } from "../../../domain/job/JobKinds.js"
import type { RunnableKind } from "../../../domain/job/JobKinds.js"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import { Outcome } from "../../../domain/job/Outcome.js"
import { JobFailed } from "../../../domain/job/Run.js"
import type { Run } from "../../../domain/job/Run.js"
import type { Pacer } from "../../../domain/retry/Pacer.js"
import { holds } from "../../../domain/session/Gate.js"
import { Gates } from "../../../domain/session/Gates.js"
import { isPassing } from "../../../domain/store/StoreFailure.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import * as Paced from "../work/Paced.js"
import * as Worker from "../work/Worker.js"
import * as WorkerLoop from "../work/WorkerLoop.js"
import * as Admission from "./Admission.js"
import { runJob } from "./IndexJob.js"
import { IndexSettings } from "./IndexSettings.js"
import * as KnownModel from "./KnownModel.js"
import { reconciling } from "./Reconcile.js"

/** A foreground program waits for a delay up to this long; past it, it says so and leaves the job queued. */
const patience = Duration.minutes(1)

/** How often a worker makes sure that the store still uses its embedder; each job does so too. */
const admittedEvery = Duration.seconds(5)

/** What one index job needs, beside its tenant. */
type Needs = IndexStore | Fingerprint | Pacer | StoreEmbedder | Embedder | Tenant

/**
 * The kind `index`, for jobs behind this process's embedder alone. `moved` fails where the store uses another embedder: a job that
 * was begun is given back then.
 */
const indexing = Effect.gen(function*() {
  yield* Admission.admitted
  const { batchSize } = yield* IndexSettings
  const embedder = yield* Embedder
  const { concurrency, provider } = embedder
  const calls = yield* Paced.make(provider, concurrency)
  const admission = yield* Admission.remembered
  const moved = yield* Deferred.make<never, EmbedderMismatch>()
  const known: KnownModel.Known = new Set()
  const services = yield* Effect.context<Exclude<Needs, Tenant>>()

  const run = Effect.fnUntraced(function*({ gotOn, held, stop }: Run, source: IndexJob.Source) {
    const profile = yield* admission
    return yield* runJob({ held: { ...held, source }, stop, gotOn }, { batchSize, calls, profile }).pipe(
      Effect.provideService(Embedder, yield* KnownModel.heldTo(embedder, known)),
      Effect.annotateLogs({ job: held.job.id, fence: held.fence })
    )
  }, Effect.catchTag("EmbedderMismatch", (mismatch) => Effect.as(Deferred.fail(moved, mismatch), Outcome.Released())))

  const kind: RunnableKind = {
    kind: IndexJob.kind,
    provider: Option.some(provider),
    timeLimit: undefined,
    ...served<Needs>(services, (given) =>
      Option.match(IndexJob.sourceOf(given.job), {
        onNone: () => new JobFailed({ message: "The stored payload names no source.", detail: "", permanent: true }),
        onSome: (source) => run(given, source)
      }))
  }
  const watching = Admission.admitted.pipe(
    Effect.catchIf((failure) => failure._tag !== "EmbedderMismatch" && isPassing(failure), () => Effect.void),
    Effect.delay(admittedEvery),
    Effect.forever
  )
  return { kind, moved: Effect.raceFirst(Deferred.await(moved), watching) }
})

/**
 * Claim and run index jobs, and those of every other kind that is registered, until `over` ends, and answer what it says. Beside it,
 * sources that lost their vectors are found and history is pruned. Fails with EmbedderMismatch, and has done nothing, where the store
 * uses another embedder; where it moves to another one meanwhile, what is under way is stored first.
 */
export const workUntil = Effect.fn("IndexWorker.workUntil")(function*<A, E, R>(over: Effect.Effect<A, E, R>) {
  const { kind, moved } = yield* indexing
  yield* Effect.forkScoped(reconciling)
  return yield* Worker.workUntil(Effect.raceFirst(over, moved), { kinds: [kind] })
}, Effect.scoped)

/** `workUntil` interrupted. */
export const work = workUntil(Effect.never).pipe(Effect.asVoid)

/** Whether a job that does not run now will not run soon: it stands behind a gate, or a long delay. */
export const isPutOff = Effect.fnUntraced(function*(job: Job) {
  const gates = yield* Gates
  const now = yield* DateTime.now
  const soon = DateTime.addDuration(now, patience)
  const closed = yield* gates.closed
  const cooling = yield* gates.cooling
  return closed.some((gate) => holds(gate, job)) ||
    cooling.some(({ provider, until }) => provider === job.provider && DateTime.greaterThan(until, soon)) ||
    DateTime.greaterThan(job.runAt, soon)
})

/**
 * Run one job, or wait while another worker runs it, until it is closed. Ends early, with the job still pending, where it
 * would wait longer than a minute: behind a closed gate, a cooldown or a backoff.
 */
export const workOn = Effect.fn("IndexWorker.workOn")(function*(id: JobId) {
  const queue = yield* JobQueue
  const { kind, moved } = yield* indexing
  yield* WorkerLoop.work({
    tenants: [yield* Tenant],
    kinds: [kind],
    only: {
      id,
      done: Effect.fnUntraced(function*(running: number) {
        const job = yield* queue.find(id)
        if (!isOpen(job.status)) return true
        return running === 0 && job.status === "pending" && (yield* isPutOff(job))
      }, Effect.catchTag("JobNotFound", () => Effect.succeed(true)))
    },
    over: moved
  })
  return yield* queue.find(id)
})
