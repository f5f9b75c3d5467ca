import * as Context from "effect/Context"
import * as Duration from "effect/Duration"

/** The bounds of reading one source. */
export interface Bounds {
  /** For everything that a URL needs, from its name's address to the last byte. */
  readonly timeout: Duration.Duration
  /** For the raw bytes of a file or an answer. */
  readonly maxBytes: number
  readonly maxRedirects: number
}

export class SourceSettings extends Context.Reference<SourceSettings>()("holdfast/SourceSettings", {
  defaultValue: (): Bounds => ({ timeout: Duration.seconds(30), maxBytes: 64 * 1024 * 1024, maxRedirects: 5 })
}) {}
