import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { Held } from "../../../domain/job/JobQueue.js"
import { LeaseLost } from "../../../domain/lease/Lease.js"

/** Writes that came too late and changed nothing. */
export const writesRefused = Metric.counter("holdfast_writes_refused", {
  description: "Writes under an old fence that were refused",
  incremental: true
})

/** Counts and logs a write under an old fence. */
export const count = (held: Held): Effect.Effect<void> =>
  Effect.logWarning("A write under an old fence was refused").pipe(
    Effect.annotateLogs({ job: held.job.id, fence: held.fence, worker: held.worker }),
    Effect.zipRight(Metric.increment(writesRefused))
  )

/** A write under an old fence: counted, logged and refused. */
export const refuse = (held: Held): Effect.Effect<never, LeaseLost> =>
  Effect.zipRight(count(held), Effect.fail(new LeaseLost({ job: held.job.id, fence: held.fence })))
