import type * as AiError from "@effect/ai/AiError"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Part } from "../../domain/chat/ChatProvider.js"
import { classify } from "../../domain/failure/classify.js"
import type { Failure } from "../../domain/failure/Failure.js"
import { unfinished } from "../http/chat/Reading.js"
import type { Peer } from "../http/WireFailure.js"
import * as Wire from "../http/WireFailure.js"
import * as AiFailure from "./AiFailure.js"
import * as PartReading from "./PartReading.js"
import type { StreamPart } from "./PartReading.js"

/** How long an answer's next piece is waited for. */
export interface Limits {
  readonly first: Duration.Duration
  readonly between: Duration.Duration
}

/** How long a model's stream may go on behind the end of its answer: one that has ended leaves its connection to the next request. */
const patience = Duration.millis(250)

interface Step {
  readonly parts: ReadonlyArray<Part>
  /** What comes next; null where nothing does. */
  readonly next: Effect.Effect<Step, Failure> | null
}

const failing = (failure: (now: number) => Failure) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(failure(now)))

/** The parts of an answer until its end. One fiber reads them; whoever stops reading ends the model's stream. */
export const parts = <R>(
  peer: Peer,
  limits: Limits,
  answer: Stream.Stream<StreamPart, AiError.AiError, R>
): Stream.Stream<Part, Failure, R> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const pull = yield* Stream.toPull(Stream.filter(answer, PartReading.grows))
    const context = yield* Effect.context<R>()
    const closing = pull.pipe(
      Effect.forever,
      Effect.timeoutOption(patience),
      Effect.ignore,
      Effect.as<Step>({ parts: [], next: null }),
      Effect.provide(context)
    )

    const look = (limit: Duration.Duration, state: PartReading.State): Effect.Effect<Step, Failure> =>
      pull.pipe(
        Effect.repeat({ until: Chunk.isNonEmpty }),
        Effect.mapError(Option.match({
          onNone: () => (now: number) => AiFailure.ofContract(peer, unfinished, now),
          onSome: (error) => (now: number) => AiFailure.ofAiError(peer, error, now)
        })),
        Effect.timeoutFail({
          duration: limit,
          onTimeout: () => (now: number) => classify(Wire.ofTimeout(peer, limit, now))
        }),
        Effect.catchAll(failing),
        Effect.flatMap((found) => Effect.map(Clock.currentTimeMillis, (now) => taken(found, state, now))),
        Effect.provide(context)
      )

    const taken = (found: Iterable<StreamPart>, start: PartReading.State, now: number): Step => {
      const made: Array<Part> = []
      let state = start
      for (const part of found) {
        const read = PartReading.add(peer, state, part, now)
        // what came before the trouble is the reader's all the same
        if (Either.isLeft(read)) return { parts: made, next: Effect.fail(read.left) }
        state = read.right.state
        made.push(...read.right.parts)
        if (read.right.over) return { parts: made, next: closing }
      }
      return { parts: made, next: look(limits.between, state) }
    }

    return Stream.paginateChunkEffect(
      look(limits.first, PartReading.start),
      Effect.map(({ next, parts }) => [Chunk.unsafeFromArray([...parts]), Option.fromNullable(next)] as const)
    )
  }))
