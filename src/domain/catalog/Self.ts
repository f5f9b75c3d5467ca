import * as Option from "effect/Option"
import * as Fields from "./Fields.js"

/** Where relative references lead to when nobody knows where the document came from. */
const nowhere = "nowhere:///"

const parsed = Option.liftThrowable((ref: string, base: string) => new URL(ref, base))
const decoded = Option.liftThrowable(decodeURIComponent)

/** The URI without fragment, however its characters are escaped. */
const written = (uri: URL): string => {
  const [bare = ""] = uri.href.split("#")
  return Option.getOrElse(decoded(bare), () => bare)
}

/** The absolute URI, without fragment, that a reference means at a place with this base; nothing where it is none. */
export const absolute = (ref: string, base: string): string | undefined =>
  Option.getOrUndefined(Option.map(parsed(ref, base), written))

const withoutQuery = (uri: string): string => uri.replace(/\?.*$/s, "")

/**
 * What a document is called, and so which references lead into it: by where it was read, by its `$self` (OpenAPI 3.2), and by
 * an `$id` at its root. A relative reference means what RFC 3986 makes of it with any of these for a base. A query says how to
 * get the document and not which one it is.
 */
export class Self {
  /** Absolute URIs, most important first; never empty. */
  readonly bases: readonly [string, ...ReadonlyArray<string>]
  readonly #names: ReadonlySet<string>

  private constructor(bases: readonly [string, ...ReadonlyArray<string>], names: ReadonlySet<string>) {
    this.bases = bases
    this.#names = names
  }

  static of(root: unknown, addresses: ReadonlyArray<string>): Self {
    const [first = nowhere, ...others] = addresses
    const own = ["$self", "$id"].flatMap((key) => {
      const name = Fields.stringField(root, key)
      return (name === "" ? undefined : absolute(name, first)) ?? []
    })
    const [base = first, ...rest] = own
    const bases = [base, ...rest, ...(own.length === 0 ? [] : [first]), ...others] as const
    const names = [...own, ...addresses.flatMap((address) => absolute(address, nowhere) ?? [])]
    return new Self(bases, new Set(names.flatMap((name) => [name, withoutQuery(name)])))
  }

  /**
   * What follows the `#` of a reference into this document; nothing where it leads elsewhere. `base` is that of a part with
   * an `$id` of its own.
   */
  fragment(ref: string, base: string = this.bases[0]): string | undefined {
    const at = ref.indexOf("#")
    const name = at === -1 ? ref : ref.slice(0, at)
    const isOwn = name === "" || [base, ...this.bases].some((from) => this.#names.has(absolute(name, from) ?? ""))
    return isOwn ? (at === -1 ? "" : ref.slice(at + 1)) : undefined
  }
}
