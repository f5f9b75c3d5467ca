import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Embedder } from "../../src/domain/index/Embedder.js"

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

/** A window on one row of numbers, placed by the text: cheap, so that a call takes its latency and hardly more. */
const windows = 4096

const vectorsOf = (dimension: number) => {
  const row = Array.from({ length: dimension + windows }, (_, n) => 1 + (n * 7919) % 263)
  return (text: string): ReadonlyArray<number> => {
    let place = 0
    for (let at = 0; at < text.length; at++) place = (place * 31 + text.charCodeAt(at)) % windows
    return row.slice(place, place + dimension)
  }
}

/** An embedder of fixed latency that counts its calls; the same text gets the same vector. */
export const fakeEmbedder = (options: FakeOptions, receipts: Receipts) =>
  Layer.effect(
    Embedder,
    Effect.gen(function*() {
      const vectorOf = vectorsOf(options.dimension)
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
            return texts.map(vectorOf)
          })),
        probe: Effect.succeed({ took: Duration.zero, modelKnown: Option.some(true), detail: "fake" })
      })
    })
  )
