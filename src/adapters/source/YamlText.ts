import * as Either from "effect/Either"
import { Composer, Parser } from "yaml"
import type { CST, Document, DocumentOptions, ParsedNode, ParseOptions, SchemaOptions } from "yaml"
import type { Parsed } from "./Parsed.js"
import * as YamlTree from "./YamlTree.js"
import { Trouble } from "./YamlTrouble.js"

/**
 * How deep collections may nest. The library recurses over them, and runs out of stack between 500 and 1000; close to that
 * even a regular expression that V8 compiles there ends the whole process, so the depth is measured before it starts.
 */
const deepest = 200

const plainWords = (message: string): string =>
  `${message.charAt(0).toLowerCase()}${message.slice(1)}`.replace(/\s+/g, " ").replace(/[.:]$/, "").slice(0, 200)

/** Whether a token nests deeper than the library can go; it is asked without recursion. */
const isTooDeep = (token: CST.Token): boolean => {
  const stack: Array<readonly [CST.Token, number]> = [[token, 0]]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [at, depth] = next
    if (depth > deepest) return true
    if (at.type === "document" && at.value !== undefined) stack.push([at.value, depth])
    if (!("items" in at)) continue
    for (const { key, value } of at.items) {
      if (key !== undefined && key !== null) stack.push([key, depth + 1])
      if (value !== undefined) stack.push([value, depth + 1])
    }
  }
  return false
}

const options = {
  // every plain scalar is the text that its author wrote, but for null
  schema: "failsafe",
  customTags: ["null"],
  // found with their values, in linear time
  uniqueKeys: false,
  stringKeys: true,
  prettyErrors: false,
  logLevel: "error"
} satisfies ParseOptions & DocumentOptions & SchemaOptions

const compose = (text: string): Either.Either<Document.Parsed<ParsedNode>, Trouble> => {
  const composer = new Composer<ParsedNode>(options)
  const documents: Array<Document.Parsed<ParsedNode>> = []
  for (const token of new Parser().parse(text)) {
    if (isTooDeep(token)) return Either.left(Trouble.TooDeep())
    documents.push(...composer.next(token))
  }
  documents.push(...composer.end(true, text.length))
  const [first, second] = documents
  return first === undefined || second !== undefined
    ? Either.left(Trouble.Broken({ offset: second?.range[0] ?? 0, why: "a second YAML document begins" }))
    : Either.right(first)
}

const read = (document: Document.Parsed<ParsedNode>): Either.Either<Parsed, Trouble> => {
  const [first, ...others] = document.errors
  if (first !== undefined) {
    const earliest = others.reduce((one, other) => other.pos[0] < one.pos[0] ? other : one, first)
    return Either.left(Trouble.Broken({ offset: earliest.pos[0], why: plainWords(earliest.message) }))
  }
  const trouble = YamlTree.inspect(document.contents)
  return trouble === undefined ? Either.right(YamlTree.parsed(document.contents)) : Either.left(trouble)
}

/**
 * Parse one YAML 1.2 document, once. Bare numbers, booleans and dates are texts, as they are written. Aliases become shared
 * values, merge keys (`<<`) are honoured.
 */
export const parse = (text: string): Either.Either<Parsed, Trouble> =>
  Either.try({
    try: () => Either.flatMap(compose(text), read),
    // what the library throws while it composes
    catch: (error) =>
      Trouble.Broken({ offset: 0, why: plainWords(error instanceof Error ? error.message : String(error)) })
  }).pipe(Either.flatMap((result) => result))
