import * as Fields from "./Fields.js"
import { Self } from "./Self.js"

/** An earlier value of a key that stands more than once in one object; the object itself has the last one. */
export interface Repeated {
  readonly within: object
  readonly key: string
  readonly value: unknown
  /** Where the key stands again, both from 1; columns in UTF-16 units. */
  readonly line: number
  readonly column: number
}

/** What a parser may know beside the values: keys that stand more than once, and the URIs that the document was read from. */
export interface Origin {
  readonly repeated: ReadonlyArray<Repeated>
  readonly addresses: ReadonlyArray<string>
}

/**
 * A parsed document: objects, lists, texts and nulls. Where a text may stand, a bare number, date or word is the text that
 * its author wrote: a parser that turns `1.10` into 1.1 has lost it.
 */
export class Document implements Origin {
  readonly root: unknown
  readonly repeated: ReadonlyArray<Repeated>
  readonly addresses: ReadonlyArray<string>
  /** What the document calls itself. */
  readonly self: Self
  readonly #earlier = new Map<object, Map<string, Array<unknown>>>()

  constructor(root: unknown, { addresses, repeated }: Origin = { repeated: [], addresses: [] }) {
    this.root = root
    this.repeated = repeated
    this.addresses = addresses
    this.self = Self.of(root, addresses)
    for (const { key, value, within } of repeated) {
      const keys = this.#earlier.get(within) ?? new Map<string, Array<unknown>>()
      this.#earlier.set(within, keys)
      const values = keys.get(key) ?? []
      keys.set(key, values)
      values.push(value)
    }
  }

  /** All values of a key, in the document's order: none where the object does not have it. */
  values(fields: unknown, key: string): ReadonlyArray<unknown> {
    const last = Fields.field(fields, key)
    if (last === undefined) return []
    const earlier = Fields.isFields(fields) ? this.#earlier.get(fields)?.get(key) : undefined
    return earlier === undefined ? [last] : [...earlier, last]
  }

  /** Keys and values, a key once for each of its values. */
  entries(fields: object): ReadonlyArray<readonly [string, unknown]> {
    return this.#earlier.has(fields)
      ? Object.keys(fields).flatMap((key) => this.values(fields, key).map((value) => [key, value] as const))
      : Object.entries(fields)
  }
}
