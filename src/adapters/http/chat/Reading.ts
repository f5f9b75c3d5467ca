import type * as Either from "effect/Either"
import type { FinishReason, Part } from "../../../domain/chat/ChatProvider.js"
import type { Framing } from "./Framing.js"

/** What one document of a stream adds to the answer. */
export interface Read<S> {
  readonly state: S
  readonly parts: ReadonlyArray<Part>
  /** Whether the answer has grown: a ping or a bare role is no sign of a token. */
  readonly grew: boolean
  /** Whether nothing of the answer follows. */
  readonly over: boolean
}

/** How a wire's stream is read: a fold over its documents. Left is the contract that the answer broke, in plain words. */
export interface Reading<S> {
  readonly framing: () => Framing
  readonly start: S
  readonly read: (state: S, document: unknown) => Either.Either<Read<S>, string>
  /** The last parts of the answer, where what has arrived is all of it. */
  readonly end: (state: S) => Either.Either<ReadonlyArray<Part>, string>
  /** The words by which this wire says that an answer ended as it should. */
  readonly endings: Readonly<Record<string, FinishReason>>
}

export const unfinished = "the answer breaks off before its end"
