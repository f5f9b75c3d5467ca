import * as Schema from "effect/Schema"
import * as Text from "../index/Text.js"
import { findable } from "../text/Findable.js"
import * as Storable from "../text/Storable.js"
import * as Prose from "./Prose.js"

/** Names one operation within its catalog: the description's operationId, or "METHOD path". At most 300 characters. */
export const OperationId = Schema.String.pipe(Schema.minLength(1), Schema.maxLength(300), Schema.brand("OperationId"))
export type OperationId = typeof OperationId.Type

/**
 * One thing an API can do. `method` is in upper case; `summary` and `description` are empty where the author wrote none;
 * `parameters` are names. Of a webhook, `path` is its name, and the call goes from the API to its user.
 */
export class Operation extends Schema.Class<Operation>("Operation")({
  id: OperationId,
  method: Schema.String,
  path: Schema.String,
  summary: Schema.String,
  description: Schema.String,
  tags: Schema.Array(Schema.String),
  parameters: Schema.Array(Schema.String),
  webhook: Schema.Boolean
}) {}

/** The operation for full-text search: `a` weighs most, `c` least. */
export interface Lexical {
  readonly a: string
  readonly b: string
  readonly c: string
}

/** Whether the author named it: an id made of method and path says nothing that the path does not. */
const isNamed = (operation: Operation): boolean => !operation.id.startsWith(`${operation.method} `)

/** The parts in order, each once, however often an author repeats himself. */
const distinct = (parts: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(parts.map((part) => part.trim()))].filter((part) => part !== "")

/** The parts in order, without those whose every word was said before. */
const unsaid = (parts: ReadonlyArray<string>, before: string): ReadonlyArray<string> => {
  const said = new Set(Prose.words(before).split(" "))
  return distinct(parts).filter((part) => {
    const fresh = part.split(" ").filter((word) => !said.has(word))
    for (const word of fresh) said.add(word)
    return fresh.length > 0
  })
}

const sentence = (text: string): string => /[\p{L}\p{N}]$/u.test(text) ? `${text}.` : text

/** Plain prose up to the end of its first sentence, or of its first line. "e.g. this" ends none. */
const firstSentence = (prose: string): string => {
  const end = /[.!?](?=\s+[^\s\p{Ll}])|[。！？]|(?=\n)/u.exec(prose)
  return end === null ? prose : prose.slice(0, end.index + end[0].length)
}

/** The text without what it begins with, where that ends at the end of a word. */
const without = (beginning: string, text: string): string => {
  const repeated = text.toLowerCase().startsWith(beginning.toLowerCase())
  const tail = text.slice(beginning.length)
  return repeated && !/^[\p{L}\p{N}]/u.test(tail) ? tail.replace(/^[\s.]+/, "") : text
}

/** What the operation does in one sentence, and the sentence that follows it. */
const firstTwo = (operation: Operation): readonly [string, string] => {
  const summary = Prose.plain(operation.summary).replace(/\n/g, " ")
  const description = Prose.plain(operation.description)
  const first = summary === "" ? firstSentence(description) : summary
  return [first, firstSentence(without(first, description))]
}

/** The words of the path without its variables, which say the word before them again; with them where it has no others. */
const place = (path: string): string => Prose.words(path.replace(/\{[^{}]*\}/g, " ")) || Prose.words(path)

/**
 * The text that is embedded, in two chunks of which a question needs to match but one: what the operation does and where
 * it stands (path, then tags and parameter names that say something new), and what it does in at most two sentences. A
 * vector of a long text blurs: what else the description says is for full-text search alone. Never empty.
 */
export const text = (operation: Operation): string => {
  const [first, second] = firstTwo(operation)
  const said = [first, Prose.words(operation.path)].join(" ")
  const names = unsaid([...operation.tags, ...operation.parameters].map(Prose.words), said)
  const method = operation.method.toLowerCase()
  const doing = first === "" && isNamed(operation) ? `${method} ${Prose.words(operation.id)}` : first
  const places = distinct([place(operation.path), ...names]).join(", ")
  return distinct([
    distinct([doing === "" ? method : doing, places]).map(sentence).join(" "),
    distinct([doing, second]).map(sentence).join(" ")
  ]).join(Text.border)
}

/** A name as it stands and its words, so that either is found. */
const spelled = (name: string): ReadonlyArray<string> => [Prose.words(name), Storable.oneLine(findable(name))]

/** The three weighted fields of full-text search. */
export const lexical = (operation: Operation): Lexical => ({
  a: distinct([Prose.plain(operation.summary), ...(isNamed(operation) ? spelled(operation.id) : [])]).join("\n"),
  b: distinct([Prose.words(operation.path), ...operation.tags.map(Prose.words)]).join("\n"),
  c: distinct([Prose.plain(operation.description), ...operation.parameters.flatMap(spelled)]).join("\n")
})
