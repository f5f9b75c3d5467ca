import * as Option from "effect/Option"
import type { Exchange } from "./History.js"
import type { Message } from "./Message.js"

/** How many tokens a message takes, with whatever margin its counter needs: never less than the provider will count. */
export type TokenCounter = (message: Message) => number

/** What a request has room for: the newest exchanges, none of them in part, and the one under way. */
export interface Window {
  readonly kept: ReadonlyArray<Exchange>
  /** How many of the oldest exchanges are left out. */
  readonly leftOut: number
  /** False where the exchange under way is too long by itself: no leaving out helps. */
  readonly fits: boolean
}

const size = (messages: ReadonlyArray<Message>, count: TokenCounter): number =>
  messages.reduce((sum, message) => sum + count(message), 0)

/** Leave out as few of the oldest exchanges as the room allows. `room` is in tokens, what else the request holds taken off already. */
export const fit = (
  exchanges: ReadonlyArray<Exchange>,
  open: ReadonlyArray<Message>,
  room: number,
  count: TokenCounter
): Window => {
  let left = room - size(open, count)
  const fits = left >= 0
  let first = exchanges.length
  while (first > 0) {
    left -= size(exchanges[first - 1] ?? [], count)
    if (left < 0) break
    first -= 1
  }
  return { kept: exchanges.slice(first), leftOut: first, fits }
}

/** The window after a provider has refused it as too long: half of its exchanges, the newer ones; none where nothing is left to leave out. */
export const shortened = ({ fits, kept, leftOut }: Window): Option.Option<Window> => {
  if (kept.length === 0) return Option.none()
  const dropped = Math.ceil(kept.length / 2)
  return Option.some({ kept: kept.slice(dropped), leftOut: leftOut + dropped, fits })
}

/** The messages of a request. */
export const messages = ({ kept }: Window, open: ReadonlyArray<Message>): ReadonlyArray<Message> => [
  ...kept.flat(),
  ...open
]
