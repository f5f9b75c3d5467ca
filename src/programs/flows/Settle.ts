import * as Effect from "effect/Effect"
import { JobQueue } from "../../domain/job/JobQueue.js"
import type { Held, Settled } from "../../domain/job/JobQueue.js"
import type { Outcome } from "../../domain/job/Outcome.js"
import { LeaseLost } from "../../domain/lease/Lease.js"
import type { StoreFailure } from "../../domain/store/StoreFailure.js"
import { patiently } from "./PatientStore.js"

/** Writes how an attempt ended. Refused with LeaseLost when a newer claim exists. */
export type Settle = (held: Held, outcome: Outcome) => Effect.Effect<Settled, StoreFailure | LeaseLost>

/** An attempt whose end is to be written, and how to tell who waits for that. */
interface Ended {
  readonly held: Held
  readonly outcome: Outcome
  readonly written: (answer: Effect.Effect<Settled, StoreFailure | LeaseLost>) => void
}

/** Statements under way at a time: each takes a connection. */
const statements = 4

/** These outcomes carry nothing of their own and concern nobody else: jobs of one claim that end so are written alike. */
export const isPlain = ({ _tag }: Outcome) => _tag === "Completed" || _tag === "Released" || _tag === "Cancelled"

const groups = (ended: Iterable<Ended>): ReadonlyArray<ReadonlyArray<Ended>> => {
  const alike = new Map<string, Array<Ended>>()
  for (const one of ended) {
    const key = `${one.held.fence} ${one.outcome._tag}`
    const group = alike.get(key)
    if (group === undefined) alike.set(key, [one])
    else group.push(one)
  }
  return [...alike.values()]
}

const answer = (one: Ended, settled: Settled | undefined) =>
  one.written(
    settled === undefined
      ? Effect.fail(new LeaseLost({ job: one.held.job.id, fence: one.held.fence }))
      : Effect.succeed(settled)
  )

/** Writes one group in one statement; whatever becomes of that, everyone who waits hears of it. */
const write = Effect.fn("Settle.write")(function*(group: ReadonlyArray<Ended>) {
  const queue = yield* JobQueue
  const [first] = group
  if (first === undefined) return
  yield* patiently(queue.settleAll(group.map(({ held }) => held), first.outcome)).pipe(
    Effect.matchCause({
      onFailure: (cause) => group.forEach((one) => one.written(Effect.failCause(cause))),
      onSuccess: (settled) => group.forEach((one) => answer(one, settled.get(one.held.job.id)))
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
  // A callback and a list: a deferred and a queue would cost each job as much as all that its worker does for it.
  const waiting: Array<Ended> = []
  const some = yield* Effect.makeLatch()
  const writeAll = Effect.suspend(() => {
    some.unsafeClose()
    return Effect.forEach(groups(waiting.splice(0)), write, { concurrency: statements, discard: true })
  })
  yield* some.await.pipe(Effect.zipRight(writeAll), Effect.forever, Effect.forkScoped)
  const gathered = (held: Held, outcome: Outcome) =>
    Effect.async<Settled, StoreFailure | LeaseLost>((written) => {
      waiting.push({ held, outcome, written })
      some.unsafeOpen()
    })
  const settle: Settle = (held, outcome) =>
    isPlain(outcome) ? gathered(held, outcome) : patiently(queue.settle(held, outcome))
  return settle
})
