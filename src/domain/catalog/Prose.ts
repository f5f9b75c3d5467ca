import { findable } from "../text/Findable.js"
import * as Storable from "../text/Storable.js"

/**
 * Turning what a description's author wrote into plain words. Every pattern is linear in its input: none scans past the
 * next opening of its own kind, so that a hostile text costs no more than its length.
 */

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: "\"",
  apos: "'",
  nbsp: " ",
  "#39": "'",
  "#x27": "'"
}

/** What stands where a text may stand: a number or a boolean that a parser made of it is what it was written as. */
const written = (value: unknown): string =>
  typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : ""

/** A text of the document, clean and at most `length` characters; empty where something else stands. */
export const text = (value: unknown, length: number): string =>
  Storable.cut(Storable.clean(written(value)).trim(), length)

/** A text of the document on one line; empty where something else stands. */
export const line = (value: unknown, length: number): string => brief(written(value), length)

/** The text on one line and at most `length` characters. */
export const brief = (text: string, length: number): string =>
  Storable.cut(Storable.oneLine(text.slice(0, length * 4)), length)

/** One paragraph without its markup. */
const paragraph = (text: string): string =>
  text
    .replace(/!\[([^[\]]*)\]\([^()]*\)/g, "$1")
    .replace(/\[([^[\]]*)\]\([^()]*\)/g, "$1")
    .replace(/\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]/gi, "")
    .replace(/<[/!a-zA-Z][^<>]*>/g, " ")
    .replace(/\bhttps?:\/\/[^\s)>\]"']+/gi, "")
    .replace(/^[ \t]*(?:[#>]+|[-*+]|\d{1,3}[.)])[ \t]+/gm, "")
    .replace(/[ \t]*\|[ \t]*/g, " ")
    .replace(/[-=_*~]{3,}/g, " ")
    .replace(/[*`]+|~~/g, "")
    .replace(/(^|[\s(])_+|_+(?=[\s).,:;!?]|$)/g, "$1")
    .replace(/&(#?[a-z0-9]{2,5});/gi, (whole, name: string) => entities[name.toLowerCase()] ?? whole)
    .replace(/\s+/g, " ")
    .trim()

/** Markdown or HTML as plain text: code blocks, addresses and mark-up go, paragraphs stay on lines of their own. */
export const plain = (text: string): string =>
  findable(text)
    .replace(/\r\n?/g, "\n")
    .replace(/[ \t]+/g, " ")
    .replace(/```[^`]*```/g, "\n\n")
    .replace(/<\/?(?:p|br|div|li|ul|ol|h[1-6]|table|tr|pre)\b[^<>]*>/gi, "\n\n")
    .split(/\n[ \t]*\n|\n(?=[ \t]*(?:[-*+>#|]|\d{1,3}[.)])[ \t])/)
    .map(paragraph)
    .filter((line) => /[\p{L}\p{N}]/u.test(line))
    .join("\n")

/** The words of an identifier or a path: `/users/{userId}/api_keys` is "users user id api keys". */
export const words = (identifier: string): string =>
  findable(identifier)
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll}{2,})/gu, "$1 $2")
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, " ")
    .trim()
    .toLowerCase()
