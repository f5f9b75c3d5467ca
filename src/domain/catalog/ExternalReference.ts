import * as Option from "effect/Option"
import * as Reference from "./Reference.js"

/** A `$ref` that leaves the document, and the JSON pointer to where it stands. */
export interface ExternalReference {
  readonly ref: string
  readonly where: string
}

/** A step on the way from the root, kept as a chain so that a walk costs one small object a step. */
interface Step {
  readonly key: string
  readonly above: Step | undefined
}

interface Visit {
  readonly value: object
  readonly step: Step | undefined
}

const keysTo = (step: Step | undefined): ReadonlyArray<string> => {
  const keys: Array<string> = []
  for (let at = step; at !== undefined; at = at.above) keys.push(at.key)
  return keys.toReversed()
}

/** Keys whose value is the author's data, where a `$ref` refers to nothing. */
const data = new Set(["example", "examples", "default", "enum", "const"])

/** Keys whose value is a map of the author's names: below them `default` and the like are names, not keywords. */
const maps = new Set([
  "properties",
  "patternProperties",
  "responses",
  "schemas",
  "definitions",
  "$defs",
  "parameters",
  "headers",
  "requestBodies",
  "dependentSchemas",
  "paths",
  "webhooks",
  "callbacks",
  "links",
  "pathItems",
  "mediaTypes"
])

const isData = (key: string, inside: Step | undefined): boolean =>
  (data.has(key) || key.startsWith("x-")) && !(inside !== undefined && maps.has(inside.key))

/**
 * The first external reference in document order, if any. Each object is visited once, however many aliases lead to it, and
 * depth costs no stack. A schema's `$id` names a part of this document, so a reference to it is no external one.
 */
export const first = (document: unknown): Option.Option<ExternalReference> => {
  if (typeof document !== "object" || document === null) return Option.none()
  const seen = new Set<object>([document])
  const own = new Set<string>()
  const leaving = new Map<string, Step | undefined>()
  const stack: Array<Visit> = [{ value: document, step: undefined }]
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const { step, value } = visit
    const ref = Reference.field(value, "$ref")
    if (typeof ref === "string" && ref !== "" && !ref.startsWith("#") && !leaving.has(ref)) leaving.set(ref, step)
    const id = Reference.field(value, "$id")
    if (typeof id === "string") own.add(id)
    for (const [key, below] of Object.entries(value).toReversed()) {
      if (typeof below !== "object" || below === null || seen.has(below)) continue
      if (!Array.isArray(value) && isData(key, step)) continue
      seen.add(below)
      stack.push({ value: below, step: { key, above: step } })
    }
  }
  for (const [ref, step] of leaving) {
    if (!own.has(ref.replace(/#.*$/s, ""))) return Option.some({ ref, where: Reference.pointer(keysTo(step)) })
  }
  return Option.none()
}
