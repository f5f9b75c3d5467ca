/** An earlier value of a key that stands again in `within`, at `offset` in UTF-16 units from 0. */
export interface RepeatedKey {
  readonly within: object
  readonly key: string
  readonly value: unknown
  readonly offset: number
}

/** A parsed text: objects, lists, texts and nulls. An object has the last value of a key that stands more than once in it. */
export interface Parsed {
  readonly root: unknown
  readonly repeated: ReadonlyArray<RepeatedKey>
}

/** An object that is being read. */
export type Growing = Record<string, unknown>

/** Give the object a key of its own; `__proto__` is one like any other. */
export const set = (fields: Growing, key: string, value: unknown): void => {
  if (key === "__proto__") {
    Object.defineProperty(fields, key, { value, enumerable: true, writable: true, configurable: true })
  } else fields[key] = value
}
