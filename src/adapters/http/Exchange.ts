import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { WireFailure } from "../../domain/failure/WireFailure.js"
import * as ContentCoding from "./ContentCoding.js"
import * as Wire from "./WireFailure.js"

/** The longest answer that is read, in bytes: 512 vectors of 4,096 dimensions as text and some room. */
const successLimit = 64 * 1024 * 1024
const failureLimit = 1024 * 1024

/** How long a failure may take to say why. Its status is known, and some servers never end the body. */
const patience = Duration.seconds(3)

/** Read a body to its end, its break or its limit, whichever comes first, and keep what arrived. */
const gathered = (response: HttpClientResponse.HttpClientResponse, limit: number, longest: Duration.Duration) =>
  Effect.suspend(() => {
    const parts: Array<Uint8Array> = []
    let size = 0
    return response.stream.pipe(
      Stream.runForEachWhile((part) =>
        Effect.sync(() => {
          parts.push(part)
          size += part.length
          return size <= limit
        })
      ),
      Effect.timeoutTo({ duration: longest, onTimeout: () => undefined, onSuccess: () => undefined }),
      Effect.either,
      Effect.map((ended) => ({
        body: Buffer.concat(parts).subarray(0, limit),
        tooLong: size > limit,
        broken: Either.getLeft(ended)
      }))
    )
  })

/** The body as text, without a byte-order mark; only such a mark makes it other than UTF-8. */
const textOf = (body: Uint8Array): string => {
  const marked = body[0] === 0xff && body[1] === 0xfe
    ? "utf-16le"
    : body[0] === 0xfe && body[1] === 0xff
    ? "utf-16be"
    : null
  return new TextDecoder(marked ?? "utf-8").decode(body)
}

/** Send one request; the body of its answer is still to be read. Redirects are not followed. Nothing is tried again. */
export const open = <R>(client: HttpClient.HttpClient.With<HttpClientError.HttpClientError, R>, peer: Wire.Peer) =>
(
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientResponse.HttpClientResponse, WireFailure, R> =>
  client.execute(request).pipe(
    Effect.catchAll((error) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(Wire.ofError(peer, error, now)))
    )
  )

/** Read an answer to its end, whatever its status and coding, as text. */
export const read = (peer: Wire.Peer) =>
  Effect.fnUntraced(function*(
    response: HttpClientResponse.HttpClientResponse
  ): Effect.fn.Return<Wire.Answer, WireFailure> {
    const head = { status: response.status, headers: { ...response.headers }, body: "" }
    const [limit, longest] = Wire.isSuccess(head) ? [successLimit, Duration.infinity] : [failureLimit, patience]
    const { body, broken, tooLong } = yield* gathered(response, limit, longest)
    const decoded = yield* Effect.either(ContentCoding.decode(head.headers["content-encoding"], body, successLimit))
    const answer = { ...head, body: textOf(Either.getOrElse(decoded, () => new Uint8Array()).subarray(0, limit)) }
    const now = yield* Clock.currentTimeMillis
    if (Option.isSome(broken)) return yield* Effect.fail(Wire.ofCutAnswer(peer, answer, broken.value.cause, now))
    if (!Wire.isSuccess(answer)) return answer
    if (tooLong) return yield* Effect.fail(Wire.ofContract(peer, "the answer is longer than 64 MiB", now))
    if (Either.isLeft(decoded)) return yield* Effect.fail(Wire.ofContract(peer, decoded.left, now, answer))
    return answer
  })

/**
 * Send one request and read the whole answer, whatever its status and coding, as text. Fails where no whole answer arrived: the body of
 * a success may have 64 MiB, that of a failure is cut at 1 MiB
 * and after 3 s. Redirects are not followed. Nothing is tried again.
 */
export const exchange =
  (client: HttpClient.HttpClient, peer: Wire.Peer) =>
  (request: HttpClientRequest.HttpClientRequest): Effect.Effect<Wire.Answer, WireFailure> =>
    Effect.flatMap(open(client, peer)(request), read(peer))

/** End the work when `limit` has passed since its start, headers and bodies included. */
export const within =
  (limit: Duration.Duration, peer: Wire.Peer) =>
  <A, R>(work: Effect.Effect<A, WireFailure, R>): Effect.Effect<A, WireFailure, R> =>
    work.pipe(
      Effect.timeoutOption(limit),
      Effect.flatMap(Option.match({
        onSome: (value) => Effect.succeed(value),
        onNone: () => Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(Wire.ofTimeout(peer, limit, now)))
      }))
    )
