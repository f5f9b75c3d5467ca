import * as Option from "effect/Option"

/**
 * What no key holds, and copying and pasting leaves in one: a chat program's quotes, a web page's no-break spaces, an editor's
 * byte-order mark, a line break at its end. A server answers 401 to it or, worse, the client quotes the header that it cannot send.
 * So the key is looked at before it is used, and what is said of it never shows it.
 */

interface Oddity {
  readonly pattern: RegExp
  readonly is: string
}

const oddities: ReadonlyArray<Oddity> = [
  { pattern: /[\r\n\u0085\u2028\u2029]/u, is: "a line break" },
  { pattern: /\ufeff/u, is: "a byte-order mark" },
  { pattern: /[\u200b-\u200f\u2060-\u2064\u00ad\u202a-\u202e\u2066-\u2069\u180e]/u, is: "an invisible character" },
  { pattern: /\s/u, is: "white space" },
  { pattern: /[\u2018-\u201f\u2039\u203a\u00ab\u00bb\u300c-\u300f]/u, is: "a typographic quotation mark" },
  { pattern: /[\u2010-\u2015\u2212]/u, is: "a typographic dash" },
  { pattern: /\u2026/u, is: "an ellipsis, as of a key that was shown in part" },
  // oxlint-disable-next-line no-control-regex
  { pattern: /[\u0000-\u001f\u007f-\u009f]/u, is: "a control character" },
  { pattern: /[^\u0000-\u00ff]/u, is: "a character that no HTTP header can carry" } // oxlint-disable-line no-control-regex
]

const placeOf = (key: string, at: number, character: string): string =>
  at === 0 ? "at its beginning" : at + character.length >= key.length ? "at its end" : "within"

const hexadecimal = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`

const found = (key: string, { is, pattern }: Oddity): Option.Option<string> =>
  Option.map(
    Option.fromNullable(pattern.exec(key)),
    ({ 0: character, index }) => `it holds ${is} (${hexadecimal(character)}) ${placeOf(key, index, character)}`
  )

/** What is wrong with a key as it was given, in words that continue "the key ...: "; none where a header can carry it. */
export const problem = (key: string): Option.Option<string> =>
  key.trim() === ""
    ? Option.some("it is empty")
    : /^bearer\s/iu.test(key)
    ? Option.some("it begins with \"Bearer\", which is added by itself")
    : /^(["'`]).*\1$/su.test(key)
    ? Option.some("it stands in quotation marks, which are no part of it")
    : /^\$(?:\w+|\{[^}]*\})$/u.test(key)
    ? Option.some("it is the name of a variable that nothing has replaced")
    : Option.firstSomeOf(oddities.map((oddity) => found(key, oddity)))
