import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import { Embedder } from "../../src/domain/embedding/Embedder.js"

/** What a fake embedder saw. */
export interface Receipts {
  calls: number
  texts: number
}

export interface FakeOptions {
  readonly dimension: number
  readonly concurrency: number
  /** Milliseconds that each call takes, whatever its size. */
  readonly latency: number
}

const vectorOf = (text: string, dimension: number): ReadonlyArray<number> => {
  const seed = createHash("sha256").update(text).digest()
  return Array.from({ length: dimension }, (_, index) => 1 + (seed[index % seed.length] ?? 0) + index % 7)
}

/** An embedder of fixed latency that counts its calls; the same text gets the same vector. */
export const fakeEmbedder = (options: FakeOptions, receipts: Receipts) =>
  Layer.effect(
    Embedder,
    Effect.gen(function*() {
      const permits = yield* Effect.makeSemaphore(options.concurrency)
      return Embedder.of({
        provider: "fake",
        model: "fake",
        dimension: Option.some(options.dimension),
        concurrency: options.concurrency,
        chunkWords: 1000,
        embed: (texts) =>
          permits.withPermits(1)(Effect.gen(function*() {
            receipts.calls += 1
            receipts.texts += texts.length
            yield* Effect.sleep(options.latency)
            return texts.map((text) => vectorOf(text, options.dimension))
          })),
        probe: Effect.succeed({ took: Duration.zero, modelKnown: Option.some(true), detail: "fake" })
      })
    })
  )
