import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { Composer, isAlias, isMap, isNode, isPair, isScalar, isSeq, Parser } from "yaml"
import type { CST, Document, ParsedNode } from "yaml"

/** Why a text is no YAML document that can be read. `offset` counts UTF-16 units from 0. */
export type Trouble = Data.TaggedEnum<{
  Broken: { readonly offset: number; readonly why: string }
  AliasBomb: {}
  TooDeep: {}
}>
export const Trouble = Data.taggedEnum<Trouble>()

/** How many nodes a document may have once its aliases are written out. */
const unfolded = 10_000_000

/** The library searches all anchors and aliases for each alias: this bounds the steps. */
const lookups = 200_000_000

/**
 * How deep collections may nest. The library recurses over them, and runs out of stack between 500 and 1000; close to that
 * even a regular expression that V8 compiles there ends the whole process, so the depth is measured before it starts.
 */
const deepest = 200

const plainWords = (message: string): string =>
  `${message.charAt(0).toLowerCase()}${message.slice(1)}`.replace(/\s+/g, " ").replace(/[.:]$/, "").slice(0, 200)

const offsetOf = (node: unknown): number => (isNode(node) ? node.range?.[0] : undefined) ?? 0

/**
 * What is wrong with a tree that parsed: keys that stand twice, aliases of nothing or of themselves, and aliases that
 * unfold into too much. Linear: an alias counts for its anchor's weight without going there. Merge keys copy no more than this.
 */
const inspect = (document: Document.Parsed<ParsedNode>): Trouble | undefined => {
  const weights = new Map<string, number | "open">()
  let trouble: Trouble | undefined
  let aliases = 0
  let anchors = 0

  const weigh = (node: unknown): number => {
    if (trouble !== undefined) return 0
    if (isAlias(node)) {
      aliases += 1
      const weight = weights.get(node.source)
      if (typeof weight === "number") return weight
      trouble = Trouble.Broken({
        offset: offsetOf(node),
        why: weight === "open"
          ? `the alias *${node.source} stands within what it repeats`
          : `the alias *${node.source} has no anchor before it`
      })
      return 0
    }
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined
    if (anchor !== undefined) {
      anchors += 1
      weights.set(anchor, "open")
    }
    let weight = 1
    if (isMap(node)) {
      const keys = new Set<string>()
      for (const { key, value } of node.items) {
        if (isScalar(key) && typeof key.value !== "symbol" && key.value !== "<<") {
          const name = String(key.value)
          if (keys.has(name)) {
            trouble ??= Trouble.Broken({ offset: offsetOf(key), why: `the key "${name.slice(0, 80)}" stands twice` })
          }
          keys.add(name)
        }
        weight += weigh(key) + weigh(value)
      }
    } else if (isSeq(node)) {
      for (const item of node.items) weight += isPair(item) ? weigh(item.key) + weigh(item.value) : weigh(item)
    }
    if (anchor !== undefined) weights.set(anchor, weight)
    return weight
  }

  const total = weigh(document.contents)
  return trouble ??
    (total > unfolded || aliases * (aliases + anchors) > lookups ? Trouble.AliasBomb() : undefined)
}

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
  // found by `inspect` in linear time
  uniqueKeys: false,
  stringKeys: true,
  merge: true,
  prettyErrors: false,
  logLevel: "error"
} as const

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

const read = (document: Document.Parsed<ParsedNode>): Either.Either<unknown, Trouble> => {
  const [first, ...others] = document.errors
  if (first !== undefined) {
    const earliest = others.reduce((one, other) => other.pos[0] < one.pos[0] ? other : one, first)
    return Either.left(Trouble.Broken({ offset: earliest.pos[0], why: plainWords(earliest.message) }))
  }
  const trouble = inspect(document)
  return trouble === undefined ? Either.right(document.toJS({ maxAliasCount: -1 })) : Either.left(trouble)
}

/** Parse one YAML 1.2 document, once. Aliases become shared values, merge keys (`<<`) are honoured. */
export const parse = (text: string): Either.Either<unknown, Trouble> =>
  Either.try({
    try: () => Either.flatMap(compose(text), read),
    // what the library throws while it builds values, e.g. at a merge key without a map
    catch: (error) =>
      Trouble.Broken({ offset: 0, why: plainWords(error instanceof Error ? error.message : String(error)) })
  }).pipe(Either.flatMap((result) => result))
