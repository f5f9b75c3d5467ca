import * as HttpClientError from "@effect/platform/HttpClientError"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import type { Auth, Surface, TransportError, WireFailure } from "../../domain/failure/WireFailure.js"
import { causeChain } from "./CauseChain.js"
import { answerInside } from "./SdkError.js"

/** Who was called, as far as classification depends on it. */
export interface Peer {
  readonly provider: string
  readonly surface: Surface
  readonly auth: Auth
  readonly model?: string
}

/** A complete HTTP answer, whatever its status. Header names are lower-case. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * The most of a body that a record keeps, in characters: an envelope is never longer, and a stream that fails half way says so
 * at its end.
 */
const headLimit = 896 * 1024
const tailLimit = 128 * 1024

/** The body within its limit: what is too long keeps its head and its tail, with a line break where the middle is missing. */
const bounded = (body: string): string =>
  body.length <= headLimit + tailLimit ? body : `${body.slice(0, headLimit)}\n${body.slice(1 - tailLimit)}`

const record = (peer: Peer, now: number) => ({
  provider: peer.provider,
  surface: peer.surface,
  auth: peer.auth,
  ...(peer.model === undefined ? {} : { model: peer.model }),
  now
})

const shown = ({ body, headers, status }: Answer) => ({ status, headers, body: bounded(body) })

/** True for a 2xx, which may still be a failure. */
export const isSuccess = (answer: Answer): boolean => answer.status >= 200 && answer.status < 300

const namesAnError = /^\s*\{[^]*"(?:error|detail|message)"/u

/** True where the server does not know the route. A 404 in an error envelope speaks of a model and is none. */
export const isMissingRoute = (answer: Answer): boolean =>
  (answer.status === 404 && !namesAnError.test(answer.body)) || answer.status === 405 || answer.status === 501

/** True where the server answers a 404 or 405 in any shape: asked for something that it may not offer at all. */
export const isNotOffered = (answer: Answer): boolean => isMissingRoute(answer) || answer.status === 404

/** An HTTP answer that is not what was asked for. */
export const ofAnswer = (peer: Peer, answer: Answer, now: number): WireFailure => ({
  ...record(peer, now),
  ...shown(answer)
})

/** A success that broke the contract; `contract` says how in plain words. Vectors that decoded are left out of the record. */
export const ofContract = (peer: Peer, contract: string, now: number, answer?: Answer): WireFailure => ({
  ...record(peer, now),
  ...(answer === undefined ? { status: 200 } : shown(answer)),
  contract
})

/** A setting of ours does not fit the provider; `words` say how, in plain words. */
export const ofSetting = (peer: Peer, setting: string, words: string, now: number): WireFailure => ({
  ...record(peer, now),
  setting,
  contract: words
})

/** An answer whose body broke off: what arrived, and what broke it. */
export const ofCutAnswer = (peer: Peer, answer: Answer, cause: unknown, now: number): WireFailure => ({
  ...record(peer, now),
  ...shown(answer),
  transport: causeChain(cause)
})

/** Our own clock ended the call. */
export const ofTimeout = (peer: Peer, after: Duration.Duration, now: number): WireFailure => ({
  ...record(peer, now),
  timedOutAfter: Duration.toMillis(after)
})

/** A person, or a newer request, stopped the call. */
export const ofAbort = (peer: Peer, now: number): WireFailure => ({
  ...record(peer, now),
  transport: [{ name: "AbortError", code: "ABORT_ERR", message: "the call was stopped" }]
})

/** A transport that is not HTTP broke, e.g. a worker thread ended. */
export const ofTransport = (peer: Peer, transport: ReadonlyArray<TransportError>, now: number): WireFailure => ({
  ...record(peer, now),
  transport
})

const ofResponseError = (peer: Peer, error: HttpClientError.ResponseError, now: number): WireFailure => {
  const answer = { status: error.response.status, headers: { ...error.response.headers } }
  if (error.reason === "EmptyBody") return ofContract(peer, "the answer is empty", now, { ...answer, body: "" })
  if (error.reason === "StatusCode" || error.cause === undefined) return { ...record(peer, now), ...answer }
  return unreadable(error.cause)
    ? { ...record(peer, now), ...answer, contract: "the answer is not what its contract says" }
    : { ...record(peer, now), ...answer, transport: causeChain(error.cause) }
}

/** A body that arrived whole and could not be read, in contrast to one that broke off. */
const unreadable = (cause: unknown): boolean => cause instanceof SyntaxError || Predicate.isTagged(cause, "ParseError")

/**
 * Any error that a client throws: of @effect/platform, an AiError of @effect/ai, of fetch and undici, of a provider's SDK.
 * Where an answer hides inside, the answer is recorded; else the chain of causes.
 */
export const ofError = (peer: Peer, error: unknown, now: number): WireFailure => {
  if (HttpClientError.isHttpClientError(error) && error._tag === "ResponseError") {
    return ofResponseError(peer, error, now)
  }
  if (Predicate.isTagged(error, "MalformedOutput")) {
    return { ...ofContract(peer, "the answer is not what its contract says", now), transport: causeChain(error) }
  }
  const inside = answerInside(error)
  return {
    ...record(peer, now),
    ...(inside.status === undefined ? {} : { status: inside.status }),
    ...(inside.headers === undefined ? {} : { headers: inside.headers }),
    ...(inside.body === undefined ? {} : { body: bounded(inside.body) }),
    ...(inside.status === undefined ? { transport: causeChain(error) } : {})
  }
}
