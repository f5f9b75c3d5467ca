/**
 * Long texts are cut into chunks at sensible borders: paragraphs first, then sentences, then words. Sizes are in words;
 * a script without spaces counts each of its characters, and a very long token counts by its length.
 */

/** A form feed: what stands on either side of it never shares a chunk, however short it is. */
export const border = "\f"

const ideographs = /[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]/gu

/** Letters of one token that weigh as much as a word. */
const lettersPerWord = 16

/** How many words a token without white space counts for: at least one. */
const weightOf = (token: string): number => {
  const dense = token.match(ideographs)?.length ?? 0
  return Math.max(1, dense + Math.ceil((token.length - dense) / lettersPerWord))
}

const tokensOf = (text: string): ReadonlyArray<string> => text.split(/\s+/u).filter((token) => token !== "")

/** How many words the text counts for. */
export const words = (text: string): number => tokensOf(text).reduce((sum, token) => sum + weightOf(token), 0)

/** A token that is heavier than a whole chunk, in pieces; no code point is cut apart. */
const pieces = (token: string, most: number): ReadonlyArray<string> => {
  if (weightOf(token) <= most) return [token]
  const points = Array.from(token)
  return Array.from(
    { length: Math.ceil(points.length / most) },
    (_, index) => points.slice(index * most, (index + 1) * most).join("")
  )
}

const sentences = (text: string): ReadonlyArray<string> =>
  text.split(/\n\s*\n/u).flatMap((paragraph) => paragraph.split(/(?<=[.!?;:])\s+|(?<=[。！？；])/u))

/** Put parts together, as many as fit; a part is never heavier than `most`. */
const packed = (parts: ReadonlyArray<string>, most: number): ReadonlyArray<string> => {
  const chunks: Array<string> = []
  let open: Array<string> = []
  let weight = 0
  for (const part of parts) {
    const more = words(part)
    if (open.length > 0 && weight + more > most) {
      chunks.push(open.join(" "))
      open = []
      weight = 0
    }
    open.push(part)
    weight += more
  }
  return open.length > 0 ? [...chunks, open.join(" ")] : chunks
}

/** A text without borders in chunks; one that fits stays unchanged but for the white space around it. */
const cut = (text: string, most: number): ReadonlyArray<string> => {
  const trimmed = text.trim()
  if (trimmed === "") return []
  if (words(trimmed) <= most) return [trimmed]
  const parts = sentences(trimmed).flatMap((sentence) =>
    words(sentence) <= most
      ? [tokensOf(sentence).join(" ")]
      : packed(tokensOf(sentence).flatMap((token) => pieces(token, most)), most)
  )
  return packed(parts.filter((part) => part !== ""), most)
}

/**
 * The text in chunks of at most `most` words: cut at its borders, and wherever it is too long. A blank text has none. Nothing
 * is left out.
 */
export const chunks = (text: string, most: number): ReadonlyArray<string> =>
  text.split(border).flatMap((part) => cut(part, most))

/** About the first half of the text, for a model that calls the whole too long; the same text when it is one word. */
export const shortened = (text: string): string => {
  const tokens = tokensOf(text)
  if (tokens.length > 1) return tokens.slice(0, Math.ceil(tokens.length / 2)).join(" ")
  const points = Array.from(text.trim())
  return points.length > 1 ? points.slice(0, Math.ceil(points.length / 2)).join("") : text
}

/** Whether a shorter form is still worth asking for. */
export const canShorten = (text: string): boolean => words(text) > 4
