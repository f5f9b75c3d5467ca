import type { Document } from "./Document.js"
import * as Fields from "./Fields.js"
import * as Prose from "./Prose.js"
import * as Reference from "./Reference.js"
import type { Warnings } from "./Warnings.js"

const limits = {
  id: 300,
  path: 2_000,
  summary: 1_000,
  description: 32_768,
  name: 200,
  parameters: 200,
  tags: 50
} as const

const methods = new Set(["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"])

const isMethod = (key: string): boolean => methods.has(key.toLowerCase())

/** An operation as its own object tells it, before path, shared parameters and id join it. */
interface Draft {
  readonly wantedId: string
  readonly summary: string
  readonly description: string
  readonly tags: ReadonlyArray<string>
  readonly parameters: ReadonlyArray<string>
}

/** An operation that lacks nothing but an id that is its own; `wantedId` is empty where the author gave none. */
export interface Unnamed extends Draft {
  readonly method: string
  readonly path: string
  readonly webhook: boolean
}

/** What becomes of a key's earlier values: all are read, only the last is, or nobody asks for the key. */
export type Fate = "read" | "lost" | "unread"

/** Reads path items. Total on any value; what references repeat is read once. */
export class OperationReader {
  readonly #document: Document
  readonly #queryMethod: boolean
  readonly #warnings: Warnings
  readonly #drafts = new Map<Fields.Fields, Draft>()
  readonly #names = new Map<unknown, ReadonlyArray<string>>()
  readonly #maps = new Set<object>()
  readonly #items = new Set<object>()
  readonly #bodies = new Set<object>()

  /** `queryMethod`: whether the dialect knows the method `query` and methods of one's own. */
  constructor(document: Document, queryMethod: boolean, warnings: Warnings) {
    this.#document = document
    this.#queryMethod = queryMethod
    this.#warnings = warnings
  }

  /** The operations of one path item or webhook, in the order of its keys. */
  *item(key: string, value: unknown, webhook: boolean): Generator<Unnamed> {
    const path = Prose.brief(key, limits.path) || "/"
    const what = `${webhook ? "The webhook" : "The path"} ${Prose.brief(path, 100)}`
    const layers = this.#layers(value, what)
    const shared = this.#parameters(fromLayers(layers, "parameters"), path)
    for (const [method, raw] of this.#operations(layers, what)) {
      const where = `${method} ${Prose.brief(path, 100)}`
      const own = this.#layers(raw, where)
      const [first] = own
      if (first === undefined) continue
      const draft = this.#draft(first, own, where)
      yield {
        ...draft,
        summary: draft.summary || Prose.text(fromLayers(layers, "summary"), limits.summary),
        description: draft.description || Prose.text(fromLayers(layers, "description"), limits.description),
        parameters: union(shared, draft.parameters, limits.parameters),
        method,
        path,
        webhook
      }
    }
  }

  /** What became of the earlier values of a key in an object, by what was read so far. */
  fate(within: object, key: string): Fate {
    if (this.#maps.has(within)) return "read"
    if (this.#items.has(within)) return isMethod(key) ? "read" : "lost"
    return this.#bodies.has(within) ? "lost" : "unread"
  }

  /** Methods and their operations; a method that the item itself has hides the one behind its reference. */
  *#operations(layers: ReadonlyArray<Fields.Fields>, what: string): Generator<readonly [string, unknown]> {
    const hidden = new Set<string>()
    for (const layer of layers) {
      this.#items.add(layer)
      for (const [key, value] of this.#document.entries(layer)) {
        if (hidden.has(key) || !isMethod(key)) continue
        if (this.#queryMethod || key.toLowerCase() !== "query") yield [key.toUpperCase(), value]
        else this.#warnings.add(`${what} has the method "query", which came with OpenAPI 3.2; it was left out.`)
      }
      for (const key of Object.keys(layer)) hidden.add(key)
    }
    const additional = fromLayers(layers, "additionalOperations")
    if (!Fields.isFields(additional)) return
    if (this.#queryMethod) {
      this.#maps.add(additional)
      for (const [key, value] of this.#document.entries(additional)) yield [Prose.brief(key, 30), value]
    } else {
      this.#warnings.add(`${what} has "additionalOperations", which came with OpenAPI 3.2; they were left out.`)
    }
  }

  #layers(value: unknown, what: string): ReadonlyArray<Fields.Fields> {
    if (!Fields.isFields(value)) {
      this.#warnings.add(`${what} is not described by an object and was left out.`)
      return []
    }
    const followed = Reference.follow(this.#document, value)
    if (followed._tag === "Found") return followed.layers
    const ref = Prose.brief(followed.ref, 100)
    this.#warnings.add(
      followed._tag === "Broken"
        ? `${what} refers to "${ref}", which the document does not have; that part was left out.`
        : `${what} refers to "${ref}", which leads back to itself; that part was left out.`
    )
    return [value]
  }

  #draft(key: Fields.Fields, layers: ReadonlyArray<Fields.Fields>, where: string): Draft {
    const known = this.#drafts.get(key)
    if (known !== undefined) return known
    for (const layer of layers) this.#bodies.add(layer)
    const description = fromLayers(layers, "description")
    if (typeof description === "string" && description.length > limits.description) {
      this.#warnings.add(
        `The description of ${where} is longer than ${limits.description} characters and was cut there.`
      )
    }
    const draft: Draft = {
      wantedId: Prose.line(fromLayers(layers, "operationId"), limits.id),
      summary: Prose.text(fromLayers(layers, "summary"), limits.summary),
      description: Prose.text(description, limits.description),
      tags: names(fromLayers(layers, "tags"), limits.tags),
      parameters: this.#parameters(fromLayers(layers, "parameters"), where)
    }
    this.#drafts.set(key, draft)
    return draft
  }

  /** Parameter names; each list is read once, however often references repeat it. */
  #parameters(list: unknown, where: string): ReadonlyArray<string> {
    if (!Array.isArray(list)) return []
    const known = this.#names.get(list)
    if (known !== undefined) return known
    const found = new Set<string>()
    for (const parameter of list) {
      if (found.size >= limits.parameters) break
      const name = Prose.line(fromLayers(this.#layers(parameter, `A parameter of ${where}`), "name"), limits.name)
      if (name !== "") found.add(name)
    }
    const all = [...found]
    this.#names.set(list, all)
    return all
  }
}

/** The value under a key in the first layer that has it. */
const fromLayers = (layers: ReadonlyArray<Fields.Fields>, key: string): unknown => {
  for (const layer of layers) {
    const value = Fields.field(layer, key)
    if (value !== undefined) return value
  }
  return undefined
}

const names = (value: unknown, limit: number): ReadonlyArray<string> =>
  Array.isArray(value)
    ? [...new Set(value.slice(0, limit).map((name) => Prose.line(name, limits.name)))].filter((name) => name !== "")
    : []

const union = (one: ReadonlyArray<string>, other: ReadonlyArray<string>, limit: number): ReadonlyArray<string> =>
  one.length === 0 ? other : [...new Set([...one, ...other])].slice(0, limit)
