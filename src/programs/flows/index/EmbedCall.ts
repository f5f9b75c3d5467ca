import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as BatchSize from "../../../domain/index/BatchSize.js"
import type * as Bisection from "../../../domain/index/Bisection.js"
import { Embedder } from "../../../domain/index/Embedder.js"
import type { NewVector } from "../../../domain/index/IndexStore.js"
import { classify } from "../../../domain/failure/classify.js"
import { isHangUp } from "../../../domain/failure/Consequence.js"
import { isFailure } from "../../../domain/failure/Failure.js"
import type { Failure } from "../../../domain/failure/Failure.js"
import { isDown } from "../../../domain/job/Job.js"
import type { Claimed } from "../../../domain/job/JobQueue.js"
import { Outcome } from "../../../domain/job/Outcome.js"
import { Ended } from "../../../domain/job/Run.js"
import { retryRequest } from "../../../domain/failure/RetryRequest.js"
import * as CallWatch from "../work/CallWatch.js"
import * as Paced from "../work/Paced.js"

/** The embedder answered in another dimension than the store knows, and no setting says which is right. */
export class SpaceMoved extends Data.TaggedError("SpaceMoved")<{ readonly dimension: number }> {}

/** What the newest call that tells about the provider has shown, and the time that it speaks of, in milliseconds. */
interface Health {
  readonly at: number
  readonly answers: boolean
}

/** What all batches of one pass over a source share. */
export interface Pass {
  readonly job: Claimed
  /** How many texts a call may have. */
  readonly size: Ref.Ref<BatchSize.BatchSize>
  /** The dimension that answers must have; null until a first answer shows it. */
  readonly dimension: Ref.Ref<number | null>
  /** Whether the embedder's own word may move the dimension. */
  readonly movable: boolean
  /** Done once nothing new is to be asked. */
  readonly stop: Deferred.Deferred<void>
  /** What all passes of this process share. */
  readonly calls: Paced.Calls
  /** Whether a text of this pass was served. */
  readonly hasServed: Ref.Ref<boolean>
  /** Whether a call of this pass reached the provider. */
  readonly wasThere: Ref.Ref<boolean>
  /** Texts refused in a row, with none served between them. */
  readonly refusedInRow: Ref.Ref<number>
  readonly health: Ref.Ref<Health>
  readonly probing: Effect.Semaphore
}

/** The lanes' view of a pass that has just begun. */
export const begin = (
  given: Pick<Pass, "job" | "size" | "dimension" | "movable" | "stop" | "calls">
): Effect.Effect<Pass> =>
  Effect.map(
    Effect.all({
      hasServed: Ref.make(false),
      wasThere: Ref.make(false),
      refusedInRow: Ref.make(0),
      health: Ref.make<Health>({ at: Number.NEGATIVE_INFINITY, answers: true }),
      probing: Effect.makeSemaphore(1)
    }),
    (made) => ({ ...given, ...made })
  )

/** A lane waits for a cooldown up to this long; past it the slot is better used by others. */
export const patience = Duration.seconds(5)

const released = new Ended({ outcome: Outcome.Released() })

/** Nothing new is asked once the pass stops, whatever a lane was waiting for. */
const unlessStopping = (pass: Pass) =>
  Effect.flatMap(Deferred.isDone(pass.stop), (stopping) => stopping ? Effect.fail(released) : Effect.void)

const pause = (pass: Pass) => (wait: Duration.Duration) =>
  Effect.zipRight(
    CallWatch.pausing(Effect.raceFirst(Effect.sleep(wait), Deferred.await(pass.stop)), wait),
    unlessStopping(pass)
  )

/** Notes that the call reached the provider. */
const reaching = <A>(pass: Pass, call: Effect.Effect<A, Failure>) =>
  Effect.tapBoth(call, {
    onFailure: (failure) => isHangUp(failure) ? Ref.set(pass.wasThere, true) : Effect.void,
    onSuccess: () => Ref.set(pass.wasThere, true)
  })

/** One request when its grant has come; `begun` keeps the cycle of that. */
const request = Effect.fnUntraced(function*(pass: Pass, texts: ReadonlyArray<string>, begun: Ref.Ref<number>) {
  const embedder = yield* Embedder
  return yield* Paced.call(pass.calls, patience, pause(pass), (cycle) =>
    unlessStopping(pass).pipe(
      Effect.zipRight(Ref.set(begun, cycle)),
      Effect.zipRight(CallWatch.calling(reaching(pass, embedder.embed(texts))))
    ))
})

// Someone else was refused: the job goes back as it is, and nobody claims it before the cooldown is over.
const orReleased = <A, E, R>(asked: Effect.Effect<A, E | Paced.Cooling, R>) =>
  Effect.catchIf(
    asked,
    (error): error is Extract<E | Paced.Cooling, Paced.Cooling> => error instanceof Paced.Cooling,
    () => released
  )

/** One call, with its dimension checked against what the pass knows; `repeats` where it is worth more than one try. */
export const ask = Effect.fnUntraced(
  function*(pass: Pass, slice: ReadonlyArray<Bisection.Asked>, begun: Ref.Ref<number>, repeats: boolean) {
    const embedder = yield* Embedder
    const asked = request(pass, slice.map((one) => one.asked), begun)
    const vectors = yield* orReleased(repeats ? retryRequest(asked) : asked)
    yield* Ref.set(pass.hasServed, true)
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
      setting: "embedder.model",
      contract:
        `the store's vectors of this model have ${expected} dimensions and the answers ${answered}: another model stands ` +
        `behind embedder.url; correct it, or set embedder.dimension to ${answered} and run holdfast embedder set`
    }))
  }
)

/** A short text that every model takes. */
const touchstone = "ok"

/** A provider that is well embeds one word in less than this. */
const touchLimit = Duration.seconds(30)

/** How a provider that is asked again and again is waited for: half a minute in all, longer than most servers need to restart. */
const touchDelays = [0, 1, 2, 4, 8, 15].map(Duration.seconds)

/** One call with the touchstone. Fails with what is not the provider's being down: a rate limit, a lapsed key. */
const touch = Effect.fnUntraced(function*(pass: Pass, begun: Ref.Ref<number>) {
  const at = yield* Clock.currentTimeMillis
  const answer = yield* request(pass, [touchstone], begun).pipe(
    orReleased,
    Effect.timeoutOption(touchLimit),
    Effect.either
  )
  if (Either.isLeft(answer) && !(isFailure(answer.left) && isDown(answer.left._tag))) {
    return yield* Effect.fail(answer.left)
  }
  const answers = Either.isRight(answer) && Option.isSome(answer.right)
  yield* Ref.set(pass.health, { at: answers ? at : yield* Clock.currentTimeMillis, answers })
  return answers
})

/**
 * Whether the provider embeds the touchstone after a call that failed at `failedAt`. One lane at a time asks, up to `tries` times, and
 * all whose calls failed before take its word: a provider that is down hears at most so many calls, however many lanes there are.
 */
export const answers = (
  pass: Pass,
  failedAt: number,
  tries: number,
  begun: Ref.Ref<number>
): Effect.Effect<boolean, Ended | Failure | TouchFailure, TouchNeeds> =>
  pass.probing.withPermits(1)(Effect.gen(function*() {
    const known = yield* Ref.get(pass.health)
    // That it answers is told by a call that began after the failure, that it does not by one that ended after it.
    if (known.answers ? known.at > failedAt : known.at >= failedAt) return known.answers
    for (const delay of touchDelays.slice(0, tries)) {
      yield* pause(pass)(delay)
      if (yield* touch(pass, begun)) return true
    }
    return false
  }))

type TouchFailure = Effect.Effect.Error<ReturnType<typeof touch>>
type TouchNeeds = Effect.Effect.Context<ReturnType<typeof touch>>
