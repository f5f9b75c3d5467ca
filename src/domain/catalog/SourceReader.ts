import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SourceProblem } from "./CatalogProblem.js"

/**
 * A file or a web address as it was read. `location` is an absolute path, or the URL without credentials; `bytes` counts
 * the raw bytes and `revision` is their SHA-256 in hex. `document` is what JSON or YAML made of them, not yet judged.
 */
export class SourceDocument extends Schema.Class<SourceDocument>("SourceDocument")({
  location: Schema.String,
  kind: Schema.Literal("file", "url"),
  document: Schema.Unknown,
  bytes: Schema.Int,
  revision: Schema.String
}) {}

export class SourceReader extends Context.Tag("holdfast/SourceReader")<SourceReader, {
  /** Read the file or URL once, whole, and parse it. */
  readonly read: (location: string) => Effect.Effect<SourceDocument, SourceProblem>
}>() {}
