/** Where a text stops being JSON, and why. `offset` counts UTF-16 units from 0. */
export interface Fault {
  readonly offset: number
  readonly why: string
}

/** What may come next: a value, its first in a list, a key, its first in an object, a colon, a comma or end, nothing. */
type Expected = "value" | "first value" | "key" | "first key" | "colon" | "comma" | "end"

const space = /[ \t\n\r]*/y
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const word = /[^\s{}[\],:"]{1,20}/y

const match = (pattern: RegExp, text: string, at: number): string => {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ""
}

const fault = (offset: number, why: string): Fault => ({ offset, why })

/** The offset behind the string that opens at `start`, or what is wrong within it. */
const string = (text: string, start: number): number | Fault => {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at + 1
    if (code === 0x0a || code === 0x0d) return fault(at, "a string does not end on its line")
    if (code < 0x20) return fault(at, "a string holds a control character")
    if (code === 0x5c) {
      const escape = text[at + 1]
      const length = escape === "u" && /^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6))
        ? 5
        : escape !== undefined && "\"\\/bfnrt".includes(escape)
        ? 1
        : 0
      if (length === 0) return fault(at, "a backslash begins no escape that JSON knows")
      at += length
    }
  }
  return fault(text.length, "it ends in the middle of a string")
}

const wanted: Readonly<Record<Expected, string>> = {
  value: "a value",
  "first value": "a value or \"]\"",
  key: "a key in double quotes",
  "first key": "a key in double quotes or \"}\"",
  colon: "a colon after the key",
  comma: "a comma",
  end: "the end"
}

const unexpected = (text: string, at: number, expected: Expected, open: string | undefined): Fault => {
  const found = text[at]
  if (found === undefined) {
    return fault(at, open === undefined ? "there is nothing" : `it ends before a "${open}" is closed`)
  }
  if (expected === "end") return fault(at, "more text follows after the end of the document")
  if (found === "'") return fault(at, "text must stand in double quotes, not in single ones")
  if (found === "/" && "/*".includes(text[at + 1] ?? " ")) return fault(at, "JSON has no comments")
  if ((expected === "value" || expected === "key") && "]}".includes(found) && open !== undefined) {
    return fault(at, `"${found}" follows where ${wanted[expected]} belongs, perhaps after a comma too many`)
  }
  const also = expected === "comma" ? (open === "{" ? " or \"}\"" : " or \"]\"") : ""
  return fault(
    at,
    `${wanted[expected]}${also} belongs here, not "${
      match(word, text, at) || String.fromCodePoint(text.codePointAt(at) ?? 0)
    }"`
  )
}

/** The first fault of a text that is meant to be JSON; nothing where it is JSON. Depth costs no stack. */
export const find = (text: string): Fault | undefined => {
  const open: Array<"{" | "["> = []
  let expected: Expected = "value"
  const after = (): Expected => open.length === 0 ? "end" : "comma"
  for (let at = match(space, text, 0).length; at < text.length; at += match(space, text, at).length) {
    const found = text[at] ?? ""
    const inside = open.at(-1)
    const isValue: boolean = expected === "value" || expected === "first value"
    if (found === "\"" && (isValue || expected === "key" || expected === "first key")) {
      const end = string(text, at)
      if (typeof end !== "number") return end
      expected = isValue ? after() : "colon"
      at = end
    } else if (isValue && (found === "{" || found === "[")) {
      open.push(found)
      expected = found === "{" ? "first key" : "first value"
      at += 1
    } else if (
      (found === "}" && inside === "{" && (expected === "first key" || expected === "comma")) ||
      (found === "]" && inside === "[" && (expected === "first value" || expected === "comma"))
    ) {
      open.pop()
      expected = after()
      at += 1
    } else if (found === "," && expected === "comma") {
      expected = inside === "{" ? "key" : "value"
      at += 1
    } else if (found === ":" && expected === "colon") {
      expected = "value"
      at += 1
    } else {
      const length = isValue
        ? (["true", "false", "null"].find((name) => text.startsWith(name, at)) ?? match(number, text, at)).length
        : 0
      if (length === 0) return unexpected(text, at, expected, inside)
      expected = after()
      at += length
    }
  }
  return expected === "end" ? undefined : unexpected(text, text.length, expected, open.at(-1))
}

/** Line and column of an offset, both from 1; the column in UTF-16 units. */
export const position = (text: string, offset: number): { readonly line: number; readonly column: number } => {
  let line = 1
  let start = 0
  for (let end = text.indexOf("\n"); end !== -1 && end < offset; end = text.indexOf("\n", end + 1)) {
    line += 1
    start = end + 1
  }
  return { line, column: offset - start + 1 }
}
