import * as Array from "effect/Array"
import * as Option from "effect/Option"
import type { VectorSpace } from "../index/IndexStore.js"

/** Which vectors serve a catalog. */
export interface Served {
  readonly catalog: string
  /** The space that its last complete run filled; none before there was one. */
  readonly space: Option.Option<VectorSpace>
  /** Whether each of its items has its vectors, or was refused. */
  readonly isWhole: boolean
}

/** Catalogs that one vector of the question serves: those of one model and dimension, whatever the size of their chunks. */
export interface Group {
  readonly model: string
  /** How long the question's vector has to be. Null, and so of any length, where no catalog of the group was ever complete. */
  readonly dimension: number | null
  readonly catalogs: ReadonlyArray<Served>
}

const isOf = (model: string) => ({ space }: Served) => Option.exists(space, (one) => one.model === model)

/**
 * The catalogs by what has to be asked of whom, in the order in which they come. One that had no complete run yet goes with those
 * that the asker's own embedder serves, because that is filling it.
 */
export const groups = (served: ReadonlyArray<Served>, own: string): ReadonlyArray<Group> => {
  const filled = Option.flatMap(Array.findFirst(served, isOf(own)), ({ space }) => space)
  const found = new Map<string, Group>()
  for (const one of served) {
    const space = Option.orElse(one.space, () => filled)
    const model = Option.match(space, { onNone: () => own, onSome: (known) => known.model })
    const dimension = Option.match(space, { onNone: () => null, onSome: (known) => known.dimension })
    const key = JSON.stringify([model, dimension])
    found.set(key, { model, dimension, catalogs: [...found.get(key)?.catalogs ?? [], one] })
  }
  return [...found.values()]
}

/** The sizes of chunks that the catalogs of a group have, each once; `own` where a catalog had no complete run yet. */
export const chunkSizes = ({ catalogs }: Group, own: number): ReadonlyArray<number> =>
  Array.dedupe(catalogs.map(({ space }) => Option.match(space, { onNone: () => own, onSome: (one) => one.chunkWords })))
