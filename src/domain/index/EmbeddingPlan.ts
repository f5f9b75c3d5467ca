import type { IndexedItem, PendingItem } from "./IndexStore.js"
import * as Text from "./Text.js"

/** One text to embed, by its hash; the same text standing in many items is one of these. */
export interface PlannedText {
  readonly hash: string
  readonly text: string
}

/** An item cut into its chunks. */
export interface ChunkedItem {
  readonly id: string
  readonly position: number
  readonly hash: string
  readonly chunks: ReadonlyArray<PlannedText>
}

/** Cut an item into chunks of at most `chunkWords` words. `hashOf` is SHA-256 in hex. */
export const chunked = (item: PendingItem, chunkWords: number, hashOf: (text: string) => string): ChunkedItem => ({
  id: item.id,
  position: item.position,
  hash: item.hash,
  chunks: Text.chunks(item.text, chunkWords).map((text) => ({ text, hash: hashOf(text) }))
})

/** The item as the store takes it. */
export const indexed = (item: ChunkedItem): IndexedItem => ({
  id: item.id,
  hash: item.hash,
  chunks: item.chunks.map((chunk) => chunk.hash)
})

/** What has to be done for a page of items. */
export interface EmbeddingPlan {
  /** Every chunk has a vector already: no call is needed. */
  readonly reusable: ReadonlyArray<ChunkedItem>
  /** Nothing in them can be embedded. */
  readonly blank: ReadonlyArray<ChunkedItem>
  /** Wait for at least one of `texts`. */
  readonly waiting: ReadonlyArray<ChunkedItem>
  /** To be embedded, each once, in the order of the items. */
  readonly texts: ReadonlyArray<PlannedText>
}

/** What is new in these items. `known` are the hashes that have a usable vector, or that are being embedded already. */
export const plan = (items: ReadonlyArray<ChunkedItem>, known: ReadonlySet<string>): EmbeddingPlan => {
  const texts = new Map<string, PlannedText>()
  for (const item of items) {
    for (const chunk of item.chunks) {
      if (!known.has(chunk.hash) && !texts.has(chunk.hash)) texts.set(chunk.hash, chunk)
    }
  }
  const needsNothing = (item: ChunkedItem) => item.chunks.every((chunk) => known.has(chunk.hash))
  return {
    reusable: items.filter((item) => item.chunks.length > 0 && needsNothing(item)),
    blank: items.filter((item) => item.chunks.length === 0),
    waiting: items.filter((item) => !needsNothing(item)),
    texts: [...texts.values()]
  }
}
