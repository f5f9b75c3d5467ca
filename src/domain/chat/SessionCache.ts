import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import { consequence } from "../failure/Consequence.js"
import type { ChatSession } from "../failure/Consequence.js"
import { CallContext } from "../failure/CallContext.js"
import type { Failure } from "../failure/Failure.js"
import type { Head, RequestId, ThreadId } from "./Thread.js"

/**
 * What one process keeps ready of its threads: for each a session, which is a value built from stored messages. The stored messages
 * are the truth; a session that is gone costs only its rebuilding.
 *
 *     absent --take--> held by a request --put back--> idle --take--> held by a request --drop--> absent
 *                        |       ^                      |
 *                        +-------+ superseded           +--expire, forget--> absent
 *
 * Invariants: a slot is held by one request at most, the newest that took it. Whoever no longer holds a slot changes nothing by
 * putting back or dropping. A session is handed out only under the fingerprint and at the head that it was kept for.
 */

/** What a session fits: how it asks (model, provider, parameters, system prompt, tools), and how far its thread had come. */
export interface Fit {
  readonly fingerprint: string
  readonly head: Head
}

/** A session at rest. */
export interface Kept<S> extends Fit {
  readonly session: S
  readonly since: DateTime.Utc
}

export type Slot<S> = Data.TaggedEnum<{
  Idle: { readonly kept: Kept<S> }
  /** `before` is what the request was given: a session is a value, so it stands as it was until its request ends. */
  Held: { readonly by: RequestId; readonly before: Option.Option<Kept<S>> }
}>
interface SlotDefinition extends Data.TaggedEnum.WithGenerics<1> {
  readonly taggedEnum: Slot<this["A"]>
}
export const Slot = Data.taggedEnum<SlotDefinition>()

export type SessionCache<S> = HashMap.HashMap<ThreadId, Slot<S>>

export const empty = <S>(): SessionCache<S> => HashMap.empty()

/** Why a request was given no session. */
export type Rebuild = "absent" | "changed" | "moved"

/** What a request was given: a session, or the reason for building one; and whom it superseded, who is to be stopped. */
export interface Taken<S> {
  readonly session: Option.Option<S>
  readonly rebuild: Option.Option<Rebuild>
  readonly superseded: Option.Option<RequestId>
}

const fitting = <S>(kept: Option.Option<Kept<S>>, { fingerprint, head }: Fit): Option.Option<Rebuild> =>
  Option.match(kept, {
    onNone: () => Option.some("absent"),
    onSome: (one) =>
      one.fingerprint !== fingerprint
        ? Option.some("changed")
        : one.head !== head
        ? Option.some("moved")
        : Option.none()
  })

const restingIn = <S>(slot: Option.Option<Slot<S>>): Option.Option<Kept<S>> =>
  Option.flatMap(
    slot,
    Slot.$match({
      Idle: ({ kept }) => Option.some(kept),
      Held: ({ before }) => before
    })
  )

/** Take a thread's slot for a request. Whoever held it is superseded: from now on its end changes nothing. */
export const take = <S>(
  cache: SessionCache<S>,
  thread: ThreadId,
  request: RequestId,
  fit: Fit
): readonly [Taken<S>, SessionCache<S>] => {
  const slot = HashMap.get(cache, thread)
  const resting = restingIn(slot)
  const rebuild = fitting(resting, fit)
  const before = Option.isNone(rebuild) ? resting : Option.none()
  return [
    {
      session: Option.map(before, ({ session }) => session),
      rebuild,
      superseded: slot.pipe(
        Option.flatMap((one) => Slot.$is("Held")(one) && one.by !== request ? Option.some(one.by) : Option.none())
      )
    },
    HashMap.set(cache, thread, Slot.Held({ by: request, before }))
  ]
}

/** Whether this request, and no newer one, holds the thread's slot. */
export const holds = <S>(cache: SessionCache<S>, thread: ThreadId, request: RequestId): boolean =>
  Option.exists(HashMap.get(cache, thread), (slot) => Slot.$is("Held")(slot) && slot.by === request)

/** Put a session back. Nothing changes where the request has been superseded. */
export const putBack = <S>(
  cache: SessionCache<S>,
  thread: ThreadId,
  request: RequestId,
  kept: Kept<S>
): SessionCache<S> => holds(cache, thread, request) ? HashMap.set(cache, thread, Slot.Idle({ kept })) : cache

/** Leave the slot without its session. Nothing changes where the request has been superseded. */
export const drop = <S>(cache: SessionCache<S>, thread: ThreadId, request: RequestId): SessionCache<S> =>
  holds(cache, thread, request) ? HashMap.remove(cache, thread) : cache

/** How a turn ended: `session` as it stands after an answer, or as it stood before a failure. */
export type Ending<S> = Data.TaggedEnum<{
  Answered: { readonly kept: Kept<S> }
  Failed: { readonly failure: Failure; readonly kept: Kept<S> }
}>
interface EndingDefinition extends Data.TaggedEnum.WithGenerics<1> {
  readonly taggedEnum: Ending<this["A"]>
}
export const Ending = Data.taggedEnum<EndingDefinition>()

/** What the failure of a turn says of its session. */
const afterFailure = (failure: Failure): ChatSession =>
  consequence(failure, CallContext.Chat({ malformedTries: 0 })).chatSession

/** End a request, whatever it came to: an answer puts its session back, a failure as its consequence says. */
export const end = <S>(
  cache: SessionCache<S>,
  thread: ThreadId,
  request: RequestId,
  ending: Ending<S>
): SessionCache<S> =>
  Ending.$match(ending, {
    Answered: ({ kept }) => putBack(cache, thread, request, kept),
    Failed: ({ failure, kept }) =>
      afterFailure(failure) === "kept" ? putBack(cache, thread, request, kept) : drop(cache, thread, request)
  })

/** The thread is gone: so is its slot, whoever holds it. */
export const forget = <S>(cache: SessionCache<S>, thread: ThreadId): SessionCache<S> => HashMap.remove(cache, thread)

const oldest = Order.mapInput(DateTime.Order, ({ since }: Kept<unknown>) => since)

/** Leave out sessions that have rested for `idle` or longer, and of the others the longest resting beyond `most`. */
export const expire = <S>(
  cache: SessionCache<S>,
  now: DateTime.Utc,
  limits: { readonly idle: Duration.Duration; readonly most: number }
): SessionCache<S> => {
  const resting = HashMap.toEntries(cache)
    .flatMap(([thread, slot]) => Slot.$is("Idle")(slot) ? [{ thread, ...slot.kept }] : [])
    .toSorted(oldest)
  const until = DateTime.subtractDuration(now, limits.idle)
  const beyond = Math.max(0, resting.length - limits.most)
  return resting.reduce(
    (rest, { since, thread }, place) =>
      place < beyond || DateTime.lessThanOrEqualTo(since, until) ? HashMap.remove(rest, thread) : rest,
    cache
  )
}
