import * as Data from "effect/Data"
import * as Option from "effect/Option"

/** A JSON object by its own keys: keys like `constructor` are read only where the document has them. */
export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The value under a key of the object itself, never of its prototype. */
export const field = (value: unknown, key: string): unknown =>
  isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined

/** The string under a key; empty where there is none or something else. */
export const stringField = (value: unknown, key: string): string => {
  const found = field(value, key)
  return typeof found === "string" ? found : ""
}

/** Longer references are no one's: it bounds the work where aliases repeat one. */
const longestRef = 4096

const decoded = Option.liftThrowable(decodeURIComponent)

const child = (value: unknown, key: string): unknown =>
  Array.isArray(value) ? (/^\d{1,9}$/.test(key) ? value[Number(key)] : undefined) : field(value, key)

/** What an internal reference (`#`, `#/components/...`) leads to; nothing where it leads nowhere. */
export const resolve = (document: unknown, ref: string): Option.Option<unknown> =>
  ref === "" || ref === "#"
    ? Option.some(document)
    : !ref.startsWith("#/") || ref.length > longestRef
    ? Option.none()
    : decoded(ref.slice(2)).pipe(
      Option.map((pointer) =>
        pointer.split("/").reduce<unknown>(
          (at, key) => child(at, key.replace(/~1/g, "/").replace(/~0/g, "~")),
          document
        )
      ),
      Option.filter((found) => found !== undefined)
    )

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
export const follow = (document: unknown, start: Fields): Followed => {
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
