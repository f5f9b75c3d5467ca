import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { ProviderUnavailable } from "../../../../src/domain/failure/Failure.js"
import { JobQueue } from "../../../../src/domain/job/JobQueue.js"
import type { Held, Settled } from "../../../../src/domain/job/JobQueue.js"
import type { JobId } from "../../../../src/domain/job/Job.js"
import { Outcome } from "../../../../src/domain/job/Outcome.js"
import type { LeaseLost } from "../../../../src/domain/lease/Lease.js"
import { StoreBroken, StoreUnavailable } from "../../../../src/domain/store/StoreFailure.js"
import type { StoreFailure } from "../../../../src/domain/store/StoreFailure.js"
import * as Settle from "../../../../src/programs/flows/work/Settle.js"
import { held } from "../../../support/Jobs.js"
import * as Outcomes from "../../../support/Outcomes.js"

const succeeded: Settled = { status: "succeeded", runAt: Option.none() }
const all = (jobs: ReadonlyArray<Held>): ReadonlySet<JobId> => new Set(jobs.map(({ job }) => job.id))

/** A statement as the queue saw it: which jobs, and how they ended. */
type Statement = readonly [ids: string, outcome: string]

/** A queue that notes each statement and answers as told. */
const noting = (
  answer: (jobs: ReadonlyArray<Held>, nth: number) => Effect.Effect<ReadonlySet<JobId>, StoreFailure>
) => {
  const statements: Array<Statement> = []
  const queue = Layer.mock(JobQueue, {
    settle: (one, outcome) =>
      Effect.sync(() => {
        statements.push([`${one.job.id}`, outcome._tag])
        return succeeded
      }),
    settleAll: (ends) =>
      Effect.suspend(() => {
        const jobs = ends.map(({ held }) => held)
        const outcomes = new Set(ends.map(({ outcome }) => outcome._tag))
        statements.push([jobs.map(({ job }) => job.id).join(" "), [...outcomes].join(" ")])
        return answer(jobs, statements.length)
      })
  })
  return { statements, layer: queue }
}

const unavailable = new ProviderUnavailable({ provider: "openai", detail: "503" })
const completed = Outcomes.completed
const partial = Outcome.Completed({ output: null, partial: true })

/** Hands in a plain end; answers what became of it. */
const making = Effect.map(
  Settle.make,
  ({ together }) => (held: Held, outcome: Outcome) =>
    Effect.flatMap(Deferred.make<void, StoreFailure | LeaseLost>(), (written) =>
      Effect.zipRight(
        together({ held, outcome, written: (exit) => Effect.asVoid(Deferred.done(written, exit)) }),
        Deferred.await(written)
      ))
)

describe("settling attempts together", () => {
  it.scoped("writes a job that ends alone at once", () => {
    const { layer, statements } = noting((jobs) => Effect.succeed(all(jobs)))
    return Effect.gen(function*() {
      const settle = yield* making
      yield* settle(held(1), completed)
      expect(statements).toEqual([["1", "Completed"]])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("gathers what ends while a statement is on its way, one statement for each claim, tenant and kind of end", () =>
    Effect.gen(function*() {
      const onItsWay = yield* Deferred.make<void>()
      const answered = yield* Deferred.make<void>()
      const { layer, statements } = noting((jobs, nth) =>
        nth > 1
          ? Effect.succeed(all(jobs))
          : Deferred.succeed(onItsWay, undefined).pipe(
            Effect.zipRight(Deferred.await(answered)),
            Effect.as(all(jobs))
          )
      )
      yield* Effect.gen(function*() {
        const settle = yield* making
        const first = yield* Effect.fork(settle(held(1), completed))
        yield* Deferred.await(onItsWay)
        const others = yield* Effect.fork(Effect.all([
          settle(held(2), completed),
          settle(held(3), completed),
          settle(held(4, 2), completed),
          settle(held(5), Outcome.Released()),
          settle(held(6, 2), completed),
          settle(held(7), partial),
          settle(held(8, 1, "others"), completed),
          settle(held(9), Outcome.Completed({ output: { found: 9 }, partial: false }))
        ], { concurrency: "unbounded" }))
        yield* Effect.yieldNow()
        yield* Deferred.succeed(answered, undefined)
        yield* Fiber.join(first)
        yield* Fiber.join(others)
      }).pipe(Effect.scoped, Effect.provide(layer))
      expect(statements.slice(0, 1)).toEqual([["1", "Completed"]])
      expect(statements.slice(1).toSorted()).toEqual([
        ["2 3 9", "Completed"],
        ["4 6", "Completed"],
        ["5", "Released"],
        ["7", "Completed"],
        ["8", "Completed"]
      ])
    }))

  it.scoped("never writes an end that carries a delay or an error together with others", () => {
    const { layer, statements } = noting((jobs) => Effect.succeed(all(jobs)))
    return Effect.gen(function*() {
      const settle = yield* Settle.make
      const halted = Outcomes.halted(unavailable)
      const retried = Outcomes.retried(unavailable, Duration.minutes(1))
      expect([halted, retried].map(Settle.isPlain)).toEqual([false, false])
      yield* Effect.all([settle.alone(held(1), retried), settle.alone(held(2), retried)], { concurrency: "unbounded" })
      expect(statements).toEqual([["1", "Retried"], ["2", "Retried"]])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("tells only the job that a newer claim has that its lease is lost", () => {
    const { layer } = noting((jobs) => Effect.succeed(all(jobs.filter(({ job }) => job.id !== 2))))
    return Effect.gen(function*() {
      const settle = yield* making
      const ends = yield* Effect.all([1, 2, 3].map((id) => Effect.exit(settle(held(id), completed))), {
        concurrency: "unbounded"
      })
      expect(ends.map(Exit.isSuccess)).toEqual([true, false, true])
      expect(yield* Effect.flip(settle(held(2), completed))).toMatchObject({ _tag: "LeaseLost", job: 2, fence: 1 })
    }).pipe(Effect.provide(layer))
  })

  it.scoped("tries a whole statement again while the database is away", () => {
    const { layer, statements } = noting((jobs, nth) =>
      nth < 3 ? Effect.fail(new StoreUnavailable({ detail: "gone" })) : Effect.succeed(all(jobs))
    )
    return Effect.gen(function*() {
      const settle = yield* making
      const both = yield* Effect.fork(
        Effect.all([settle(held(1), completed), settle(held(2), completed)], { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(both)
      expect(statements).toEqual(Array.from({ length: 3 }, () => ["1 2", "Completed"]))
    }).pipe(Effect.provide(layer))
  })

  it.scoped("tells everyone in a statement that failed for good, and goes on with the next", () => {
    const { layer } = noting((jobs, nth) =>
      nth === 1
        ? Effect.fail(new StoreBroken({ sqlState: "42601", detail: "broken" }))
        : nth === 2
        ? Effect.dieMessage("a bug")
        : Effect.succeed(all(jobs))
    )
    return Effect.gen(function*() {
      const settle = yield* making
      const both = Effect.all([1, 2].map((id) => Effect.exit(settle(held(id), completed))), {
        concurrency: "unbounded"
      })
      expect((yield* both).map(Exit.isFailure)).toEqual([true, true])
      expect((yield* both).map(Exit.isFailure)).toEqual([true, true])
      expect((yield* both).map(Exit.isSuccess)).toEqual([true, true])
    }).pipe(Effect.provide(layer))
  })
})
