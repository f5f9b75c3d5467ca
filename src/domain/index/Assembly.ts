import type { Failure } from "../failure/Failure.js"
import type { ChunkedItem } from "./EmbeddingPlan.js"

/**
 * Which items wait for which texts while their chunks are embedded in batches that do not respect the items' borders.
 * It is mutable, because a catalog has many thousands of them: one job owns one assembly.
 */
export interface Assembly {
  readonly missing: Map<string, Set<string>>
  readonly waiting: Map<string, Array<ChunkedItem>>
  readonly refused: Map<string, Failure>
}

export const make = (): Assembly => ({ missing: new Map(), waiting: new Map(), refused: new Map() })

/** Why one of the item's texts was refused earlier in this pass; none where all are fine so far. */
export const refusalOf = (assembly: Assembly, item: ChunkedItem): Failure | undefined =>
  item.chunks.flatMap((chunk) => assembly.refused.get(chunk.hash) ?? [])[0]

/** Hashes that somebody waits for already: they are on their way and must not be asked for twice. */
export const isUnderWay = (assembly: Assembly, hash: string): boolean => assembly.waiting.has(hash)

/** Begin to wait for the hashes of this item that are not known. */
export const expect = (assembly: Assembly, item: ChunkedItem, known: ReadonlySet<string>): void => {
  const missing = new Set(item.chunks.map((chunk) => chunk.hash).filter((hash) => !known.has(hash)))
  assembly.missing.set(item.id, missing)
  for (const hash of missing) {
    assembly.waiting.set(hash, [...(assembly.waiting.get(hash) ?? []), item])
  }
}

/** The items that these texts complete. Nothing changes yet: the store may refuse the write. */
export const completedBy = (assembly: Assembly, hashes: ReadonlyArray<string>): ReadonlyArray<ChunkedItem> => {
  const arrived = new Set(hashes)
  const touched = new Map(hashes.flatMap((hash) => assembly.waiting.get(hash) ?? []).map((item) => [item.id, item]))
  return [...touched.values()].filter((item) => {
    const missing = assembly.missing.get(item.id)
    return missing !== undefined && [...missing].every((hash) => arrived.has(hash))
  })
}

/** The items that need one of these texts. */
export const neededBy = (assembly: Assembly, hashes: ReadonlyArray<string>): ReadonlyArray<ChunkedItem> => [
  ...new Map(
    hashes
      .flatMap((hash) => assembly.waiting.get(hash) ?? [])
      .filter((item) => assembly.missing.has(item.id))
      .map((item) => [item.id, item])
  ).values()
]

/** These texts are stored. */
export const arrived = (assembly: Assembly, hashes: ReadonlyArray<string>): void => {
  for (const hash of hashes) {
    for (const item of assembly.waiting.get(hash) ?? []) {
      const missing = assembly.missing.get(item.id)
      missing?.delete(hash)
      if (missing?.size === 0) assembly.missing.delete(item.id)
    }
    assembly.waiting.delete(hash)
  }
}

/** This text will never have a vector: nobody waits for it any more. */
export const refuse = (assembly: Assembly, hash: string, failure: Failure): void => {
  assembly.refused.set(hash, failure)
  for (const item of assembly.waiting.get(hash) ?? []) assembly.missing.delete(item.id)
  assembly.waiting.delete(hash)
}
