import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { JobQueue } from "../../domain/job/JobQueue.js"
import type { Held, Settled } from "../../domain/job/JobQueue.js"
import type { Outcome } from "../../domain/job/Outcome.js"
import { LeaseLost } from "../../domain/lease/Lease.js"
import type { Fence } from "../../domain/lease/Lease.js"
import type { StoreFailure } from "../../domain/store/StoreFailure.js"
import type { Tenant } from "../../domain/store/Tenant.js"
import { patiently } from "./PatientStore.js"

/** Why the end of an attempt is not written. LeaseLost where a newer claim exists. */
export type Refused = Cause.Cause<StoreFailure | LeaseLost>

/** Writes how attempts ended. */
export interface Settle {
  /** Writes one end. */
  readonly alone: (held: Held, outcome: Outcome) => Effect.Effect<Settled, StoreFailure | LeaseLost, Tenant>
  /** Writes a plain end together with others; `written` is called once it is, or is known not to be. */
  readonly together: (held: Held, outcome: Outcome, written: (refused: Refused | undefined) => void) => void
}

/** Attempts of one claim that ended alike, in the order in which they ended. */
interface Group {
  readonly outcome: Outcome
  readonly held: Array<Held>
  readonly written: Array<(refused: Refused | undefined) => void>
}

/** Statements under way at a time: each takes a connection. */
const statements = 4

/** These outcomes carry nothing of their own and concern nobody else: jobs of one claim that end so are written alike. */
export const isPlain = ({ _tag }: Outcome) => _tag === "Completed" || _tag === "Released" || _tag === "Cancelled"

/** Writes one group in one statement; whatever becomes of that, everyone who waits hears of it. */
const write = Effect.fnUntraced(function*({ held, outcome, written }: Group) {
  const queue = yield* JobQueue
  yield* patiently(queue.settleAll(held, outcome)).pipe(
    Effect.matchCause({
      onFailure: (cause) => written.forEach((tell) => tell(cause)),
      onSuccess: (settled) =>
        held.forEach(({ fence, job }, nth) =>
          written[nth]?.(settled.has(job.id) ? undefined : Cause.fail(new LeaseLost({ job: job.id, fence })))
        )
    })
  )
})

/**
 * Settles the attempts of one worker. Jobs of one claim that end alike, while an earlier statement is on its way, become one
 * statement; a job that ends alone is written at once. No more can wait than the worker has slots. Lives as long as its scope,
 * which must outlive the jobs.
 */
export const make = Effect.gen(function*() {
  const queue = yield* JobQueue
  // Callbacks and lists: a deferred and a queue would cost each job as much as all that its worker does for it.
  const waiting = new Map<Fence, Array<Group>>()
  const some = yield* Effect.makeLatch()
  const writeAll = Effect.suspend(() => {
    some.unsafeClose()
    const groups = [...waiting.values()].flat()
    waiting.clear()
    return Effect.forEach(groups, write, { concurrency: statements, discard: true })
  })
  const groupOf = (fence: Fence, outcome: Outcome): Group => {
    const claim = waiting.get(fence) ?? []
    if (claim.length === 0) waiting.set(fence, claim)
    const known = claim.find((group) => group.outcome._tag === outcome._tag)
    if (known !== undefined) return known
    const group = { outcome, held: [], written: [] }
    claim.push(group)
    return group
  }
  yield* some.await.pipe(Effect.zipRight(writeAll), Effect.forever, Effect.forkScoped)
  const settle: Settle = {
    alone: (held, outcome) => patiently(queue.settle(held, outcome)),
    together: (held, outcome, written) => {
      const group = groupOf(held.fence, outcome)
      group.held.push(held)
      group.written.push(written)
      some.unsafeOpen()
    }
  }
  return settle
})
