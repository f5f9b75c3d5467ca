import * as Array from "effect/Array"
import * as Option from "effect/Option"
import * as Order from "effect/Order"

/** How many letters one must add, drop, change or swap to make `b` of `a`. */
const distance = (a: string, b: string): number => {
  let before: Array<number> = []
  let last = globalThis.Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        (current[column - 1] ?? 0) + 1,
        (last[column] ?? 0) + 1,
        (last[column - 1] ?? 0) + cost,
        swapped ? (before[column - 2] ?? 0) + 1 : Infinity
      )
    }
    before = last
    last = current
  }
  return last[b.length] ?? 0
}

const letters = (word: string): string => word.toLowerCase().replaceAll(/[^a-z0-9]/g, "")

/** The candidate that someone who wrote `word` most likely meant; none where nothing comes close. */
export const nearest = <A extends string>(word: string, candidates: ReadonlyArray<A>): Option.Option<A> => {
  if (word.length > 100) return Option.none()
  const scored = candidates.map((name) => ({ name, away: distance(letters(word), letters(name)) }))
  return Array.head(Array.sortBy(Order.mapInput(Order.number, (one: typeof scored[number]) => one.away))(scored)).pipe(
    Option.filter(({ away, name }) => away <= Math.max(2, Math.floor(letters(name).length / 3))),
    Option.map(({ name }) => name)
  )
}
