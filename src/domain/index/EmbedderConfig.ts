import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

export const EmbedderKind = Schema.Literal("local", "ollama", "http", "openai")
export type EmbedderKind = typeof EmbedderKind.Type

/** The settings of the one embedder of this process, validated; adapters read them from here. */
export class EmbedderConfig extends Context.Tag("holdfast/EmbedderConfig")<EmbedderConfig, {
  readonly kind: EmbedderKind
  /** Base address, e.g. `http://127.0.0.1:11434`; none for `local`, and where the kind has a default. */
  readonly url: Option.Option<URL>
  readonly model: Option.Option<string>
  /** The name that answers carry, where the server has another for `model`. */
  readonly servedModel: Option.Option<string>
  readonly dimension: Option.Option<number>
  readonly apiKey: Option.Option<Redacted.Redacted>
  /** Limit of one embed call, headers and body together. */
  readonly timeout: Duration.Duration
  readonly probeTimeout: Duration.Duration
  readonly concurrency: Option.Option<number>
  readonly chunkWords: Option.Option<number>
}>() {}
