import type { Vector } from "../../../domain/embedding/Vector.js"

/**
 * How texts and vectors travel to the database: one text parameter for a whole slice of rows, so that a statement has the
 * same few parameters whatever the number of rows, on both drivers.
 */

const unpaired = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** The text without what the database cannot store: null bytes go, half a surrogate pair becomes U+FFFD. */
export const storable = (text: string): string => text.replaceAll("\0", "").replace(unpaired, "\ufffd")

/**
 * `[x,y,...]` as `embedding_of` reads it. Expects norm 1: nine decimals are then all that single precision keeps, and a number
 * that is too small for it becomes 0.
 */
export const vectorText = (vector: Vector): string => `[${vector.map((x) => x.toFixed(9)).join(",")}]`

/** Rows without line breaks of their own, for `string_to_array(..., E'\n')`. */
export const lines = (rows: ReadonlyArray<string>): string => rows.join("\n")

/** Consecutive parts of at most `size`. */
export const slices = <A>(rows: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(rows.length / size) }, (_, part) => rows.slice(part * size, (part + 1) * size))
