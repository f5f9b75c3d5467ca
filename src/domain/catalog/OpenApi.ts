import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { CatalogProblem } from "./CatalogProblem.js"
import { ExternalRef, NoOperations, TooManyOperations } from "./CatalogProblem.js"
import { Description } from "./Description.js"
import * as Dialect from "./Dialect.js"
import type { Document, Repeated } from "./Document.js"
import * as ExternalReference from "./ExternalReference.js"
import * as Fields from "./Fields.js"
import { Operation, OperationId } from "./Operation.js"
import { OperationReader } from "./OperationReader.js"
import type { Fate, Unnamed } from "./OperationReader.js"
import * as Prose from "./Prose.js"
import { Warnings } from "./Warnings.js"

/**
 * From a parsed document to its operations: OpenAPI 3.0, 3.1, 3.2 and Swagger 2.0. Pure and total on any value; the work is
 * bounded by the document's size and by the most operations, whatever its references repeat.
 */

const mostOperations = 100_000

/** Room for a method, a path and a number. */
const idByPlace = 288

/** Everyone gets an id: the first who wants one keeps it; the others are known by method and path, numbered where needed. */
const named = (all: ReadonlyArray<Unnamed>, warnings: Warnings): ReadonlyArray<Operation> => {
  const taken = new Set<string>()
  const keepers = all.map(({ wantedId }) => wantedId !== "" && taken.size !== taken.add(wantedId).size)
  const uses = new Map<string, number>()
  const byPlace = ({ method, path }: Unnamed): string => {
    const base = Prose.brief(`${method} ${path}`, idByPlace)
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
      warnings.add(`The operationId "${wantedId}" stands more than once; one of them is known as "${id}".`)
    }
    return new Operation({ ...rest, id: OperationId.make(id) })
  })
}

/** What lies below a key of the root, by name and in the document's order, but for the specification's extensions. */
const items = (document: Document, key: string): ReadonlyArray<readonly [string, unknown]> =>
  document.values(document.root, key)
    .flatMap((map) => Fields.isFields(map) ? document.entries(map) : [])
    .filter(([name]) => !name.startsWith("x-"))

/** A key of the root whose values are read all, where it stands more than once. */
const joined = new Set(["paths", "webhooks", "components"])

/** Say what became of keys that stand more than once: JSON and YAML keep but the last value. */
const warnOfRepeated = (document: Document, reader: OperationReader, warnings: Warnings): void => {
  const maps = new Set(["paths", "webhooks"].flatMap((key) => document.values(document.root, key)))
  const fate = ({ key, within }: Repeated): Fate =>
    maps.has(within) || (within === document.root && joined.has(key)) ? "read" : reader.fate(within, key)
  const unread: Array<Repeated> = []
  for (const repeated of document.repeated) {
    const fated = fate(repeated)
    if (fated === "unread") unread.push(repeated)
    else {
      warnings.add(
        `${again(repeated)}; ${
          fated === "read" ? "all of its values are read" : "only the last of its values is read"
        }.`
      )
    }
  }
  const [first, ...others] = unread
  if (first !== undefined) {
    warnings.add(others.length === 0 ? `${again(first)}.` : `${again(first)}, and ${others.length} more keys likewise.`)
  }
}

const again = ({ column, key, line }: Repeated): string =>
  `The key "${Prose.brief(key, 100)}" stands more than once in one object, again at line ${line}, column ${column}`

const read = (
  document: Document,
  dialect: Dialect.Dialect,
  location: string
): Either.Either<Description, CatalogProblem> => {
  const warnings = new Warnings()
  const reader = new OperationReader(document, dialect._tag === "OpenApi3" && dialect.minor === 2, warnings)
  const info = Fields.field(document.root, "info")
  const title = Prose.line(Fields.field(info, "title"), 200)
  const found: Array<Unnamed> = []
  for (
    const [key, item, webhook] of [
      ...items(document, "paths").map(([key, item]) => [key, item, false] as const),
      ...(dialect._tag === "OpenApi3" ? items(document, "webhooks") : []).map(([key, item]) =>
        [key, item, true] as const
      )
    ]
  ) {
    for (const operation of reader.item(key, item, webhook)) found.push(operation)
    if (found.length > mostOperations) return Either.left(new TooManyOperations({ location, limit: mostOperations }))
  }
  if (found.length === 0) return Either.left(new NoOperations({ location, title }))
  warnOfRepeated(document, reader, warnings)
  const operations = named(found, warnings)
  return Either.right(
    new Description({
      title,
      version: Prose.line(Fields.field(info, "version"), 100),
      operations,
      warnings: warnings.all
    })
  )
}

/** Read the operations of a parsed document, in its own order; problems name the location that it was read from. */
export const operations = (document: Document, location: string): Either.Either<Description, CatalogProblem> =>
  Dialect.dialect(document.root, location).pipe(
    Either.flatMap((dialect) =>
      Option.match(ExternalReference.first(document), {
        onNone: () => read(document, dialect, location),
        onSome: ({ ref, where }) =>
          Either.left(new ExternalRef({ location, ref: Prose.brief(ref, 200), where: Prose.brief(where, 200) }))
      })
    )
  )
