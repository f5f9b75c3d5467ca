import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import { JobQueue } from "../../../domain/job/JobQueue.js"
import type { Held, Settled } from "../../../domain/job/JobQueue.js"
import type { Outcome } from "../../../domain/job/Outcome.js"
import { LeaseLost } from "../../../domain/lease/Lease.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { patiently } from "./PatientStore.js"

/**
 * Writes how attempts ended. Plain ends are written together, and nobody waits for one of them: a job's fiber is over when its handler
 * is. Jobs that do nothing, on a store that answers at once, take 50 us of CPU each so, and 120 where every fiber waits for its write.
 */
export interface Settle {
  /** Writes one end. Fails with LeaseLost where a newer claim exists. */
  readonly alone: (held: Held, outcome: Outcome) => Effect.Effect<Settled, StoreFailure | LeaseLost>
  /** Writes a plain end, in one statement with those of its claim that wait beside it. Returns at once. */
  readonly together: (end: End) => Effect.Effect<void>
}

/** A plain end that is to be written. */
export interface End {
  readonly held: Held
  readonly outcome: Outcome
  /** Hears what became of it. */
  readonly written: (exit: Exit.Exit<void, StoreFailure | LeaseLost>) => Effect.Effect<void>
}

/** Statements under way at a time: each takes a connection. */
const statements = 4

/** As many ends as a worker may have slots. */
const mostEnds = 512

/** These outcomes concern nobody else: jobs of one claim and tenant that end so are written alike, each with its output. */
export const isPlain = ({ _tag }: Outcome) => _tag === "Completed" || _tag === "Released" || _tag === "Cancelled"

/** The ends of one claim and tenant that are alike, in the order in which they came. */
const grouped = (ends: Iterable<End>): ReadonlyArray<ReadonlyArray<End>> => {
  const groups = new Map<string, Array<End>>()
  for (const end of ends) {
    const { held: { fence, tenant }, outcome } = end
    const alike = `${fence} ${outcome._tag} ${outcome._tag === "Completed" && outcome.partial} ${tenant}`
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

/** Writes one group in one statement; whatever becomes of that, everyone concerned hears of it. */
const write = Effect.fnUntraced(function*(group: ReadonlyArray<End>) {
  const queue = yield* JobQueue
  const exit = yield* Effect.exit(patiently(queue.settleAll(group)))
  yield* Effect.forEach(group, (end) => {
    if (Exit.isFailure(exit)) return end.written(Exit.failCause(exit.cause))
    const { fence, job: { id } } = end.held
    return end.written(exit.value.has(id) ? Exit.void : Exit.fail(new LeaseLost({ job: id, fence })))
  }, { discard: true })
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
    // What hears of an end must not stop the others from being written.
    Effect.catchAllCause((cause) =>
      Cause.isInterruptedOnly(cause) ? Effect.failCause(cause) : Effect.logError("An end was not heard", cause)
    ),
    Effect.forever,
    Effect.forkScoped
  )
  const settle: Settle = {
    alone: (held, outcome) => patiently(queue.settle(held, outcome)),
    together: (end) => Queue.offer(ends, end)
  }
  return settle
})
