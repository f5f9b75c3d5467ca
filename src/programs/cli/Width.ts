/** How wide text stands on a terminal, whose columns are not characters. Our own colours take no room. */

/** What a terminal says of itself; one that does not know its columns says 0, or nothing. */
export const known = (columns: number | undefined, otherwise: number): number =>
  columns === undefined || !(columns > 0) ? otherwise : columns

const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" })

/** Characters of two columns: UAX #11's wide and fullwidth ones, and what is shown as an emoji. */
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|[\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|.*\ufe0f)/u

/** What takes no column of its own: marks that stand alone, joiners and other signs without a form. */
const none = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u

// oxlint-disable-next-line no-control-regex
const colour = /\u001b\[\d{0,2}m/g

const plain = /^[\u0020-\u007e]*$/

const ofGrapheme = (grapheme: string): number => none.test(grapheme) ? 0 : wide.test(grapheme) ? 2 : 1

/** Columns that a text takes. */
export const width = (text: string): number => {
  const bare = text.replaceAll(colour, "")
  if (plain.test(bare)) return bare.length
  let sum = 0
  for (const { segment } of graphemes.segment(bare)) sum += ofGrapheme(segment)
  return sum
}

/** Text and colours in turn. */
const pieces = (text: string): ReadonlyArray<string> =>
  // oxlint-disable-next-line no-control-regex
  text.split(/(\u001b\[\d{0,2}m)/)

/** Cut to so many columns, with a sign that something is missing; colours stay as they are, and end where they did. */
export const cut = (text: string, most: number): string => {
  if (width(text) <= most) return text
  let left = Math.max(0, most - 1)
  let over = false
  const kept = pieces(text).map((piece, at) => {
    if (at % 2 === 1) return piece
    let taken = ""
    for (const { segment } of graphemes.segment(piece)) {
      const next = ofGrapheme(segment)
      if (over || next > left) {
        const sign = over || most < 1 ? "" : "…"
        over = true
        return taken + sign
      }
      left -= next
      taken += segment
    }
    return taken
  })
  return kept.join("")
}

/** The end of a text in so many columns, where that tells more than its beginning. Takes text without colours. */
export const cutFront = (text: string, most: number): string => {
  if (width(text) <= most) return text
  let left = Math.max(0, most - 1)
  let taken = ""
  for (const { segment } of [...graphemes.segment(text)].toReversed()) {
    const next = ofGrapheme(segment)
    if (next > left) break
    left -= next
    taken = segment + taken
  }
  return most < 1 ? "" : `…${taken}`
}

/** In lines of so many columns, parted at blanks; a word that is longer stays whole, so that it can be copied. */
export const wrap = (text: string, most: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && width(line) + 1 + width(word) > most) {
      lines.push(line)
      line = word
    } else {
      line = line === "" ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
