import * as Data from "effect/Data"
import * as Option from "effect/Option"
import type { Document } from "./Document.js"
import { field, isFields } from "./Fields.js"
import type { Fields } from "./Fields.js"

/** Longer references are no one's: it bounds the work where aliases repeat one. */
const longestRef = 4096

const decoded = Option.liftThrowable(decodeURIComponent)

/** What a key leads to: the last value of one that stands more than once comes first. */
const children = (document: Document, value: unknown, key: string): ReadonlyArray<unknown> =>
  Array.isArray(value)
    ? /^\d{1,9}$/.test(key) && value[Number(key)] !== undefined ? [value[Number(key)]] : []
    : document.values(value, key).toReversed()

/** What an internal reference (`#`, `#/components/...`, also behind the document's own name) leads to, if anywhere. */
export const resolve = (document: Document, ref: string): Option.Option<unknown> => {
  if (ref.length > longestRef) return Option.none()
  const fragment = document.self.fragment(ref)
  if (fragment === "") return Option.some(document.root)
  if (fragment === undefined || !fragment.startsWith("/")) return Option.none()
  return Option.flatMap(decoded(fragment.slice(1)), (pointer) =>
    Option.fromNullable(
      pointer.split("/").reduce<ReadonlyArray<unknown>>(
        (found, key) => found.flatMap((at) => children(document, at, key.replace(/~1/g, "/").replace(/~0/g, "~"))),
        [document.root]
      )[0]
    ))
}

/** Where a chain of references ends. */
export type Followed = Data.TaggedEnum<{
  /** The object itself first, then what it refers to: a key is read from the first that has it. */
  Found: { readonly layers: ReadonlyArray<Fields> }
  /** A reference that leads nowhere, or to no object. */
  Broken: { readonly ref: string }
  /** References that lead back to themselves, or through more than `longest` steps. */
  Circular: { readonly ref: string }
}>
export const Followed = Data.taggedEnum<Followed>()

const longest = 32

/** Follow `$ref` from an object until one has none. */
export const follow = (document: Document, start: Fields): Followed => {
  const layers: Array<Fields> = [start]
  const seen = new Set<unknown>(layers)
  let at = start
  for (;;) {
    const ref = field(at, "$ref")
    if (typeof ref !== "string") return Followed.Found({ layers })
    const target = Option.getOrUndefined(resolve(document, ref))
    if (!isFields(target)) return Followed.Broken({ ref })
    if (seen.has(target) || layers.length > longest) return Followed.Circular({ ref })
    seen.add(target)
    layers.push(target)
    at = target
  }
}

/** The pointer to a key below another: `#/paths/~1users/get`. */
export const pointer = (keys: ReadonlyArray<string>): string =>
  ["#", ...keys.map((key) => key.replace(/~/g, "~0").replace(/\//g, "~1"))].join("/")
