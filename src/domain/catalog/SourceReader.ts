import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { SourceProblem } from "./CatalogProblem.js"
import type { Document } from "./Document.js"

/**
 * A file or a web address as it was read. `location` is an absolute path, or the URL without credentials; `bytes` counts
 * the bytes of the text, without what it was compressed with on its way, and `revision` is their SHA-256 in hex. `document` is what JSON or YAML made of them, not yet judged.
 */
export interface SourceDocument {
  readonly location: string
  readonly kind: "file" | "url"
  readonly document: Document
  readonly bytes: number
  readonly revision: string
}

export class SourceReader extends Context.Tag("holdfast/SourceReader")<SourceReader, {
  /** Read the file or URL once, whole, and parse it. */
  readonly read: (location: string) => Effect.Effect<SourceDocument, SourceProblem>
}>() {}
