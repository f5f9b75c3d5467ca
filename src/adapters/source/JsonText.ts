import * as Either from "effect/Either"
import * as JsonSyntax from "./JsonSyntax.js"
import type { Expected, Fault } from "./JsonSyntax.js"
import * as Parsing from "./Parsed.js"
import type { Growing, Parsed, RepeatedKey } from "./Parsed.js"

/**
 * JSON (RFC 8259) with nothing lost: numbers and booleans are the text that stands there, so that `1.10` stays "1.10" and a
 * long number is not rounded, and the earlier values of a key that stands twice are kept aside. JSON.parse loses both. Depth
 * costs no stack.
 */

/** Where the value of a finished list or object goes, and what to go on with. */
interface Open {
  readonly fields: Growing | undefined
  readonly list: Array<unknown> | undefined
  readonly key: string
}

const quote = 0x22
const backslash = 0x5c

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const literals = ["true", "false", "null"]

/** The offset behind what the pattern matches at `at`; the pattern matches the empty text too. */
const behind = (pattern: RegExp, text: string, at: number): number => {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

/** The offset of the next character that is no white space. */
const skipped = (text: string, start: number): number => {
  for (let at = start;; at++) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at
  }
}

/** How many characters the escape at `at` has; 0 where it is none. */
const escapeLength = (text: string, at: number): number => {
  const name = text[at + 1]
  return name === "u" && /^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6))
    ? 6
    : name !== undefined && "\"\\/bfnrt".includes(name)
    ? 2
    : 0
}

/** Where the sign stands next, at or after an offset that only grows: one search for all questions before its answer. */
const ahead = (text: string, sign: string) => {
  let next = text.indexOf(sign)
  return (from: number): number => {
    if (next !== -1 && next < from) next = text.indexOf(sign, from)
    return next === -1 ? Infinity : next
  }
}

/** Controls that stand between two values neither. */
// oxlint-disable-next-line no-control-regex
const rare = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/

/**
 * Tells of strings, in ascending order, the offset of the quote that ends them, where nothing stands within that has to be looked at;
 * -1 where something may. Searching is many times as fast as looking at each character.
 */
const simple = (text: string) => {
  if (rare.test(text)) return () => -1
  const signs = ["\\", "\n", "\r", "\t"].map((sign) => ahead(text, sign))
  return (start: number): number => {
    const end = text.indexOf("\"", start + 1)
    return signs.every((next) => next(start) > end) ? end : -1
  }
}

/** The offset behind the string that opens at `start`, or what is wrong within it. */
const closing = (text: string, start: number): number | Fault => {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) return at + 1
    if (code === backslash) {
      const length = escapeLength(text, at)
      if (length === 0) return JsonSyntax.fault(at, "a backslash begins no escape that JSON knows")
      at += length - 1
    } else if (code < 0x20) {
      const ends = code === 0x0a || code === 0x0d
      return JsonSyntax.fault(at, ends ? "a string does not end on its line" : "a string holds a control character")
    }
  }
  return JsonSyntax.fault(text.length, "it ends in the middle of a string")
}

const escapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" }

/** What the string between two quotes says. */
const content = (text: string, start: number, end: number): string => {
  const raw = text.slice(start + 1, end - 1)
  return raw.includes("\\")
    ? raw.replace(
      /\\(?:u(.{4})|(.))/g,
      (_, unit: string | undefined, name: string) =>
        unit === undefined ? escapes[name] ?? name : String.fromCharCode(Number.parseInt(unit, 16))
    )
    : raw
}

/** The document so far, and what may come next. */
class Building {
  readonly repeated: Array<RepeatedKey> = []
  root: unknown
  fields: Growing | undefined
  expected: Expected = "value"
  #list: Array<unknown> | undefined
  #key = ""
  readonly #open: Array<Open> = []

  /** The bracket that is not closed yet, if any. */
  get bracket(): "{" | "[" | undefined {
    return this.fields !== undefined ? "{" : this.#list !== undefined ? "[" : undefined
  }

  put(value: unknown): void {
    if (this.fields !== undefined) Parsing.set(this.fields, this.#key, value)
    else if (this.#list !== undefined) this.#list.push(value)
    else this.root = value
    this.expected = this.bracket === undefined ? "end" : "comma"
  }

  name(key: string, offset: number): void {
    const value = this.fields?.[key]
    if (this.fields !== undefined && value !== undefined && Object.hasOwn(this.fields, key)) {
      this.repeated.push({ within: this.fields, key, value, offset })
    }
    this.#key = key
    this.expected = "colon"
  }

  enter(bracket: "{" | "["): void {
    this.#open.push({ fields: this.fields, list: this.#list, key: this.#key })
    this.fields = bracket === "{" ? {} : undefined
    this.#list = bracket === "{" ? undefined : []
    this.expected = bracket === "{" ? "first key" : "first value"
  }

  leave(): void {
    const inner = this.fields ?? this.#list
    const outer = this.#open.pop()
    this.fields = outer?.fields
    this.#list = outer?.list
    this.#key = outer?.key ?? ""
    this.put(inner)
  }
}

const closes: Readonly<Record<string, string>> = { "}": "{", "]": "[" }

/** Parse a text, or say where it stops being JSON. */
export const parse = (text: string): Either.Either<Parsed, Fault> => {
  const building = new Building()
  const simpleEnd = simple(text)
  for (let at = skipped(text, 0); at < text.length; at = skipped(text, at)) {
    const found = text[at] ?? ""
    const { expected } = building
    const isValue = expected === "value" || expected === "first value"
    if (found === "\"" && (isValue || expected === "key" || expected === "first key")) {
      const quoted = simpleEnd(at)
      const end = quoted === -1 ? closing(text, at) : quoted + 1
      if (typeof end !== "number") return Either.left(end)
      const said = quoted === -1 ? content(text, at, end) : text.slice(at + 1, quoted)
      if (isValue) building.put(said)
      else building.name(said, at)
      at = end
    } else if (found === ":" && expected === "colon") {
      building.expected = "value"
      at += 1
    } else if (found === "," && expected === "comma") {
      building.expected = building.fields === undefined ? "value" : "key"
      at += 1
    } else if (isValue && (found === "{" || found === "[")) {
      building.enter(found)
      at += 1
    } else if (
      closes[found] !== undefined && closes[found] === building.bracket &&
      (expected === "comma" || expected === (found === "}" ? "first key" : "first value"))
    ) {
      building.leave()
      at += 1
    } else {
      const literal = isValue ? literals.find((name) => text.startsWith(name, at)) : undefined
      const end = literal !== undefined ? at + literal.length : isValue ? behind(number, text, at) : at
      if (end === at) return Either.left(JsonSyntax.unexpected(text, at, expected, building.bracket))
      building.put(literal === "null" ? null : text.slice(at, end))
      at = end
    }
  }
  return building.expected === "end"
    ? Either.right(building)
    : Either.left(JsonSyntax.unexpected(text, text.length, building.expected, building.bracket))
}
