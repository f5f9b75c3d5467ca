import * as Context from "effect/Context"

/** How texts are brought through the embedder. */
export class IndexSettings extends Context.Tag("holdfast/IndexSettings")<IndexSettings, {
  /** Texts per call, at most. */
  readonly batchSize: number
}>() {}
