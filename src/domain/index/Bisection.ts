import * as Option from "effect/Option"
import type { Failure } from "../failure/Failure.js"
import * as Text from "./Text.js"
import type { PlannedText } from "./EmbeddingPlan.js"

/**
 * One batch on its way through an embedder. What a provider refuses is halved until the guilty text stands alone; what is
 * served on the way is kept. `asked` is the text as it goes out: shorter than the planned one after a shortening.
 */
export interface Asked {
  readonly planned: PlannedText
  readonly asked: string
}

export interface RefusedText {
  readonly planned: PlannedText
  readonly failure: Failure
}

export interface Bisection {
  readonly size: number
  /** Still to be asked, in order. */
  readonly open: ReadonlyArray<ReadonlyArray<Asked>>
  readonly served: number
  readonly refused: ReadonlyArray<RefusedText>
  /** Calls that failed as a whole, by the hashes of their texts, until it is known why. */
  readonly failed: ReadonlyArray<ReadonlySet<string>>
  /** The texts, by their hashes, for which a call failed: refused, or shortened. */
  readonly guilty: ReadonlySet<string>
}

/** A batch before its first call. */
export const start = (texts: ReadonlyArray<PlannedText>): Bisection => ({
  size: texts.length,
  open: texts.length === 0 ? [] : [texts.map((planned) => ({ planned, asked: planned.text }))],
  served: 0,
  refused: [],
  failed: [],
  guilty: new Set()
})

/** The next call, of at most `limit` texts, and the batch without it. None when everything is answered. */
export const next = (
  bisection: Bisection,
  limit: number
): Option.Option<{ readonly slice: ReadonlyArray<Asked>; readonly rest: Bisection }> => {
  const [first, ...others] = bisection.open
  if (first === undefined) return Option.none()
  const most = Math.max(1, limit)
  const slice = first.slice(0, most)
  const left = first.slice(most)
  return Option.some({ slice, rest: { ...bisection, open: left.length > 0 ? [left, ...others] : others } })
}

/** These were served. */
export const served = (bisection: Bisection, slice: ReadonlyArray<Asked>): Bisection => ({
  ...bisection,
  served: bisection.served + slice.length
})

/** Ask these again as they are. */
export const again = (bisection: Bisection, slice: ReadonlyArray<Asked>): Bisection => ({
  ...bisection,
  open: [slice, ...bisection.open]
})

/** Ask again in two halves; a single text is asked again as it is. */
export const halved = (bisection: Bisection, slice: ReadonlyArray<Asked>): Bisection => {
  const middle = Math.ceil(slice.length / 2)
  const halves = [slice.slice(0, middle), slice.slice(middle)].filter((half) => half.length > 0)
  const failed = new Set(slice.map(({ planned }) => planned.hash))
  return { ...bisection, open: [...halves, ...bisection.open], failed: [...bisection.failed, failed] }
}

const blaming = (bisection: Bisection, slice: ReadonlyArray<Asked>) =>
  new Set([...bisection.guilty, ...slice.map(({ planned }) => planned.hash)])

/**
 * The size of a call that failed though every one of its texts was served afterwards as it is: it was too much for the server. None
 * where one of its texts explains it. Answers for each such call once.
 */
export const tooMuch = (
  bisection: Bisection
): Option.Option<{ readonly texts: number; readonly rest: Bisection }> => {
  const open = new Set(bisection.open.flatMap((slice) => slice.map(({ planned }) => planned.hash)))
  const undecided = bisection.failed.filter((failed) => [...failed].some((hash) => open.has(hash)))
  const sizes = bisection.failed
    .filter((failed) => failed.size > 1 && ![...failed].some((hash) => open.has(hash) || bisection.guilty.has(hash)))
    .map((failed) => failed.size)
  return sizes.length === 0
    ? Option.none()
    : Option.some({ texts: Math.min(...sizes), rest: { ...bisection, failed: undecided } })
}

/** Ask again with shorter texts. */
export const shortened = (bisection: Bisection, slice: ReadonlyArray<Asked>): Bisection => ({
  ...bisection,
  open: [slice.map((one) => ({ ...one, asked: Text.shortened(one.asked) })), ...bisection.open],
  guilty: blaming(bisection, slice)
})

/** Leave these out, for this reason. */
export const refused = (bisection: Bisection, slice: ReadonlyArray<Asked>, failure: Failure): Bisection => ({
  ...bisection,
  refused: [...bisection.refused, ...slice.map(({ planned }) => ({ planned, failure }))],
  guilty: blaming(bisection, slice)
})

/** Every text of a batch of more than one was refused, each by itself: it is not the texts' fault. */
export const allRefused = (bisection: Bisection): Option.Option<Failure> =>
  bisection.size > 1 && bisection.served === 0 && bisection.refused.length === bisection.size
    ? Option.fromNullable(bisection.refused[0]?.failure)
    : Option.none()
