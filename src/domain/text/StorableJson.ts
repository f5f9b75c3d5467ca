import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { count } from "./count.js"
import * as Storable from "./Storable.js"

/** JSON that the database takes: bounded, and without what Postgres stores in no text. */

/** Whether anything in the value, names included, is so. */
const holds = (value: unknown, isSo: (part: unknown) => boolean): boolean =>
  typeof value === "object" && value !== null
    ? Array.isArray(value)
      ? value.some((inner) => holds(inner, isSo))
      : Object.entries(value).some(([name, inner]) => isSo(name) || holds(inner, isSo))
    : isSo(value)

const isUnstorable = (part: unknown): boolean => typeof part === "string" && Storable.storable(part) !== part

/** JSON has no such numbers: they would be read as null. */
const isNoNumber = (part: unknown): boolean => typeof part === "number" && !Number.isFinite(part)

const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** Three bytes a UTF-16 unit at most: mostly the length alone tells. */
const isLonger = (text: string, most: number): boolean =>
  text.length > most || text.length * 3 > most && bytesOf(text) > most

/** Why a value cannot be stored: its size or what it holds, and the words for the middle of a sentence. */
export interface Unfit {
  readonly of: "size" | "content"
  readonly why: string
}

const unfit = (of: Unfit["of"], why: string) => Either.left<Unfit>({ of, why })

/** The value as JSON of at most `most` bytes in UTF-8, undefined as null; or what is wrong with it. */
export const encoded = (value: unknown, most: number): Either.Either<string, Unfit> =>
  Either.flatMap(
    Either.try({
      try: () => JSON.stringify(value) ?? "null",
      catch: (error): Unfit => ({
        of: "content",
        why: `it is no JSON (${Storable.cut(Storable.oneLine(String(error)), 150)})`
      })
    }),
    (json) =>
      isLonger(json, most)
        ? unfit("size", `it has ${count(bytesOf(json))} bytes as JSON, and ${count(most)} are allowed`)
        : holds(value, isUnstorable)
        ? unfit("content", "it holds a null character or half a surrogate pair, which Postgres does not store")
        : holds(value, isNoNumber)
        ? unfit("content", "it holds NaN or an infinite number, which JSON does not have")
        : Either.right(json)
  )

/** Reads stored JSON by a schema. What was undefined is stored as null. */
export const decoded = <A, I>(schema: Schema.Schema<A, I>): (stored: unknown) => Effect.Effect<A, ParseError> => {
  const decode = Schema.decodeUnknown(schema)
  return (stored) => stored === null ? Effect.orElse(decode(null), () => decode(undefined)) : decode(stored)
}
