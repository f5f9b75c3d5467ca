import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { SourceTooLarge } from "../../domain/catalog/CatalogProblem.js"

/** The raw bytes of a source and their SHA-256 in hex. */
export interface Bytes {
  readonly bytes: Uint8Array
  readonly revision: string
}

/** SHA-256 in hex. */
export const revision = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** Collect a stream, and stop reading it as soon as it holds more than `limit` bytes. */
export const collect = <E, R>(
  location: string,
  limit: number,
  stream: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<Bytes, E | SourceTooLarge, R> =>
  Effect.suspend(() => {
    const hash = createHash("sha256")
    const chunks: Array<Uint8Array> = []
    let size = 0
    return stream.pipe(
      Stream.runForEach((chunk) => {
        size += chunk.byteLength
        if (size > limit) return Effect.fail(new SourceTooLarge({ location, limit }))
        chunks.push(chunk)
        hash.update(chunk)
        return Effect.void
      }),
      Effect.map(() => ({ bytes: Buffer.concat(chunks, size), revision: hash.digest("hex") }))
    )
  })
