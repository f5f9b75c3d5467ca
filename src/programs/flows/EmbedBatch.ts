import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Bisection from "../../domain/embedding/Bisection.js"
import { Embedder } from "../../domain/embedding/Embedder.js"
import type { PlannedText } from "../../domain/embedding/EmbeddingPlan.js"
import type { NewVector } from "../../domain/embedding/IndexStore.js"
import * as Text from "../../domain/embedding/Text.js"
import { classify } from "../../domain/failure/classify.js"
import { consequence } from "../../domain/failure/Consequence.js"
import { isFailure } from "../../domain/failure/Failure.js"
import type { Failure } from "../../domain/failure/Failure.js"
import { Work } from "../../domain/failure/Work.js"
import { ending } from "../../domain/job/Ending.js"
import type { Claimed } from "../../domain/job/JobQueue.js"
import { Outcome } from "../../domain/job/Outcome.js"
import { unpaced } from "../../domain/retry/Pacer.js"
import type { Pacer } from "../../domain/retry/Pacer.js"
import * as RetryPolicy from "../../domain/retry/RetryPolicy.js"
import type { StoreFailure } from "../../domain/store/StoreFailure.js"
import * as Paced from "./Paced.js"

/** The attempt is over: nothing more is asked, what was served is stored. */
export class Ended extends Data.TaggedError("Ended")<{ readonly outcome: Outcome }> {}

/** The embedder answered in another dimension than the store knows, and no setting says which is right. */
export class SpaceMoved extends Data.TaggedError("SpaceMoved")<{ readonly dimension: number }> {}

/** What all batches of one pass over a source share. */
export interface Pass {
  readonly job: Claimed
  /** The most texts a call may have; a time-out lowers it. */
  readonly limit: Ref.Ref<number>
  /** The dimension that answers must have; null until a first answer shows it. */
  readonly dimension: Ref.Ref<number | null>
  /** Whether the embedder's own word may move the dimension. */
  readonly movable: boolean
  /** Done once nothing new is to be asked. */
  readonly stop: Deferred.Deferred<void>
  /** What all passes of this process share. */
  readonly calls: Paced.Calls
}

/** How far a batch is. */
interface Course {
  readonly bisection: Bisection.Bisection
  readonly malformedTries: number
  /** Refusals in a row for the provider's pace. */
  readonly refusals: number
}

/** A lane waits for a cooldown up to this long; past it the slot is better used by others. */
const patience = Duration.seconds(5)

/** So many refusals in a row within one batch end the attempt, which bounds them in time. */
const mostRefusals = 10

const released = new Ended({ outcome: Outcome.Released() })

/** Nothing new is asked once the pass stops, whatever a lane was waiting for. */
const unlessStopping = (pass: Pass) =>
  Effect.flatMap(Deferred.isDone(pass.stop), (stopping) => stopping ? Effect.fail(released) : Effect.void)

const pause = (pass: Pass) => (wait: Duration.Duration) =>
  Effect.zipRight(Effect.raceFirst(Effect.sleep(wait), Deferred.await(pass.stop)), unlessStopping(pass))

/** One request at its turn; `begun` keeps the cycle of that. */
const request = Effect.fnUntraced(function*(pass: Pass, texts: ReadonlyArray<string>, begun: Ref.Ref<number>) {
  const embedder = yield* Embedder
  return yield* Paced.call(pass.calls, patience, pause(pass), (cycle) =>
    unlessStopping(pass).pipe(
      Effect.zipRight(Ref.set(begun, cycle)),
      Effect.zipRight(embedder.embed(texts))
    ))
})

/** One call, with its dimension checked against what the pass knows. */
const ask = Effect.fnUntraced(function*(pass: Pass, slice: ReadonlyArray<Bisection.Asked>, begun: Ref.Ref<number>) {
  const embedder = yield* Embedder
  const vectors = yield* RetryPolicy.retryRequest(request(pass, slice.map((one) => one.asked), begun)).pipe(
    // Someone else was refused: the job goes back as it is, and nobody claims it before the cooldown is over.
    Effect.catchTag("Cooling", () => released)
  )
  const answered = vectors[0]?.length ?? 0
  const expected = yield* Ref.modify(pass.dimension, (known) => [known, known ?? answered])
  if (expected === null || expected === answered) {
    return slice.map(({ planned }, index): NewVector => ({ hash: planned.hash, vector: vectors[index] ?? [] }))
  }
  if (pass.movable) return yield* new SpaceMoved({ dimension: answered })
  return yield* Effect.fail(classify({
    provider: embedder.provider,
    surface: "embed",
    auth: "none",
    status: 200,
    contract: `expected vectors of ${expected} dimensions, got ${answered}`
  }))
})

const endingOf = (pass: Pass, failure: Failure, work: Work) =>
  Effect.map(Random.next, (random) => ending(failure, consequence(failure, work), pass.job, random))

const ended = (pass: Pass, failure: Failure, work: Work) =>
  Effect.flatMap(endingOf(pass, failure, work), (outcome) => new Ended({ outcome }))

/** Everyone on the provider waits, from now on. The lane goes on after a short wait that costs no attempt. */
const cooled = Effect.fnUntraced(function*(
  pass: Pass,
  course: Course,
  slice: ReadonlyArray<Bisection.Asked>,
  failed: { readonly failure: Failure; readonly work: Work; readonly cycle: number }
) {
  const outcome = yield* endingOf(pass, failed.failure, failed.work)
  if (outcome._tag !== "Cooled") return yield* new Ended({ outcome })
  yield* Paced.refused(pass.calls, failed.cycle, outcome.delay)
  const goesOn = outcome.refunded && course.refusals < mostRefusals &&
    Duration.lessThanOrEqualTo(outcome.delay, patience)
  if (!goesOn) return yield* new Ended({ outcome })
  return { ...course, bisection: Bisection.again(course.bisection, slice), refusals: course.refusals + 1 }
})

/** What follows from a failed call: the batch as it is asked next, or the end of the attempt. */
const afterFailure = Effect.fnUntraced(function*(
  pass: Pass,
  course: Course,
  slice: ReadonlyArray<Bisection.Asked>,
  failure: Failure,
  cycle: number
) {
  const [first] = slice
  const work = Work.Embed({
    texts: slice.length,
    malformedTries: course.malformedTries,
    neighbours: course.bisection.size > 1 ? "served" : "unknown",
    canShorten: slice.length === 1 && first !== undefined && Text.canShorten(first.asked)
  })
  const same = (bisection: Bisection.Bisection) => Effect.succeed({ ...course, bisection })
  return yield* Match.value(consequence(failure, work).action).pipe(
    Match.withReturnType<Effect.Effect<Course, Ended | StoreFailure, Pacer>>(),
    Match.tagsExhaustive({
      Split: () =>
        Ref.update(pass.limit, (limit) => Math.max(1, Math.min(limit, Math.ceil(slice.length / 2)))).pipe(
          Effect.zipRight(same(Bisection.halved(course.bisection, slice)))
        ),
      Bisect: () => same(Bisection.halved(course.bisection, slice)),
      Shorten: () => same(Bisection.shortened(course.bisection, slice)),
      Refuse: () => same(Bisection.refused(course.bisection, slice, failure)),
      Retry: ({ policy, within }) =>
        within === "job"
          ? ended(pass, failure, work)
          : Effect.gen(function*() {
            const history = { attempt: course.malformedTries + 1, elapsed: Duration.zero }
            const delay = RetryPolicy.nextDelay(policy, history, yield* Random.next)
            if (Option.isNone(delay)) return yield* ended(pass, failure, work)
            yield* Effect.sleep(delay.value)
            return {
              ...course,
              bisection: Bisection.again(course.bisection, slice),
              malformedTries: course.malformedTries + 1
            }
          }),
      Wait: () => cooled(pass, course, slice, { failure, work, cycle }),
      Park: () => ended(pass, failure, work),
      Halt: () => ended(pass, failure, work)
    })
  )
})

/**
 * Bring one batch through the embedder, call by call; `onServed` stores each answer before the next call goes out. Answers
 * the texts that were refused, each by itself. Stops between two calls when the pass stops.
 */
export const embedBatch = Effect.fn("EmbedBatch.embedBatch")(function*<E, R>(
  pass: Pass,
  texts: ReadonlyArray<PlannedText>,
  onServed: (vectors: ReadonlyArray<NewVector>) => Effect.Effect<void, E, R>
) {
  let course: Course = { bisection: Bisection.start(texts), malformedTries: 0, refusals: 0 }
  while (true) {
    const step = Bisection.next(course.bisection, yield* Ref.get(pass.limit))
    if (Option.isNone(step)) break
    if (yield* Deferred.isDone(pass.stop)) return []
    const begun = yield* Ref.make(unpaced)
    const { rest, slice } = step.value
    const answer = yield* Effect.either(ask(pass, slice, begun))
    if (Either.isRight(answer)) {
      yield* onServed(answer.right)
      course = { bisection: Bisection.served(rest, slice), malformedTries: 0, refusals: 0 }
    } else if (isFailure(answer.left)) {
      course = yield* afterFailure(pass, { ...course, bisection: rest }, slice, answer.left, yield* Ref.get(begun))
    } else {
      return yield* Effect.fail(answer.left)
    }
  }
  const nobodysFault = Bisection.allRefused(course.bisection)
  if (Option.isSome(nobodysFault)) {
    return yield* ended(
      pass,
      nobodysFault.value,
      Work.Embed({ texts: 1, malformedTries: 0, neighbours: "refused", canShorten: false })
    )
  }
  return course.bisection.refused
})
