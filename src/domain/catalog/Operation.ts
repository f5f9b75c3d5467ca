import * as Schema from "effect/Schema"
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

/** What the operation does in one sentence, and what the description adds to it. */
const headAndRest = (operation: Operation): readonly [string, string] => {
  const summary = Prose.plain(operation.summary).replace(/\n/g, " ")
  const description = Prose.plain(operation.description)
  if (summary !== "") {
    const repeated = description.toLowerCase().startsWith(summary.toLowerCase())
    return [summary, repeated ? description.slice(summary.length).replace(/^[\s.]+/, "") : description]
  }
  const end = description.search(/[.!?]\s|\n/) + 1
  return end > 0 ? [description.slice(0, end).trim(), description.slice(end).trim()] : [description, ""]
}

/**
 * The text that is embedded: what the operation does, then where it stands, then the rest. The path comes directly after the
 * first sentence, so that both share the first chunk however long the description is. Never empty.
 */
export const text = (operation: Operation): string => {
  const [head, rest] = headAndRest(operation)
  const path = Prose.words(operation.path)
  const telling = head === ""
    ? `${operation.method.toLowerCase()} ${isNamed(operation) ? Prose.words(operation.id) : ""}`
    : ""
  const names = unsaid([...operation.tags, ...operation.parameters].map(Prose.words), [head, path, rest].join(" "))
  return distinct([
    distinct([head, telling, path]).map(sentence).join(" "),
    ...rest.split("\n").map(sentence),
    names.join(", ")
  ]).join("\n")
}

/** A name as it stands and its words, so that either is found. */
const spelled = (name: string): ReadonlyArray<string> => [Prose.words(name), Prose.oneLine(name)]

/** The three weighted fields of full-text search. */
export const lexical = (operation: Operation): Lexical => ({
  a: distinct([Prose.plain(operation.summary), ...(isNamed(operation) ? spelled(operation.id) : [])]).join("\n"),
  b: distinct([Prose.words(operation.path), ...operation.tags.map(Prose.words)]).join("\n"),
  c: distinct([Prose.plain(operation.description), ...operation.parameters.flatMap(spelled)]).join("\n")
})
