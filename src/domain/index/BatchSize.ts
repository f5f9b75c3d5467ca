/**
 * How many texts a call has in one pass over a source. What proves too much for the server is not asked again in this pass; an
 * attempt that follows a failed one begins small, and grows with what is served.
 */
export interface BatchSize {
  readonly now: number
  /** What calls may grow to. */
  readonly most: number
}

/** An attempt after a failed one begins with this part of the size before it. */
const shrinking = 4

/** `attempt` counts from 1. */
export const start = (batchSize: number, attempt: number): BatchSize => ({
  now: Math.max(1, Math.ceil(batchSize / shrinking ** Math.max(0, attempt - 1))),
  most: batchSize
})

/** A call of so many texts was served. */
export const served = (size: BatchSize, texts: number): BatchSize =>
  texts < size.now || size.now === size.most ? size : { ...size, now: Math.min(size.most, size.now * 2) }

/** A call of so many texts was too much. */
export const lowered = (size: BatchSize, texts: number): BatchSize => {
  const most = Math.max(1, Math.min(size.most, Math.ceil(texts / 2)))
  return { now: Math.min(size.now, most), most }
}
