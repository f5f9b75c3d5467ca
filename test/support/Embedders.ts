import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Embedder } from "../../src/domain/index/Embedder.js"
import { EmbedderConfig } from "../../src/domain/index/EmbedderConfig.js"
import type { EmbedderKind } from "../../src/domain/index/EmbedderConfig.js"

/** Settings of an embedder as a test writes them; what is left out is not configured. */
export interface Settings {
  readonly kind: EmbedderKind
  readonly url?: string
  readonly model?: string
  readonly servedModel?: string
  readonly dimension?: number
  readonly apiKey?: string
  readonly timeout?: Duration.DurationInput
  readonly probeTimeout?: Duration.DurationInput
  readonly concurrency?: number
  readonly chunkWords?: number
}

export const embedderConfig = (settings: Settings): EmbedderConfig["Type"] => ({
  kind: settings.kind,
  url: Option.map(Option.fromNullable(settings.url), (url) => new URL(url)),
  model: Option.fromNullable(settings.model),
  servedModel: Option.fromNullable(settings.servedModel),
  dimension: Option.fromNullable(settings.dimension),
  apiKey: Option.map(Option.fromNullable(settings.apiKey), Redacted.make),
  timeout: Duration.decode(settings.timeout ?? "10 seconds"),
  probeTimeout: Duration.decode(settings.probeTimeout ?? "3 seconds"),
  concurrency: Option.fromNullable(settings.concurrency),
  chunkWords: Option.fromNullable(settings.chunkWords)
})

/** The embedder of a layer under these settings; it ends with the scope. */
export const embedderOf = <E>(layer: Layer.Layer<Embedder, E, EmbedderConfig>, settings: Settings) =>
  Effect.map(
    Layer.build(Layer.provide(layer, Layer.succeed(EmbedderConfig, embedderConfig(settings)))),
    Context.get(Embedder)
  )
