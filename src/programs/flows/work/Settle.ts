import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import type { Held, Settled } from "../../../domain/job/JobQueue.js"
import type { Outcome } from "../../../domain/job/Outcome.js"
import { LeaseLost } from "../../../domain/lease/Lease.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import type { Tenant } from "../../../domain/store/Tenant.js"
import { patiently } from "./PatientStore.js"

/** Writes how attempts ended. Fails with LeaseLost where a newer claim exists. */
export interface Settle {
  /** Writes one end. */
  readonly alone: (held: Held, outcome: Outcome) => Effect.Effect<Settled, StoreFailure | LeaseLost, Tenant>
  /** Writes a plain end, in one statement with those of its claim that wait beside it. */
  readonly together: (held: Held, outcome: Outcome) => Effect.Effect<void, StoreFailure | LeaseLost>
}

/** A plain end that waits to be written. */
interface End {
  readonly held: Held
  readonly outcome: Outcome
  readonly written: Deferred.Deferred<void, StoreFailure | LeaseLost>
}

/** Statements under way at a time: each takes a connection. */
const statements = 4

/** As many ends as a worker may have slots. */
const mostEnds = 512

/** These outcomes carry nothing of their own and concern nobody else: jobs of one claim that end so are written alike. */
export const isPlain = ({ _tag }: Outcome) => _tag === "Completed" || _tag === "Released" || _tag === "Cancelled"

/** The ends of one claim that are alike, in the order in which they came. */
const grouped = (ends: Iterable<End>): ReadonlyArray<ReadonlyArray<End>> => {
  const groups = new Map<string, Array<End>>()
  for (const end of ends) {
    const alike = `${end.held.fence} ${end.outcome._tag}`
    const group = groups.get(alike)
    if (group === undefined) groups.set(alike, [end])
    else group.push(end)
  }
  return [...groups.values()]
}

/** Waits for an end, and takes with it those that came in the same turn of the scheduler. */
const gathered = Effect.fnUntraced(function*(ends: Queue.Dequeue<End>) {
  const first = yield* Queue.take(ends)
  yield* Effect.yieldNow()
  return Chunk.prepend(yield* Queue.takeUpTo(ends, mostEnds - 1), first)
})

/** Writes one group in one statement; whatever becomes of that, everyone who waits hears of it. */
const write = Effect.fnUntraced(function*(group: ReadonlyArray<End>) {
  const queue = yield* JobQueue
  const [first] = group
  if (first === undefined) return
  const settling = patiently(queue.settleAll(group.map(({ held }) => held), first.outcome))
  yield* Effect.matchCauseEffect(settling, {
    onFailure: (cause) => Effect.forEach(group, ({ written }) => Deferred.failCause(written, cause), { discard: true }),
    onSuccess: (settled) =>
      Effect.forEach(group, ({ held: { fence, job }, written }) =>
        settled.has(job.id)
          ? Deferred.succeed(written, undefined)
          : Deferred.fail(written, new LeaseLost({ job: job.id, fence })), { discard: true })
  })
})

/**
 * Settles the attempts of one worker. What ends while earlier statements are on their way becomes one statement for each claim and
 * kind of end; a job that ends alone is written at once. Lives as long as its scope, which must outlive the jobs.
 */
export const make = Effect.gen(function*() {
  const queue = yield* JobQueue
  const ends = yield* Queue.bounded<End>(mostEnds)
  yield* gathered(ends).pipe(
    Effect.flatMap((waiting) => Effect.forEach(grouped(waiting), write, { concurrency: statements, discard: true })),
    Effect.forever,
    Effect.forkScoped
  )
  const settle: Settle = {
    alone: (held, outcome) => patiently(queue.settle(held, outcome)),
    together: (held, outcome) =>
      Effect.flatMap(
        Deferred.make<void, StoreFailure | LeaseLost>(),
        (written) => Effect.zipRight(Queue.offer(ends, { held, outcome, written }), Deferred.await(written))
      )
  }
  return settle
})
