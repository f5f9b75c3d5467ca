import * as Option from "effect/Option"
import type { Document } from "./Document.js"
import * as Fields from "./Fields.js"
import * as Reference from "./Reference.js"
import { absolute } from "./Self.js"

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
  readonly base: string
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

/** A reference by name, before it is known whether a part of this document has that name. */
interface Leaving {
  readonly ref: string
  /** What relative names are resolved against where it stands: the nearest `$id` above it. */
  readonly base: string
  readonly step: Step | undefined
}

/**
 * The first external reference in document order, if any. Each object is visited once, however many aliases lead to it, and
 * depth costs no stack. A schema's `$id` names a part of this document, so a reference to it is no external one.
 */
export const first = (document: Document): Option.Option<ExternalReference> => {
  const { root, self } = document
  if (typeof root !== "object" || root === null) return Option.none()
  const seen = new Set<object>([root])
  const parts = new Set<string>()
  const leaving = new Map<string, Leaving>()
  const stack: Array<Visit> = [{ value: root, step: undefined, base: self.bases[0] }]
  const push = (below: unknown, key: string | number, above: Step | undefined, base: string): void => {
    if (typeof below !== "object" || below === null || seen.has(below)) return
    seen.add(below)
    stack.push({ value: below, step: { key: String(key), above }, base })
  }
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    const { step, value } = visit
    if (Array.isArray(value)) {
      for (let at = value.length - 1; at >= 0; at--) push(value[at], at, step, visit.base)
      continue
    }
    const id = step === undefined ? "" : Fields.stringField(value, "$id")
    const base = id === "" ? visit.base : absolute(id, visit.base) ?? visit.base
    if (id !== "") parts.add(base)
    const ref = Fields.stringField(value, "$ref")
    if (ref !== "" && !ref.startsWith("#")) {
      const name = `${base} ${ref}`
      if (!leaving.has(name)) leaving.set(name, { ref, base, step })
    }
    const entries = document.entries(value)
    for (let at = entries.length - 1; at >= 0; at--) {
      const [key, below] = entries[at] ?? ["", null]
      if (typeof below === "object" && !isData(key, step)) push(below, key, step, base)
    }
  }
  for (const { base, ref, step } of leaving.values()) {
    const named = absolute(ref, base)
    if ((named === undefined || !parts.has(named)) && self.fragment(ref, base) === undefined) {
      return Option.some({ ref, where: Reference.pointer(keysTo(step)) })
    }
  }
  return Option.none()
}
