import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { Held, JobQueue } from "../../../domain/job/JobQueue.js"
import type { Run } from "../../../domain/job/Run.js"
import * as Step from "../../../domain/job/Step.js"
import { StepProblem } from "../../../domain/job/Step.js"
import type { LeaseLost } from "../../../domain/lease/Lease.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import * as Storable from "../../../domain/text/Storable.js"
import * as StorableJson from "../../../domain/text/StorableJson.js"
import { patiently } from "./PatientStore.js"

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * The steps of one attempt. Of the finished ones only the names are held: results may be large, and are read when they are asked
 * for. `onStored` hears of each step that was stored.
 */
export const make = (queue: JobQueue["Type"], held: Held, onStored: Effect.Effect<void>): Run["step"] => {
  /** Asked for in this attempt, and not failed. */
  const taken = new Set<string>()
  const loading = Effect.unsafeMakeSemaphore(1)
  let finished: Set<string> | undefined
  const load = loading.withPermits(1)(Effect.suspend(() =>
    finished === undefined
      ? Effect.map(patiently(queue.stepNames(held)), (names) => {
        finished = new Set(names)
        return finished
      })
      : Effect.succeed(finished)
  ))

  const problem = (step: string, reason: StepProblem["reason"], detail = "") =>
    new StepProblem({ step: Storable.cut(Storable.oneLine(step), Step.longestName), reason, detail })

  const tell = (error: { readonly message: string }) => Storable.cut(Storable.oneLine(error.message), 200)

  const stored = <A, I>(name: string, schema: Schema.Schema<A, I>) =>
    Effect.flatMap(patiently(queue.stepResult(held, name)), (result) =>
      Effect.mapError(
        StorableJson.decoded(schema)(result),
        (error) => problem(name, "unreadable", tell(error))
      ))

  const run = Effect.fnUntraced(function*<A, I, E, R>(
    name: string,
    schema: Schema.Schema<A, I>,
    effect: Effect.Effect<A, E, R>,
    known: Set<string>,
    restore: Restore
  ) {
    const began = yield* Clock.currentTimeMillis
    const answer = yield* restore(effect)
    const result = yield* Effect.mapError(
      Schema.encode(schema)(answer),
      (error) => problem(name, "unstorable", `it does not fit its schema (${tell(error)})`)
    )
    yield* Either.mapLeft(
      StorableJson.encoded(result, Step.mostBytes),
      ({ of, why }) => problem(name, of === "size" ? "too-large" : "unstorable", why)
    )
    const millis = (yield* Clock.currentTimeMillis) - began
    yield* patiently(queue.storeStep(held, { name, result, millis }))
    known.add(name)
    yield* onStored
    return answer
  })

  const answered = Effect.fnUntraced(function*<A, I, E, R>(
    name: string,
    schema: Schema.Schema<A, I>,
    effect: (idempotencyKey: string) => Effect.Effect<A, E, R>,
    restore: Restore
  ): Effect.fn.Return<A, E | StepProblem | LeaseLost | StoreFailure, R> {
    const unfit = Storable.nameProblem(name, Step.longestName)
    if (unfit !== undefined) return yield* problem(name, "name", unfit)
    if (taken.has(name)) return yield* problem(name, "twice")
    taken.add(name)
    const known = yield* restore(load)
    if (known.has(name)) return yield* restore(stored(name, schema))
    if (known.size >= Step.mostSteps) return yield* problem(name, "too-many")
    return yield* run(name, schema, effect(Step.idempotencyKey(held.tenant, held.job, name)), known, restore)
  })

  return (name, schema, effect) =>
    // What has ended is stored, also when the job is interrupted at that moment: only the effect itself can be.
    Effect.uninterruptibleMask((restore) => {
      const wasTaken = taken.has(name)
      return Effect.onExit(
        answered(name, schema, Effect.isEffect(effect) ? () => effect : effect, restore),
        // One that failed may be asked for again.
        (exit) => Effect.sync(() => Exit.isFailure(exit) && !wasTaken && taken.delete(name))
      )
    })
}
