import type { IndexedItem, NewVector } from "../../../domain/index/IndexStore.js"
import * as Vector from "../../../domain/index/Vector.js"
import * as Serial from "./Serial.js"

/** How a batch travels: a parameter for all hashes, one for all numbers, one for all chunks. */

/** In the order of their hashes, so that two writers never wait for each other in a circle. */
const inOrder = (vectors: ReadonlyArray<NewVector>): ReadonlyArray<NewVector> =>
  [...new Map(vectors.map((one) => [one.hash, one])).values()].toSorted((a, b) => (a.hash < b.hash ? -1 : 1))

/** Vectors on their way. */
export interface Vectors {
  readonly hashes: string
  readonly numbers: Uint8Array
}

export const vectors = (given: ReadonlyArray<NewVector>): Vectors => {
  const rows = inOrder(given)
  return {
    hashes: Serial.lines(rows.map((one) => one.hash)),
    numbers: Serial.reals(rows.map((one) => Vector.normalised(one.vector)))
  }
}

/** As `jsonb_to_recordset` reads it: item, hash of the item's text, ordinal, hash of the chunk's text. */
export const chunks = (items: ReadonlyArray<IndexedItem>): string =>
  JSON.stringify(
    items.flatMap((item) => item.chunks.map((chunk, ordinal) => ({ item: item.id, hash: item.hash, ordinal, chunk })))
  )
