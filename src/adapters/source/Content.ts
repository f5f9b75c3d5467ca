import * as Either from "effect/Either"
import * as Match from "effect/Match"
import {
  AliasBomb,
  BinarySource,
  BrokenJson,
  BrokenYaml,
  EmptySource,
  MarkupSource,
  TooDeep
} from "../../domain/catalog/CatalogProblem.js"
import type { Origin } from "../../domain/catalog/Document.js"
import * as JsonSyntax from "./JsonSyntax.js"
import * as JsonText from "./JsonText.js"
import type { Parsed } from "./Parsed.js"
import * as YamlText from "./YamlText.js"
import type { Trouble } from "./YamlTrouble.js"

/** What JSON or YAML made of the bytes. */
interface Content extends Pick<Origin, "repeated"> {
  readonly root: unknown
}

export type ContentProblem = EmptySource | BinarySource | MarkupSource | BrokenJson | BrokenYaml | AliasBomb | TooDeep

const signatures: ReadonlyArray<readonly [ReadonlyArray<number>, string]> = [
  [[0x1f, 0x8b], "gzip-compressed data"],
  [[0x50, 0x4b, 0x03, 0x04], "a zip archive"],
  [[0x25, 0x50, 0x44, 0x46], "a PDF file"],
  [[0x89, 0x50, 0x4e, 0x47], "an image"],
  [[0xff, 0xd8, 0xff], "an image"],
  [[0x28, 0xb5, 0x2f, 0xfd], "zstd-compressed data"],
  [[0x42, 0x5a, 0x68], "bzip2-compressed data"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz-compressed data"]
]

const startsWith = (bytes: Uint8Array, start: ReadonlyArray<number>): boolean =>
  start.every((byte, index) => bytes[index] === byte)

/** UTF-8, or UTF-16 where its byte order mark says so; the mark itself goes. */
const decode = (location: string, bytes: Uint8Array): Either.Either<string, BinarySource> => {
  const binary = (looksLike: string) => Either.left(new BinarySource({ location, looksLike }))
  const signature = signatures.find(([start]) => startsWith(bytes, start))
  if (signature !== undefined) return binary(signature[1])
  const encoding = startsWith(bytes, [0xff, 0xfe]) ? "utf-16le" : startsWith(bytes, [0xfe, 0xff]) ? "utf-16be" : "utf-8"
  if (encoding === "utf-8" && bytes.includes(0)) return binary("binary data")
  return Either.try({
    try: () => new TextDecoder(encoding, { fatal: true }).decode(bytes),
    catch: () => new BinarySource({ location, looksLike: `bytes that are not ${encoding.toUpperCase()} text` })
  })
}

/** Positions for people in place of offsets. */
const placed = (text: string, { repeated, root }: Parsed): Content => {
  const position = JsonSyntax.positions(text)
  return { root, repeated: repeated.map(({ offset, ...one }) => ({ ...one, ...position(offset) })) }
}

const json = (location: string, text: string): Either.Either<Content, BrokenJson> =>
  JsonText.parse(text).pipe(
    Either.map((parsed) => placed(text, parsed)),
    Either.mapLeft(({ offset, why }) => new BrokenJson({ location, ...JsonSyntax.position(text, offset), why }))
  )

const yaml = (location: string, text: string): Either.Either<Content, BrokenYaml | AliasBomb | TooDeep> =>
  YamlText.parse(text).pipe(
    Either.map((parsed) => placed(text, parsed)),
    Either.mapLeft(
      Match.type<Trouble>().pipe(
        Match.withReturnType<BrokenYaml | AliasBomb | TooDeep>(),
        Match.tagsExhaustive({
          Broken: ({ offset, why }) => new BrokenYaml({ location, ...JsonSyntax.position(text, offset), why }),
          AliasBomb: () => new AliasBomb({ location }),
          TooDeep: () => new TooDeep({ location })
        })
      )
    )
  )

/** From this length on, text without a version key is not parsed as YAML: that takes seconds and cannot be interrupted. */
const long = 1_000_000

const markup = (start: string): string | undefined =>
  /^<(?:!doctype\s+html|html|head|body|script|div|title)\b/i.test(start)
    ? "an HTML page"
    : /^<(?:[?!]|[a-z])/i.test(start)
    ? /<html\b/i.test(start) ? "an HTML page" : "an XML document"
    : undefined

const parse = (location: string, text: string): Either.Either<Content, ContentProblem> => {
  const start = text.slice(0, 1000).trimStart()
  const looksLike = markup(start)
  if (looksLike !== undefined) return Either.left(new MarkupSource({ location, looksLike }))
  if (start.startsWith("{") || start.startsWith("[")) {
    const parsed = json(location, text)
    return Either.isLeft(parsed) && /\.ya?ml(?:$|[?) ])/i.test(location) && text.length < long
      ? yaml(location, text)
      : parsed
  }
  return text.length > long && !/(?:openapi|swagger)/i.test(text)
    ? Either.right({ root: text, repeated: [] })
    : yaml(location, text)
}

/** Parse raw bytes as what they are, JSON or YAML, whatever the location calls them. */
export const document = (location: string, bytes: Uint8Array): Either.Either<Content, ContentProblem> =>
  Either.flatMap(
    decode(location, bytes),
    (text) => text.trim() === "" ? Either.left(new EmptySource({ location })) : parse(location, text)
  )
