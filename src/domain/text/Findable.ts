import * as Storable from "./Storable.js"

/**
 * The clean text in Unicode's normal form C. A letter with a mark is one character or two, by who typed it where (file names
 * of a Mac come in two), and neither full-text search nor an embedder takes them for the same. A text that is to be found and
 * the question for it both go through here.
 */
export const findable = (text: string): string => Storable.clean(text).normalize("NFC")
