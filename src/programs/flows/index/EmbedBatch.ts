import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Match from "effect/Match"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as BatchSize from "../../../domain/index/BatchSize.js"
import * as Bisection from "../../../domain/index/Bisection.js"
import type { Embedder } from "../../../domain/index/Embedder.js"
import type { PlannedText } from "../../../domain/index/EmbeddingPlan.js"
import type { NewVector } from "../../../domain/index/IndexStore.js"
import * as Text from "../../../domain/index/Text.js"
import { consequence } from "../../../domain/failure/Consequence.js"
import { isFailure } from "../../../domain/failure/Failure.js"
import type { Failure } from "../../../domain/failure/Failure.js"
import { CallContext } from "../../../domain/failure/CallContext.js"
import { ending } from "../../../domain/job/Ending.js"
import { Ended } from "../../../domain/job/Run.js"
import { unpaced } from "../../../domain/retry/Pacer.js"
import type { Pacer } from "../../../domain/retry/Pacer.js"
import * as RetryPolicy from "../../../domain/retry/RetryPolicy.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import type { Tenant } from "../../../domain/store/Tenant.js"
import { answers, ask, patience } from "./EmbedCall.js"
import type { Pass } from "./EmbedCall.js"
import * as Paced from "../work/Paced.js"

/**
 * One batch on its way through the embedder. What a server that is down hears, whatever waits for it: three tries of the batch that
 * each lane had under way, and the few calls with which all lanes together make sure. Only where it embeds another text in
 * between are smaller batches asked for: one guilty text of n costs about three calls a halving.
 */

/** How far a batch is. */
interface Course {
  readonly bisection: Bisection.Bisection
  readonly malformedTries: number
  /** Refusals in a row for the provider's pace. */
  readonly refusals: number
  /** The provider is well, and one of these texts, or their number, is not: each call is made once. */
  readonly isSuspect: boolean
}

/** So many refusals in a row within one batch end the attempt, which bounds them in time. */
const mostRefusals = 10

/** So many texts refused in a row are not the texts' fault, also where each is a batch of its own. */
const mostRefusedInRow = 8

const endingOf = (pass: Pass, failure: Failure, work: CallContext) =>
  Effect.map(Random.next, (random) => ending(failure, consequence(failure, work), pass.job, random))

const ended = (pass: Pass, failure: Failure, work: CallContext) =>
  Effect.flatMap(endingOf(pass, failure, work), (outcome) => new Ended({ outcome }))

/** Everyone on the provider waits, from now on. The lane goes on after a short wait that costs no attempt. */
const cooled = Effect.fnUntraced(function*(
  pass: Pass,
  course: Course,
  slice: ReadonlyArray<Bisection.Asked>,
  failed: { readonly failure: Failure; readonly work: CallContext; readonly cycle: number },
  named: Option.Option<Duration.Duration>
) {
  const outcome = yield* endingOf(pass, failed.failure, failed.work)
  if (outcome._tag !== "Cooled") {
    // This job has no tries left; the others wait all the same.
    if (Option.isSome(named)) yield* Paced.throttled(pass.calls, failed.cycle, named.value)
    return yield* new Ended({ outcome })
  }
  yield* Paced.throttled(pass.calls, failed.cycle, outcome.delay)
  const goesOn = outcome.refunded && course.refusals < mostRefusals &&
    Duration.lessThanOrEqualTo(outcome.delay, patience)
  if (!goesOn) return yield* new Ended({ outcome: { ...outcome, provider: null } })
  return { ...course, bisection: Bisection.again(course.bisection, slice), refusals: course.refusals + 1 }
})

/** A call that failed. */
interface Failed {
  readonly slice: ReadonlyArray<Bisection.Asked>
  readonly failure: Failure
  readonly cycle: number
  readonly at: number
}

type Provider = Extract<CallContext, { readonly _tag: "Embed" }>["provider"]

const workOf = Effect.fnUntraced(function*(pass: Pass, course: Course, slice: Failed["slice"], provider: Provider) {
  const [first] = slice
  const hasServed = yield* Ref.get(pass.hasServed)
  return CallContext.Embed({
    texts: slice.length,
    malformedTries: course.malformedTries,
    neighbours: course.bisection.size > 1 || hasServed ? "served" : "unknown",
    canShorten: slice.length === 1 && first !== undefined && Text.canShorten(first.asked),
    provider,
    wasThere: yield* Ref.get(pass.wasThere)
  })
})

/** What follows from a failed call: the batch as it is asked next, or the end of the attempt. */
const afterFailure = (
  pass: Pass,
  course: Course,
  failed: Failed,
  provider: Provider = "not-asked"
): Effect.Effect<Course, Ended | StoreFailure, Pacer | Embedder | Tenant> =>
  Effect.flatMap(workOf(pass, course, failed.slice, provider), (work) => {
    const { cycle, failure, slice } = failed
    const same = (bisection: Bisection.Bisection) => Effect.succeed({ ...course, bisection })
    return Match.value(consequence(failure, work).action).pipe(
      Match.withReturnType<Effect.Effect<Course, Ended | StoreFailure, Pacer | Embedder | Tenant>>(),
      Match.tagsExhaustive({
        Split: () =>
          Ref.update(pass.size, (size) => BatchSize.lowered(size, slice.length)).pipe(
            Effect.zipRight(same(Bisection.halved(course.bisection, slice)))
          ),
        Bisect: () => same(Bisection.halved(course.bisection, slice)),
        Probe: ({ tries }) => probed(pass, course, failed, tries),
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
        Wait: ({ delay }) => cooled(pass, course, slice, { failure, work, cycle }, delay),
        Park: () => ended(pass, failure, work),
        Halt: () => ended(pass, failure, work)
      })
    )
  })

/**
 * Asks whether the provider is down. Where it is not, the call is made once more before its texts are suspected: it may have failed
 * because of another one.
 */
const probed = Effect.fnUntraced(function*(pass: Pass, course: Course, failed: Failed, tries: number) {
  const begun = yield* Ref.make(unpaced)
  const answer = yield* Effect.either(answers(pass, failed.at, tries, begun))
  if (Either.isLeft(answer)) {
    if (!isFailure(answer.left)) return yield* Effect.fail(answer.left)
    return yield* afterFailure(pass, course, { ...failed, failure: answer.left, cycle: yield* Ref.get(begun) }, "down")
  }
  if (!answer.right) return yield* afterFailure(pass, course, failed, "down")
  if (course.isSuspect) return yield* afterFailure(pass, course, failed, "answers")
  return { ...course, bisection: Bisection.again(course.bisection, failed.slice), isSuspect: true }
})

/** Calls that proved too much for the server are not made in that size again. */
const learned = (pass: Pass, course: Course) =>
  Option.match(Bisection.tooMuch(course.bisection), {
    onNone: () => Effect.succeed(course),
    onSome: ({ rest, texts }) =>
      Effect.as(Ref.update(pass.size, (size) => BatchSize.lowered(size, texts)), { ...course, bisection: rest })
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
  let course: Course = { bisection: Bisection.start(texts), malformedTries: 0, refusals: 0, isSuspect: false }
  while (true) {
    const step = Bisection.next(course.bisection, (yield* Ref.get(pass.size)).now)
    if (Option.isNone(step)) break
    if (yield* Deferred.isDone(pass.stop)) return []
    const begun = yield* Ref.make(unpaced)
    const { rest, slice } = step.value
    const answer = yield* Effect.either(ask(pass, slice, begun, !course.isSuspect))
    if (Either.isRight(answer)) {
      yield* onServed(answer.right)
      yield* Ref.update(pass.size, (size) => BatchSize.served(size, slice.length))
      yield* Ref.set(pass.refusedInRow, 0)
      const served = { bisection: Bisection.served(rest, slice), malformedTries: 0, refusals: 0 }
      course = yield* learned(pass, { ...served, isSuspect: course.isSuspect })
    } else if (isFailure(answer.left)) {
      const cycle = yield* Ref.get(begun)
      const at = yield* Clock.currentTimeMillis
      course = yield* afterFailure(pass, { ...course, bisection: rest }, { slice, failure: answer.left, cycle, at })
    } else {
      return yield* Effect.fail(answer.left)
    }
  }
  const { bisection } = course
  const inRow = yield* Ref.updateAndGet(
    pass.refusedInRow,
    (before) => bisection.served > 0 ? 0 : before + bisection.refused.length
  )
  const nobodysFault = inRow >= mostRefusedInRow && bisection.served === 0
    ? Option.fromNullable(bisection.refused[0]?.failure)
    : Bisection.allRefused(bisection)
  if (Option.isSome(nobodysFault)) {
    return yield* ended(
      pass,
      nobodysFault.value,
      CallContext.Embed({
        texts: 1,
        malformedTries: 0,
        neighbours: "refused",
        canShorten: false,
        provider: "answers",
        wasThere: true
      })
    )
  }
  return bisection.refused
})
