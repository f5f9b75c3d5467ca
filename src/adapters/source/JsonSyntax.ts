/** Where a text stops being JSON, and why. `offset` counts UTF-16 units from 0. */
export interface Fault {
  readonly offset: number
  readonly why: string
}

/** What may come next: a value, its first in a list, a key, its first in an object, a colon, a comma or end, nothing. */
export type Expected = "value" | "first value" | "key" | "first key" | "colon" | "comma" | "end"

const word = /[^\s{}[\],:"]{1,20}/y

const match = (pattern: RegExp, text: string, at: number): string => {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ""
}

export const fault = (offset: number, why: string): Fault => ({ offset, why })

const wanted: Readonly<Record<Expected, string>> = {
  value: "a value",
  "first value": "a value or \"]\"",
  key: "a key in double quotes",
  "first key": "a key in double quotes or \"}\"",
  colon: "a colon after the key",
  comma: "a comma",
  end: "the end"
}

/** What is wrong where something else than the expected stands; `open` is the bracket that is not closed yet. */
export const unexpected = (text: string, at: number, expected: Expected, open: string | undefined): Fault => {
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

/** Line and column, both from 1; the column in UTF-16 units. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Tells positions in a text: many offsets in ascending order cost one pass. */
export const positions = (text: string): (offset: number) => Position => {
  let line = 1
  let start = 0
  return (offset) => {
    if (offset < start) [line, start] = [1, 0]
    for (let end = text.indexOf("\n", start); end !== -1 && end < offset; end = text.indexOf("\n", start)) {
      line += 1
      start = end + 1
    }
    return { line, column: offset - start + 1 }
  }
}

/** Line and column of one offset. */
export const position = (text: string, offset: number): Position => positions(text)(offset)
