import * as Data from "effect/Data"
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
import type { Failure } from "../../domain/failure/Failure.js"
import { Work } from "../../domain/failure/Work.js"
import { ending } from "../../domain/job/Ending.js"
import type { Job } from "../../domain/job/Job.js"
import type { Outcome } from "../../domain/job/Outcome.js"
import * as RetryPolicy from "../../domain/retry/RetryPolicy.js"

/** The attempt is over: nothing more is asked, what was served is stored. */
export class Ended extends Data.TaggedError("Ended")<{ readonly outcome: Outcome }> {}

/** The embedder answered in another dimension than the store knows, and no setting says which is right. */
export class SpaceMoved extends Data.TaggedError("SpaceMoved")<{ readonly dimension: number }> {}

/** What all batches of one pass over a source share. */
export interface Pass {
  readonly job: Job
  /** The most texts a call may have; a time-out lowers it. */
  readonly limit: Ref.Ref<number>
  /** The dimension that answers must have; null until a first answer shows it. */
  readonly dimension: Ref.Ref<number | null>
  /** Whether the embedder's own word may move the dimension. */
  readonly movable: boolean
  /** True once nothing new is to be asked. */
  readonly stopping: Effect.Effect<boolean>
}

interface Pace {
  readonly bisection: Bisection.Bisection
  readonly malformedTries: number
}

/** One call, with its dimension checked against what the pass knows. */
const ask = Effect.fnUntraced(function*(pass: Pass, slice: ReadonlyArray<Bisection.Asked>) {
  const embedder = yield* Embedder
  const vectors = yield* RetryPolicy.retryRequest(embedder.embed(slice.map((one) => one.asked)))
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

const ended = (pass: Pass, failure: Failure, work: Work) =>
  Effect.flatMap(
    Random.next,
    (random) => new Ended({ outcome: ending(failure, consequence(failure, work).action, pass.job, random) })
  )

/** What follows from a failed call: the batch as it is asked next, or the end of the attempt. */
const afterFailure = Effect.fnUntraced(function*(
  pass: Pass,
  pace: Pace,
  slice: ReadonlyArray<Bisection.Asked>,
  failure: Failure
) {
  const [first] = slice
  const work = Work.Embed({
    texts: slice.length,
    malformedTries: pace.malformedTries,
    neighbours: pace.bisection.size > 1 ? "served" : "unknown",
    canShorten: slice.length === 1 && first !== undefined && Text.canShorten(first.asked)
  })
  const same = (bisection: Bisection.Bisection) => Effect.succeed({ ...pace, bisection })
  return yield* Match.value(consequence(failure, work).action).pipe(
    Match.withReturnType<Effect.Effect<Pace, Ended>>(),
    Match.tagsExhaustive({
      Split: () =>
        Ref.update(pass.limit, (limit) => Math.max(1, Math.min(limit, Math.ceil(slice.length / 2)))).pipe(
          Effect.zipRight(same(Bisection.halved(pace.bisection, slice)))
        ),
      Bisect: () => same(Bisection.halved(pace.bisection, slice)),
      Shorten: () => same(Bisection.shortened(pace.bisection, slice)),
      Refuse: () => same(Bisection.refused(pace.bisection, slice, failure)),
      Retry: ({ policy, within }) =>
        within === "job"
          ? ended(pass, failure, work)
          : Effect.gen(function*() {
            const history = { attempt: pace.malformedTries + 1, elapsed: Duration.zero }
            const delay = RetryPolicy.nextDelay(policy, history, yield* Random.next)
            if (Option.isNone(delay)) return yield* ended(pass, failure, work)
            yield* Effect.sleep(delay.value)
            return {
              bisection: Bisection.again(pace.bisection, slice),
              malformedTries: pace.malformedTries + 1
            }
          }),
      Wait: () => ended(pass, failure, work),
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
  let pace: Pace = { bisection: Bisection.start(texts), malformedTries: 0 }
  while (true) {
    const step = Bisection.next(pace.bisection, yield* Ref.get(pass.limit))
    if (Option.isNone(step)) break
    if (yield* pass.stopping) return []
    const { rest, slice } = step.value
    const answer = yield* Effect.either(ask(pass, slice))
    if (Either.isRight(answer)) {
      yield* onServed(answer.right)
      pace = { bisection: Bisection.served(rest, slice), malformedTries: 0 }
    } else if (answer.left._tag === "SpaceMoved") {
      return yield* answer.left
    } else {
      pace = yield* afterFailure(pass, { ...pace, bisection: rest }, slice, answer.left)
    }
  }
  const nobodysFault = Bisection.allRefused(pace.bisection)
  if (Option.isSome(nobodysFault)) {
    return yield* ended(
      pass,
      nobodysFault.value,
      Work.Embed({ texts: 1, malformedTries: 0, neighbours: "refused", canShorten: false })
    )
  }
  return pace.bisection.refused
})
