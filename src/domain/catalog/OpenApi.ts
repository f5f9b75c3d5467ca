import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { CatalogProblem } from "./CatalogProblem.js"
import { ExternalRef, NoOperations, TooManyOperations } from "./CatalogProblem.js"
import { Description } from "./Description.js"
import * as Dialect from "./Dialect.js"
import * as ExternalReference from "./ExternalReference.js"
import { Operation, OperationId } from "./Operation.js"
import * as Prose from "./Prose.js"
import * as Reference from "./Reference.js"
import type { Fields } from "./Reference.js"

/**
 * From a parsed document to its operations: OpenAPI 3.0, 3.1, 3.2 and Swagger 2.0. Pure and total on any value; the work is
 * bounded by the document's size and by `limits`, whatever its references repeat.
 */

const limits = {
  operations: 100_000,
  id: 300,
  path: 2_000,
  summary: 1_000,
  description: 32_768,
  name: 200,
  parameters: 200,
  tags: 50,
  warnings: 50
} as const

const methods = new Set(["get", "put", "post", "delete", "options", "head", "patch", "trace"])

/** An operation as its own object tells it, before path, shared parameters and id join it. */
interface Draft {
  readonly wantedId: string
  readonly summary: string
  readonly description: string
  readonly tags: ReadonlyArray<string>
  readonly parameters: ReadonlyArray<string>
}

/** An operation that lacks nothing but an id that is its own. */
interface Unnamed extends Omit<Draft, "wantedId"> {
  readonly wantedId: string
  readonly method: string
  readonly path: string
  readonly webhook: boolean
}

class Reader {
  readonly #document: unknown
  readonly #queryMethod: boolean
  readonly #drafts = new Map<Fields, Draft>()
  readonly #names = new Map<unknown, ReadonlyArray<string>>()
  readonly #warnings: Array<string> = []
  #unsaid = 0

  constructor(document: unknown, queryMethod: boolean) {
    this.#document = document
    this.#queryMethod = queryMethod
  }

  warn(sentence: string): void {
    if (this.#warnings.length < limits.warnings) this.#warnings.push(sentence)
    else this.#unsaid += 1
  }

  get warnings(): ReadonlyArray<string> {
    return this.#unsaid === 0 ? this.#warnings : [...this.#warnings, `There are ${this.#unsaid} more warnings.`]
  }

  /** The operations of one path item or webhook, in the order of its keys. */
  *item(key: string, value: unknown, webhook: boolean): Generator<Unnamed> {
    const path = Prose.brief(key, limits.path) || "/"
    const layers = this.#layers(value, `${webhook ? "The webhook" : "The path"} ${Prose.brief(path, 100)}`)
    const shared = this.#parameters(fromLayers(layers, "parameters"), path)
    for (const [method, raw] of this.#operations(layers)) {
      const where = `${method} ${Prose.brief(path, 100)}`
      const own = this.#layers(raw, where)
      const [first] = own
      if (first === undefined) continue
      const draft = this.#draft(first, own, where)
      yield {
        ...draft,
        summary: draft.summary || text(fromLayers(layers, "summary"), limits.summary),
        description: draft.description || text(fromLayers(layers, "description"), limits.description),
        parameters: union(shared, draft.parameters, limits.parameters),
        method,
        path,
        webhook
      }
    }
  }

  /** Methods and their operations; a method that the item itself has hides the one behind its reference. */
  *#operations(layers: ReadonlyArray<Fields>): Generator<readonly [string, unknown]> {
    const seen = new Set<string>()
    for (const layer of layers) {
      for (const [key, value] of Object.entries(layer)) {
        if (seen.has(key)) continue
        if (methods.has(key.toLowerCase()) || (this.#queryMethod && key === "query")) {
          seen.add(key)
          yield [key.toUpperCase(), value]
        }
      }
    }
    if (!this.#queryMethod) return
    const additional = fromLayers(layers, "additionalOperations")
    for (const [key, value] of Reference.isFields(additional) ? Object.entries(additional) : []) {
      yield [Prose.brief(key, 30), value]
    }
  }

  #layers(value: unknown, what: string): ReadonlyArray<Fields> {
    if (!Reference.isFields(value)) {
      this.warn(`${what} is not described by an object and was left out.`)
      return []
    }
    const followed = Reference.follow(this.#document, value)
    if (followed._tag === "Found") return followed.layers
    const ref = Prose.brief(followed.ref, 100)
    this.warn(
      followed._tag === "Broken"
        ? `${what} refers to "${ref}", which the document does not have; that part was left out.`
        : `${what} refers to "${ref}", which leads back to itself; that part was left out.`
    )
    return [value]
  }

  #draft(key: Fields, layers: ReadonlyArray<Fields>, where: string): Draft {
    const known = this.#drafts.get(key)
    if (known !== undefined) return known
    const description = fromLayers(layers, "description")
    if (typeof description === "string" && description.length > limits.description) {
      this.warn(`The description of ${where} is longer than ${limits.description} characters and was cut there.`)
    }
    const draft: Draft = {
      wantedId: line(fromLayers(layers, "operationId"), limits.id),
      summary: text(fromLayers(layers, "summary"), limits.summary),
      description: text(description, limits.description),
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
      const name = line(fromLayers(this.#layers(parameter, `A parameter of ${where}`), "name"), limits.name)
      if (name !== "") found.add(name)
    }
    const all = [...found]
    this.#names.set(list, all)
    return all
  }
}

/** The value under a key in the first layer that has it. */
const fromLayers = (layers: ReadonlyArray<Fields>, key: string): unknown => {
  for (const layer of layers) {
    const value = Reference.field(layer, key)
    if (value !== undefined) return value
  }
  return undefined
}

const text = (value: unknown, limit: number): string =>
  typeof value === "string" ? Prose.clean(value.slice(0, limit)).trim() : ""

/** A number stands for its digits: YAML reads a bare `version: 1.0` as one. */
const line = (value: unknown, limit: number): string =>
  typeof value === "string" || typeof value === "number" ? Prose.brief(String(value), limit) : ""

const names = (value: unknown, limit: number): ReadonlyArray<string> =>
  Array.isArray(value)
    ? [...new Set(value.slice(0, limit).map((name) => line(name, limits.name)))].filter((name) => name !== "")
    : []

const union = (one: ReadonlyArray<string>, other: ReadonlyArray<string>, limit: number): ReadonlyArray<string> =>
  one.length === 0 ? other : [...new Set([...one, ...other])].slice(0, limit)

/** Keys of `paths` that name no path: the specification's extensions. */
const entries = (map: unknown): ReadonlyArray<readonly [string, unknown]> =>
  Reference.isFields(map) ? Object.entries(map).filter(([key]) => !key.startsWith("x-")) : []

/** Everyone gets an id: the first who wants one keeps it; the others are known by method and path, numbered where needed. */
const named = (all: ReadonlyArray<Unnamed>, reader: Reader): ReadonlyArray<Operation> => {
  const taken = new Set<string>()
  const keepers = all.map(({ wantedId }) => wantedId !== "" && taken.size !== taken.add(wantedId).size)
  const uses = new Map<string, number>()
  const byPlace = ({ method, path }: Unnamed): string => {
    const base = Prose.brief(`${method} ${path}`, limits.id - 12)
    const numbered = (use: number) => use === 1 ? base : `${base} (${use})`
    let use = uses.get(base) ?? 1
    while (taken.has(numbered(use))) use += 1
    uses.set(base, use + 1)
    taken.add(numbered(use))
    return numbered(use)
  }
  return all.map((unnamed, index) => {
    const { wantedId, ...rest } = unnamed
    if (keepers[index] === true) return new Operation({ ...rest, id: OperationId.make(wantedId) })
    const id = byPlace(unnamed)
    if (wantedId !== "") {
      reader.warn(`The operationId "${wantedId}" stands more than once; one of them is known as "${id}".`)
    }
    return new Operation({ ...rest, id: OperationId.make(id) })
  })
}

const title = (document: unknown): string => line(Reference.field(Reference.field(document, "info"), "title"), 200)

const read = (document: unknown, dialect: Dialect.Dialect): Either.Either<Description, CatalogProblem> => {
  const reader = new Reader(document, dialect._tag === "OpenApi3" && dialect.minor === 2)
  const hooks = dialect._tag === "OpenApi3" ? entries(Reference.field(document, "webhooks")) : []
  const found: Array<Unnamed> = []
  for (
    const [key, item, webhook] of [
      ...entries(Reference.field(document, "paths")).map(([key, item]) => [key, item, false] as const),
      ...hooks.map(([key, item]) => [key, item, true] as const)
    ]
  ) {
    for (const operation of reader.item(key, item, webhook)) found.push(operation)
    if (found.length > limits.operations) return Either.left(new TooManyOperations({ limit: limits.operations }))
  }
  if (found.length === 0) return Either.left(new NoOperations({ title: title(document) }))
  const operations = named(found, reader)
  return Either.right(
    new Description({
      title: title(document),
      version: line(Reference.field(Reference.field(document, "info"), "version"), 100),
      operations,
      warnings: reader.warnings
    })
  )
}

/** Read the operations of a parsed document, in its own order. */
export const operations = (document: unknown): Either.Either<Description, CatalogProblem> =>
  Dialect.dialect(document).pipe(
    Either.flatMap((dialect) =>
      Option.match(ExternalReference.first(document), {
        onNone: () => read(document, dialect),
        onSome: ({ ref, where }) =>
          Either.left(new ExternalRef({ ref: Prose.brief(ref, 200), where: Prose.brief(where, 200) }))
      })
    )
  )
