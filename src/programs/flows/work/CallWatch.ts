import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isFailure } from "../../../domain/failure/Failure.js"
import type { Failure } from "../../../domain/failure/Failure.js"

/** What the embed calls of this process stand at, for whoever looks on while they wait. Times are milliseconds of its clock. */
export interface Seen {
  /** When the oldest call that has no answer yet began. */
  readonly askedAt: Option.Option<number>
  /** When the next call may begin, where every lane is held back. */
  readonly heldUntil: Option.Option<number>
  /** How the newest call that ended failed; none where it was answered. */
  readonly failure: Option.Option<Failure>
}

/** Keeps book of the calls. */
export interface Book {
  readonly calls: Map<symbol, number>
  readonly pauses: Map<symbol, number>
  failure: Option.Option<Failure>
}

/** The book of this process; none where nobody looks. */
export class CallWatch extends Context.Reference<CallWatch>()("holdfast/CallWatch", {
  defaultValue: Option.none<Book>
}) {}

/** A book with nothing in it. */
export const make = Effect.sync((): Book => ({ calls: new Map(), pauses: new Map(), failure: Option.none() }))

const least = (times: Iterable<number>): Option.Option<number> => {
  const all = [...times]
  return all.length === 0 ? Option.none() : Option.some(Math.min(...all))
}

/** How the calls stand now. A pause counts where no call is under way beside it. */
export const seen = ({ calls, failure, pauses }: Book): Seen => ({
  askedAt: least(calls.values()),
  heldUntil: calls.size === 0 ? least(pauses.values()) : Option.none(),
  failure
})

const noted = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  place: (book: Book) => Map<symbol, number>,
  ahead: Duration.Duration
): Effect.Effect<A, E, R> =>
  Effect.flatMap(
    CallWatch,
    Option.match({
      onNone: () => effect,
      onSome: (book) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const entry = Symbol("entry")
          return Effect.ensuring(
            Effect.zipRight(Effect.sync(() => place(book).set(entry, now + Duration.toMillis(ahead))), effect),
            Effect.sync(() => place(book).delete(entry))
          )
        })
    })
  )

const remember = (failure: Option.Option<Failure>) =>
  Effect.map(
    CallWatch,
    Option.map((book) => {
      book.failure = failure
    })
  )

/** A call, from its beginning to its answer. */
export const calling = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  noted(call, ({ calls }) => calls, Duration.zero).pipe(
    Effect.tapBoth({
      onFailure: (error) => isFailure(error) ? remember(Option.some(error)) : Effect.void,
      onSuccess: () => remember(Option.none())
    })
  )

/** A pause of so long before the next call. */
export const pausing = <A, E, R>(pause: Effect.Effect<A, E, R>, wait: Duration.Duration): Effect.Effect<A, E, R> =>
  noted(pause, ({ pauses }) => pauses, wait)
