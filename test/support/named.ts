import * as Effect from "effect/Effect"
import type { Embedder } from "../../src/domain/index/Embedder.js"

/** How this embedder's answers call their model so far. */
export const named = (embedder: Embedder["Type"]) => embedder.answersAs ?? Effect.succeedNone
