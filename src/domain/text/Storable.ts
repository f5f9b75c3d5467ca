/**
 * Text from outside made fit to be stored, logged and shown. Postgres takes no null character and no half of a surrogate pair,
 * in text and in jsonb alike (22021, 22P05, 22P02), and a terminal must not get another's escape sequences.
 */

/** ECMA-48: a control sequence (CSI) or a command string (OSC, DCS, APC, PM, SOS) with all that belongs to it. */
const escapes =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)/g

/** Form feeds and their like part words; tab and line breaks stay what they are. */
// oxlint-disable-next-line no-control-regex
const breaks = /[\u000b\u000c\u0085\u2028\u2029]/g

/** The rest says nothing, and is left out: in its place a space would break a word, or a key that has to be hidden whole. */
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\ufeff]/g

/** One pass tells nearly all texts from those that have any of these. */
// oxlint-disable-next-line no-control-regex
const suspicious = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff]/

const halves = /\p{Surrogate}/gu

/** The text without what a database refuses, and otherwise as it is: null characters go, half a pair becomes U+FFFD. */
export const storable = (text: string): string =>
  suspicious.test(text) ? text.replaceAll("\0", "").replace(halves, "\ufffd") : text

/**
 * What keeps a text from being a name of 1 to `most` characters (code points, as the database counts them), for a sentence that begins
 * with whose name it is; undefined where nothing does.
 */
export const nameProblem = (text: string, most: number): string | undefined =>
  text.trim() === ""
    ? "empty"
    : text.length > most && [...text].length > most
    ? `of ${[...text].length} characters`
    : text !== storable(text) || /\p{Cc}/u.test(text)
    ? "a text with a control character, or half a surrogate pair"
    : undefined

/** What a name may be. */
export const nameOf = (most: number): string => `1 to ${most} characters, without control characters`

/**
 * The text without null and other control characters, without terminal escapes and half surrogate pairs. Tab and line breaks
 * stay. A text that is clean comes back as it is.
 */
export const clean = (text: string): string =>
  suspicious.test(text)
    ? text.replace(escapes, "").replace(breaks, " ").replace(controls, "").replace(halves, "\ufffd")
    : text

/** The clean text on one line, without blanks at its ends or in a row. */
export const oneLine = (text: string): string => clean(text).replace(/\s+/g, " ").trim()

/**
 * The formatting characters of the bidirectional algorithm (UAX #9): marks, embeddings, overrides and isolates. They reorder what
 * stands around them, beyond the text that they came in: a command or an address then reads as another one.
 */
const reordering = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** The text for one line of a terminal, where it can neither command nor reorder what stands beside it. */
export const shown = (text: string): string => oneLine(text.replace(reordering, ""))

const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" })

/** What a person takes for one character is never longer than this in UTF-16 units, unless somebody makes it so on purpose. */
const longestGrapheme = 64

/** Where a text may be parted at or before `at`: not within a character as a person sees it, never within a surrogate pair. */
const border = (text: string, at: number): number => {
  const from = Math.max(0, at - longestGrapheme)
  const within = graphemes.segment(text.slice(from, at + longestGrapheme)).containing(at - from)
  if (within !== undefined && within.index > 0) return from + within.index
  return /[\ud800-\udbff]/.test(text.charAt(at - 1)) && /[\udc00-\udfff]/.test(text.charAt(at)) ? at - 1 : at
}

/** The text at most `most` UTF-16 units long, with a sign where something is missing; no character is cut in two. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, border(text, Math.max(0, most - 1)))}…`
