import type * as AiError from "@effect/ai/AiError"
import * as Either from "effect/Either"
import * as Inspectable from "effect/Inspectable"
import * as Match from "effect/Match"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { classify } from "../../domain/failure/classify.js"
import { InvalidRequest } from "../../domain/failure/Failure.js"
import type { Failure } from "../../domain/failure/Failure.js"
import { detail } from "../../domain/failure/scrub.js"
import type { Peer } from "../http/WireFailure.js"
import * as Wire from "../http/WireFailure.js"

/** What an error of a LanguageModel is, judged like any other: by the answer that it holds, else by what broke the transport. */

/** What cannot be asked of this model. */
export const notAskable = (peer: Peer, words: string): Failure =>
  new InvalidRequest({ provider: peer.provider, detail: detail(words) })

/** A contract that an answer broke after it had begun, in plain words. */
export const ofContract = (peer: Peer, contract: string, now: number): Failure =>
  classify({ ...Wire.ofContract(peer, contract, now), streaming: true })

const decodeText = Schema.decodeUnknownEither(Schema.parseJson(Schema.String))

/** The body as it was received: @effect/ai keeps text as a JSON string. */
const received = (body: string | undefined): string => Either.getOrElse(decodeText(body), () => body ?? "")

/** The headers that are shown: secret ones are no text, whatever their type says. */
const textHeaders = (headers: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === "string" ? [[name.toLowerCase(), value] as const] : []
    )
  )

/**
 * An answer that was refused, or not read. Where its body broke off, @effect/ai fills `body` with the printed error, prompt and all,
 * and drops the cause: it is left out, and stands here as the word that undici has for it.
 */
const ofResponse = (peer: Peer, { body, reason, response }: AiError.HttpResponseError, now: number): Failure => {
  const answer = { status: response.status, headers: textHeaders(response.headers), body: received(body) }
  switch (reason) {
    case "StatusCode":
      return classify(Wire.ofAnswer(peer, answer, now))
    case "EmptyBody":
      return classify(Wire.ofContract(peer, "the answer is empty", now, { ...answer, body: "" }))
    case "Decode":
      return classify({
        ...Wire.ofCutAnswer(peer, { ...answer, body: "" }, { name: "ResponseError", message: "terminated" }, now),
        streaming: true
      })
  }
}

const ofRequest = (peer: Peer, error: AiError.HttpRequestError, now: number): Failure =>
  error.reason === "Transport"
    ? classify(Wire.ofError(peer, error, now))
    : notAskable(peer, `${error.reason}: ${error.description ?? "the request could not be made"}`)

/** What a LanguageModel failed with. */
export const ofAiError = (peer: Peer, error: AiError.AiError, now: number): Failure =>
  Match.value(error).pipe(
    Match.withReturnType<Failure>(),
    Match.tagsExhaustive({
      HttpRequestError: (request) => ofRequest(peer, request, now),
      HttpResponseError: (response) => ofResponse(peer, response, now),
      MalformedInput: ({ description }) => notAskable(peer, description ?? "the model's input is malformed"),
      // its words quote the answer, which may speak of anything
      MalformedOutput: () => ofContract(peer, "the answer is not what its contract says", now),
      UnknownError: (unknown) => classify(Wire.ofError(peer, unknown, now))
    })
  )

/** An error that stood in the stream of an answer: a thrown one, or what the provider wrote into it. */
export const ofErrorPart = (peer: Peer, error: unknown, now: number): Failure => {
  if (error instanceof Error) return classify({ ...Wire.ofError(peer, error, now), streaming: true })
  const envelope = Predicate.hasProperty(error, "error") ? error : { error }
  const body = Inspectable.toStringUnknown(envelope, 0)
  return classify({ ...Wire.ofAnswer(peer, { status: 200, headers: {}, body }, now), streaming: true })
}

/** An ending that is none, by the model's word for it. */
export const ofEnding = (peer: Peer, word: "content_filter" | "error", now: number): Failure => {
  const answer = { status: 200, headers: {}, body: JSON.stringify({ finish_reason: word }) }
  return classify({ ...Wire.ofAnswer(peer, answer, now), streaming: true })
}
