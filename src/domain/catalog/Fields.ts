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
