import { member } from "../../../domain/failure/LooseJson.js"

/** Members of documents whose shape is not known: what is not of the kind that is asked for counts as left out. */

export const list = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

export const textAt = (value: unknown, name: string): string => {
  const found = member(value, name)
  return typeof found === "string" ? found : ""
}

export const numberAt = (value: unknown, name: string): number | null => {
  const found = member(value, name)
  return typeof found === "number" && Number.isFinite(found) ? found : null
}
