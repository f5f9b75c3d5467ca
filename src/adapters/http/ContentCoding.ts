import * as Effect from "effect/Effect"
import * as zlib from "node:zlib"

/**
 * Undo what `content-encoding` says was done to a body (RFC 9110, section 8.4). No request of ours asks for a coding, and some
 * answer in one all the same: files stored compressed, caches that forget to vary, gateways that compress everything.
 */

type Decoder = (body: Uint8Array, limit: number) => Effect.Effect<Uint8Array, unknown>

const decoder = (
  run: (body: Uint8Array, options: zlib.ZlibOptions, done: (error: Error | null, result: Buffer) => void) => void
): Decoder =>
(body, limit) =>
  Effect.async<Uint8Array, unknown>((resume) =>
    // what was cut off is handed over as far as it goes: its reader knows best whether that is enough
    run(
      body,
      { maxOutputLength: limit, finishFlush: zlib.constants.Z_SYNC_FLUSH },
      (error, result) => resume(error === null ? Effect.succeed(result) : Effect.fail(error))
    )
  )

const gzip = decoder(zlib.gunzip)

/** Some servers send bare deflate where the zlib format is meant: the format's first byte tells. */
const deflate: Decoder = (body, limit) =>
  decoder(((body[0] ?? 0) & 0x0f) === 8 ? zlib.inflate : zlib.inflateRaw)(body, limit)

/** Node has zstd since 22.15. */
const zstd: unknown = Reflect.get(zlib, "zstdDecompress")

const decoders: Readonly<Record<string, Decoder>> = {
  gzip,
  "x-gzip": gzip,
  deflate,
  br: decoder((body, { maxOutputLength }, done) => zlib.brotliDecompress(body, { maxOutputLength }, done)),
  ...(typeof zstd === "function"
    ? { zstd: decoder((body, { maxOutputLength }, done) => zstd(body, { maxOutputLength }, done)) }
    : {})
}

/** A gzip whose header was lost on the way: no text begins with these bytes. */
const looksGzipped = (body: Uint8Array): boolean => body[0] === 0x1f && body[1] === 0x8b

const codingsOf = (header: string | undefined, body: Uint8Array): ReadonlyArray<string> => {
  const named = (header ?? "").toLowerCase().split(",").map((one) => one.trim()).filter((one) =>
    one !== "" && one !== "identity" && one !== "none" && one !== "utf-8"
  )
  return named.length === 0 && looksGzipped(body) ? ["gzip"] : named
}

const isTooLong = (error: unknown): boolean =>
  error instanceof RangeError || (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE")

const decodeOne = (coding: string, body: Uint8Array, limit: number): Effect.Effect<Uint8Array, string> => {
  const decode = decoders[coding]
  if (decode === undefined) {
    return Effect.fail(
      `the answer is encoded as "${coding.slice(0, 40)}", which nobody asked for and this program cannot read`
    )
  }
  return Effect.mapError(decode(body, limit), (error) =>
    isTooLong(error)
      ? `the answer is longer than ${limit / 1024 / 1024} MiB`
      : `the answer's content-encoding is ${coding}, and its body is not: the server or a proxy before it is wrong`)
}

/** The body as it was before any coding, the last coding undone first. Fails with the contract that is broken, in plain words. */
export const decode = (
  header: string | undefined,
  body: Uint8Array,
  limit: number
): Effect.Effect<Uint8Array, string> =>
  Effect.reduceRight(
    body.length === 0 ? [] : codingsOf(header, body),
    body,
    (coding: string, coded: Uint8Array) => decodeOne(coding, coded, limit)
  )
