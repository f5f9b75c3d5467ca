import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { NotASpec, UnsupportedVersion } from "./CatalogProblem.js"
import * as Fields from "./Fields.js"
import * as Prose from "./Prose.js"

/** Which language a description is written in, as far as reading its operations depends on it. */
export type Dialect = Data.TaggedEnum<{
  Swagger2: {}
  OpenApi3: { readonly minor: 0 | 1 | 2 }
}>
export const Dialect = Data.taggedEnum<Dialect>()

const known = (document: Fields.Fields): string | undefined => {
  const has = (key: string) => Fields.field(document, key) !== undefined
  const info = Fields.field(document, "info")
  if (has("asyncapi")) return "an AsyncAPI description"
  if (Fields.stringField(info, "schema").includes("getpostman.com")) return "a Postman collection"
  if (has("__schema") || Fields.field(Fields.field(document, "data"), "__schema") !== undefined) {
    return "a GraphQL schema"
  }
  if (has("$schema")) return "a JSON Schema"
  if (has("paths")) return "an API description that lacks its \"openapi\" or \"swagger\" version"
  return undefined
}

const keysOf = (document: Fields.Fields): string => {
  const keys = Object.keys(document)
  if (keys.length === 0) return "an empty object"
  const shown = keys.slice(0, 3).map((key) => `"${Prose.brief(key, 40)}"`).join(", ")
  return `an object with ${keys.length === 1 ? "the key" : "the keys"} ${shown}${keys.length > 3 ? ", ..." : ""}`
}

/** What a value looks like that is no API description, in words that continue "it looks like". */
export const looksLike = (document: unknown): string =>
  document === null || document === undefined
    ? "an empty document"
    : Array.isArray(document)
    ? `a list of ${document.length} ${document.length === 1 ? "element" : "elements"}`
    : Fields.isFields(document)
    ? known(document) ?? keysOf(document)
    : typeof document === "string"
    ? /^\s*<(?:!doctype html|html)/i.test(document)
      ? "an HTML page"
      : /^\s*</.test(document)
      ? "an XML document"
      : "plain text"
    : `a single ${typeof document}`

/** A bare `2` means 2.0, as does the number that a parser made of `2.0`. */
const versionText = (value: unknown): string | undefined => {
  const version = typeof value === "string"
    ? Prose.brief(value, 40)
    : typeof value === "number"
    ? String(value)
    : undefined
  return version !== undefined && /^\d+$/.test(version) ? `${version}.0` : version
}

const supported: Readonly<Record<string, Dialect>> = {
  "swagger 2.0": Dialect.Swagger2(),
  "openapi 3.0": Dialect.OpenApi3({ minor: 0 }),
  "openapi 3.1": Dialect.OpenApi3({ minor: 1 }),
  "openapi 3.2": Dialect.OpenApi3({ minor: 2 })
}

/** The dialect that the document itself names; problems name where it was read. */
export const dialect = (
  document: unknown,
  location: string
): Either.Either<Dialect, NotASpec | UnsupportedVersion> => {
  for (const key of ["openapi", "swagger", "swaggerVersion"]) {
    const version = versionText(Fields.field(document, key))
    if (version === undefined) continue
    const [series = ""] = /^\d+\.\d+(?=$|[.-])/.exec(version) ?? []
    const name = `${key} ${series}`
    const found = Object.hasOwn(supported, name) ? supported[name] : undefined
    return found === undefined
      ? Either.left(new UnsupportedVersion({ location, field: key, version }))
      : Either.right(found)
  }
  return Either.left(new NotASpec({ location, looksLike: looksLike(document) }))
}
