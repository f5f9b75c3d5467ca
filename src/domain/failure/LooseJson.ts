import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** A value read from text, where reading stopped, and whether the text held all of it. */
export interface Read {
  readonly value: unknown
  readonly end: number
  readonly whole: boolean
}

/** JSON exactly as the standard has it. */
export const strict = Schema.decodeUnknownOption(Schema.parseJson())

const maxDepth = 40

const words: Readonly<Record<string, unknown>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  null: null,
  None: null,
  undefined: null,
  "": null
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" }

/** A quoted string from its opening quote on; what is missing at the end is taken as not said. */
const quoted = (text: string, from: number): Read => {
  const quote = text.charAt(from)
  let said = ""
  let at = from + 1
  for (let next = text.charAt(at); next !== "" && next !== quote; next = text.charAt(at)) {
    if (next !== "\\") {
      said += next
      at += 1
      continue
    }
    const escape = text.slice(at + 1, at + 6)
    const unicode = /u[0-9a-fA-F]{4}/.test(escape)
    const letter = escape.charAt(0)
    said += unicode ? String.fromCharCode(Number.parseInt(escape.slice(1), 16)) : escapes[letter] ?? letter
    at += unicode ? 6 : 2
  }
  return { value: said, end: Math.min(at + 1, text.length), whole: at < text.length }
}

const blank = /[\s,]/

const skipBlank = (text: string, from: number): number => {
  let at = from
  while (blank.test(text.charAt(at))) at += 1
  return at
}

const bare = /[^\s,:{}[\]"']/

/** A value without quotes: a number, a known word, or the text as it stands; nothing at all is null. */
const word = (text: string, from: number): Read => {
  let at = from
  while (bare.test(text.charAt(at))) at += 1
  const said = text.slice(from, at)
  const number = Number(said)
  const value = Object.hasOwn(words, said) ? words[said] : Number.isNaN(number) ? said : number
  return { value, end: at, whole: at < text.length }
}

const members = (text: string, from: number, depth: number): Read => {
  const list = text[from] === "["
  const close = list ? "]" : "}"
  const items: Array<unknown> = []
  const entries: Array<[string, unknown]> = []
  const done = (end: number, whole: boolean): Read => ({
    value: list ? items : Object.fromEntries(entries),
    end: Math.min(end, text.length),
    whole
  })
  let at = skipBlank(text, from + 1)
  while (text[at] !== close) {
    const first = value(text, at, depth + 1)
    if (first.end <= at) return done(at + 1, false)
    if (list) {
      items.push(first.value)
      at = skipBlank(text, first.end)
      continue
    }
    const colon = skipBlank(text, first.end)
    if (text[colon] !== ":") return done(colon, false)
    const second = value(text, skipBlank(text, colon + 1), depth + 1)
    entries.push([String(first.value), second.value])
    at = skipBlank(text, second.end)
  }
  return done(at + 1, true)
}

const value = (text: string, from: number, depth: number): Read => {
  const start = text[from]
  if (depth > maxDepth) return { value: null, end: text.length, whole: false }
  if (start === "\"" || start === "'") return quoted(text, from)
  if (start === "{" || start === "[") return members(text, from, depth)
  return word(text, from)
}

/**
 * Read one object or list that begins at `from`, as programs print them: JSON, a Python dict, a JavaScript inspection, and
 * each of them cut off at any place.
 */
export const read = (text: string, from: number): Read => value(text, from, 0)

/** An object's own entries; none for anything else. */
export const entries = (value: unknown): ReadonlyArray<readonly [string, unknown]> =>
  typeof value === "object" && value !== null ? Object.entries(value) : []

/** A member of an object by name. */
export const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined

/** The object, list or string that a text is, when the text is nothing but one: a bare number or word is none. */
export const whole = (text: string): Option.Option<unknown> => /[{["]/.test(text) ? strict(text.trim()) : Option.none()
