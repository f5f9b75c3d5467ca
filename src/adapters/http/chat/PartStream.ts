import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Part } from "../../../domain/chat/ChatProvider.js"
import { recognise } from "../../../domain/failure/classify.js"
import * as Success from "../../../domain/failure/Success.js"
import type { WireFailure } from "../../../domain/failure/WireFailure.js"
import * as Exchange from "../Exchange.js"
import type { Peer } from "../WireFailure.js"
import * as Wire from "../WireFailure.js"
import { frameLimit } from "./Framing.js"
import type { Frame } from "./Framing.js"
import type { Read, Reading } from "./Reading.js"
import * as Watch from "./Watch.js"
import type { Limits } from "./Watch.js"

/**
 * The parts of an answer, as its bytes arrive. A success says little at its beginning: its stream may hold an error, end in one, break
 * off, or fall silent. Each of these becomes a record for `classify`, as every other failure does.
 */

/** The longest answer that is read, in characters. */
const answerLimit = 64 * 1024 * 1024

/** How much of a body is kept that holds no event, in characters: it may be an error, or a web page. */
const headLimit = 64 * 1024

/** How long a body may go on behind the end of its answer: one that has ended leaves its connection to the next request. */
const patience = Duration.millis(250)

/** What one look at the wire brought. */
interface Step {
  readonly parts: ReadonlyArray<Part>
  readonly grew: boolean
  readonly over: boolean
}

/** Why a frame ends the answer: the contract that it breaks, or null where it is an error by itself. */
interface Trouble {
  readonly contract: string | null
  readonly raw: string
}

const withoutEvents = (head: string): string =>
  head.trim() === ""
    ? "the answer is empty"
    : /^\s*</u.test(head)
    ? "the answer is a web page, not a stream of events"
    : "the answer is not a stream of events"

/** The text of a body as it arrives, null at its end. What was coded is decoded as a whole: nobody asked for it. */
const textOf = (peer: Peer, response: HttpClientResponse.HttpClientResponse) =>
  Effect.gen(function*() {
    if (response.headers["content-encoding"] !== undefined) {
      let read = false
      return Effect.suspend(() => {
        if (read) return Effect.succeed(null)
        read = true
        return Effect.map(Exchange.read(peer)(response), ({ body }): string | null => body)
      })
    }
    const pull = yield* Stream.toPull(response.stream)
    const decoder = new TextDecoder()
    return pull.pipe(
      Effect.map((chunks): string | null =>
        Chunk.reduce(chunks, "", (text, bytes) => text + decoder.decode(bytes, { stream: true }))
      ),
      Effect.catchAll(Option.match({
        onNone: () => Effect.succeed(null),
        onSome: (error) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            const answer = { status: response.status, headers: { ...response.headers }, body: "" }
            return Effect.fail({ ...Wire.ofCutAnswer(peer, answer, error.cause, now), streaming: true })
          })
      }))
    )
  })

/** A fold over the body of one response, whose state is here. One fiber reads it. */
const reader = Effect.fnUntraced(function*<S>(
  peer: Peer,
  reading: Reading<S>,
  watch: Watch.Watch,
  response: HttpClientResponse.HttpClientResponse
): Effect.fn.Return<
  { readonly next: Effect.Effect<Step, WireFailure>; readonly close: Effect.Effect<void> },
  never,
  Scope.Scope
> {
  const text = yield* textOf(peer, response)
  const framing = reading.framing()
  let state = reading.start
  let head = ""
  let size = 0
  let frames = 0
  let ended = false
  let trouble: Trouble | null = null

  const record = (trouble: Trouble, now: number): WireFailure => {
    const answer = { status: response.status, headers: { ...response.headers }, body: trouble.raw }
    const { contract } = trouble
    return {
      ...(contract === null ? Wire.ofAnswer(peer, answer, now) : Wire.ofContract(peer, contract, now, answer)),
      streaming: true
    }
  }
  const fail = (trouble: Trouble) => Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(record(trouble, now)))

  /** An ending that the wire does not know is a failure where `classify` knows it: a filter, a limit, a lack of room. */
  const endsBadly = (document: unknown, raw: string): boolean =>
    Success.endings(document).some(([, word]) =>
      typeof word === "string" && word !== "" && !Object.hasOwn(reading.endings, word)
    ) && recognise(record({ contract: null, raw }, 0)).rule !== "success/malformed"

  const isFault = (document: unknown, raw: string): boolean =>
    Success.mayTell(raw) && (Success.faults(document).length > 0 || endsBadly(document, raw))

  const over = (): Either.Either<Read<S>, string> =>
    Either.map(reading.end(state), (parts) => ({ state, parts, grew: true, over: true }))

  const readFrame = ({ data, raw }: Frame): Either.Either<Read<S>, Trouble> => {
    if (data === "[DONE]") return Either.mapLeft(over(), (contract) => ({ contract, raw: "" }))
    const document = Either.try((): unknown => JSON.parse(data))
    if (Either.isLeft(document)) return Either.left({ contract: "an event of the answer is not JSON", raw })
    if (isFault(document.right, raw)) return Either.left({ contract: null, raw })
    return reading.read(state, document.right).pipe(
      Either.flatMap((read) => {
        state = read.state
        return read.over
          ? Either.map(over(), (last) => ({ ...last, parts: [...read.parts, ...last.parts] }))
          : Either.right(read)
      }),
      Either.mapLeft((contract) => ({ contract, raw }))
    )
  }

  const readFrames = (all: ReadonlyArray<Frame>): Either.Either<Step, Trouble> => {
    const parts: Array<Part> = []
    let grew = false
    for (const frame of all) {
      frames += 1
      const read = readFrame(frame)
      if (Either.isLeft(read)) {
        // what came before the trouble is the reader's all the same
        if (parts.length === 0) return Either.left(read.left)
        trouble = read.left
        return Either.right({ parts, grew: true, over: false })
      }
      parts.push(...read.right.parts)
      grew = grew || read.right.grew
      if (read.right.over) return Either.right({ parts, grew: true, over: true })
    }
    return Either.right({ parts, grew, over: false })
  }

  /** The end of the body, where what arrived is a whole answer. */
  const finished = (otherwise: Effect.Effect<Step, WireFailure>): Effect.Effect<Step, WireFailure> =>
    Either.match(over(), { onLeft: () => otherwise, onRight: Effect.succeed })

  /** What is left at the end of the body: the whole of it, where a server was asked to stream and answered at once. */
  const rest = (): ReadonlyArray<Frame> => {
    const left = framing.rest()
    return frames === 0 && left.length === 0 && /^\s*\{/u.test(head) ? [{ data: head, raw: head }] : left
  }

  const atEnd = (): Effect.Effect<Step, WireFailure> => {
    ended = true
    const withEvents = frames > 0
    const last = readFrames(rest())
    if (Either.isLeft(last) && last.left.contract === null) return fail(last.left)
    if (Either.isRight(last) && last.right.parts.length > 0) return Effect.succeed(last.right)
    return Either.match(over(), {
      onLeft: (contract) => fail(withEvents ? { contract, raw: "" } : { contract: withoutEvents(head), raw: head }),
      onRight: Effect.succeed
    })
  }

  const look = Effect.suspend(() => trouble === null ? lookAtWire : fail(trouble))

  const lookAtWire = Effect.matchEffect(text, {
    onFailure: (failure): Effect.Effect<Step, WireFailure> => {
      ended = true
      return finished(watch.isOver() ? watch.told : Effect.fail(head === "" ? failure : { ...failure, body: head }))
    },
    onSuccess: (piece) => {
      if (piece === null) return atEnd()
      size += piece.length
      if (frames === 0) head = (head + piece).slice(0, headLimit)
      const found = size > answerLimit ? null : framing.feed(piece)
      if (found === null) {
        const [what, limit] = size > answerLimit ? ["the answer", answerLimit] : ["an event of the answer", frameLimit]
        return fail({ contract: `${what} is longer than ${limit / 1024 / 1024} MiB`, raw: "" })
      }
      const step = readFrames(found)
      if (frames > 0) head = ""
      return Either.match(step, { onLeft: fail, onRight: Effect.succeed })
    }
  })

  const growth: Effect.Effect<Step, WireFailure> = Effect.repeat(look, { until: ({ grew, over }) => grew || over })

  return {
    next: growth,
    close: Effect.suspend(() =>
      ended ? Effect.void : text.pipe(
        Effect.repeat({ until: (piece) => piece === null }),
        Effect.timeoutOption(patience),
        Effect.ignore
      )
    )
  }
})

/**
 * The parts of the answer to one request. `respond` sends it, and ends with the scope: whoever stops reading closes the request. The
 * limit of the first piece begins with the sending; waiting for whoever reads the parts counts for no limit.
 */
export const parts = <S>(
  peer: Peer,
  reading: Reading<S>,
  limits: Limits,
  respond: Effect.Effect<HttpClientResponse.HttpClientResponse, WireFailure, Scope.Scope>
): Stream.Stream<Part, WireFailure> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const scope = yield* Effect.scope
    // closing the line breaks the connection and not the stream above it, which so comes to know
    const line = yield* Scope.fork(scope, ExecutionStrategy.sequential)
    const watch = yield* Watch.make(peer, limits, Scope.close(line, Exit.void))
    const source = yield* watch.during(
      respond.pipe(
        Scope.extend(line),
        Effect.catchAll((failure) => watch.isOver() ? watch.told : Effect.fail(failure)),
        Effect.flatMap((response) => reader(peer, reading, watch, response)),
        Effect.flatMap((source) => Effect.map(source.next, (first) => ({ ...source, first })))
      )
    )
    watch.go()
    const following = (step: Step): Option.Option<Effect.Effect<Step | null, WireFailure>> =>
      Option.some(step.over ? Effect.as(source.close, null) : watch.during(source.next))
    const beginning: Effect.Effect<Step | null, WireFailure> = Effect.succeed(source.first)
    return Stream.paginateChunkEffect(
      beginning,
      Effect.map((step) =>
        step === null
          ? [Chunk.empty<Part>(), Option.none()] as const
          : [Chunk.unsafeFromArray(step.parts), following(step)] as const
      )
    )
  }))
