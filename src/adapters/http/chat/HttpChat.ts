import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ChatConfig } from "../../../domain/chat/ChatConfig.js"
import type { ChatProvider, ChatRequest } from "../../../domain/chat/ChatProvider.js"
import { classify } from "../../../domain/failure/classify.js"
import type { WireFailure } from "../../../domain/failure/WireFailure.js"
import * as ApiKey from "../../../domain/index/ApiKey.js"
import * as Address from "../Address.js"
import * as Connections from "../Connections.js"
import * as Exchange from "../Exchange.js"
import * as Redirect from "../Redirect.js"
import type { Answer, Peer } from "../WireFailure.js"
import * as Wire from "../WireFailure.js"
import * as PartStream from "./PartStream.js"
import * as Permits from "./Permits.js"
import type { Reading } from "./Reading.js"

/** One request, as a wire puts it. */
export interface Asked extends ChatRequest {
  readonly model: string
  /** The name of who is asked: only what it proved itself goes back to it. */
  readonly provider: string
  /** The address of the server. */
  readonly base: URL
}

/** What the kinds of chat server differ in. */
export interface Kind<S> {
  readonly provider: string
  readonly url: string
  /** What an address may end with that names a route of the server: it is pasted from its documentation, and is no base. */
  readonly routes: RegExp
  readonly path: (base: URL) => string
  readonly concurrency: number
  /** The headers of a request, the key's among them; a bearer token alone unless told. */
  readonly headers?: (
    apiKey: Option.Option<Redacted.Redacted>,
    body: Readonly<Record<string, unknown>>
  ) => Readonly<Record<string, string>>
  readonly body: (asked: Asked) => Readonly<Record<string, unknown>>
  /** Members of the body that not every server of this wire knows; a refusal that speaks of them is asked again without. */
  readonly optional?: { readonly members: ReadonlyArray<string>; readonly blamed: RegExp }
  /** `seed` is another one for each answer. */
  readonly reading: (peer: Peer, seed: string) => Reading<S>
}

const addressOf = <S>(kind: Kind<S>, config: ChatConfig["Type"]): Either.Either<URL, ConfigError.ConfigError> => {
  const url = Option.getOrElse(config.url, () => new URL(kind.url))
  return url.protocol === "http:" || url.protocol === "https:"
    ? Either.right(url)
    : Either.left(ConfigError.InvalidData(["chat", "url"], `${url.protocol} is neither http: nor https:`))
}

/** A key that no header can carry fails here, where it is not shown, and not in a client, which may quote it. */
const usableKey = ({ apiKey }: ChatConfig["Type"]): Either.Either<void, ConfigError.ConfigError> =>
  Option.match(Option.flatMap(apiKey, (key) => ApiKey.problem(Redacted.value(key))), {
    onNone: () => Either.void,
    onSome: (words) => Either.left(ConfigError.InvalidData(["chat", "api_key"], words))
  })

const without = (
  body: Readonly<Record<string, unknown>>,
  members: ReadonlyArray<string>
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !members.includes(name)))

const seeds = Effect.map(
  Effect.all([Random.nextIntBetween(0, 2 ** 31), Random.nextIntBetween(0, 2 ** 31)]),
  (halves) => halves.map((half) => half.toString(36)).join("")
)

/** A provider over HTTP, with sockets and a concurrency limit of its own. Time limits begin when a request's turn has come. */
export const make = <S>(
  kind: Kind<S>
): Effect.Effect<ChatProvider["Type"], ConfigError.ConfigError, ChatConfig | Scope.Scope> =>
  Effect.gen(function*() {
    const config = yield* ChatConfig
    const url = yield* addressOf(kind, config)
    yield* usableKey(config)
    const { authorization, base } = Address.make(url, kind.headers === undefined ? config.apiKey : Option.none())
    base.pathname = base.pathname.replace(kind.routes, "")
    const concurrency = Option.getOrElse(config.concurrency, () => kind.concurrency)
    const client = HttpClient.withScope(yield* Connections.make({ connections: concurrency }))
    const permits = yield* Effect.makeSemaphore(concurrency)
    const isOptionalRefused = yield* Ref.make(false)
    const address = Address.below(base, kind.path(base))
    const headers = (body: Readonly<Record<string, unknown>>) => ({
      ...kind.headers?.(config.apiKey, body),
      ...Option.match(authorization, {
        onNone: () => ({}),
        onSome: (value) => ({ authorization: Redacted.value(value) })
      })
    })

    const refusal = (peer: Peer, answer: Answer) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const redirect = Redirect.of(answer, base, address)
        return Effect.fail(
          redirect === null
            ? Wire.ofAnswer(peer, answer, now)
            : Wire.ofSetting(peer, "chat.url", Redirect.describe(redirect, "chat.url"), now)
        )
      })

    const respond = (
      peer: Peer,
      body: Readonly<Record<string, unknown>>,
      spared: boolean
    ): Effect.Effect<HttpClientResponse.HttpClientResponse, WireFailure, Scope.Scope> =>
      Effect.gen(function*() {
        const members = spared ? kind.optional?.members ?? [] : []
        const request = HttpClientRequest.post(address.href).pipe(
          HttpClientRequest.setHeaders(headers(body)),
          HttpClientRequest.bodyText(JSON.stringify(without(body, members)), "application/json")
        )
        const response = yield* Exchange.open(client, peer)(request)
        if (Wire.isSuccess({ status: response.status, headers: {}, body: "" })) return response
        const answer = yield* Exchange.read(peer)(response)
        const isBlamed = (answer.status === 400 || answer.status === 422) &&
          kind.optional?.blamed.test(answer.body) === true
        if (spared || !isBlamed) return yield* refusal(peer, answer)
        const again = yield* respond(peer, body, true)
        yield* Ref.set(isOptionalRefused, true)
        return again
      })

    const stream = (request: ChatRequest) =>
      Stream.unwrapScoped(Effect.gen(function*() {
        const model = request.model ?? config.model
        const peer: Peer = {
          provider: kind.provider,
          surface: "chat",
          auth: Option.isSome(config.apiKey) || Option.isSome(authorization) ? "key" : "none",
          model
        }
        yield* Permits.take(permits)
        const body = {
          ...kind.body({ ...request, model, provider: kind.provider, base }),
          ...request.parameters?.extra
        }
        return PartStream.parts(
          peer,
          kind.reading(peer, yield* seeds),
          { first: config.firstTokenTimeout, between: config.tokenTimeout },
          Effect.flatMap(Ref.get(isOptionalRefused), (spared) => respond(peer, body, spared))
        )
      })).pipe(
        Stream.mapError(classify),
        Stream.withSpan("ChatProvider.stream", {
          attributes: { provider: kind.provider, model: request.model ?? config.model }
        })
      )

    return { provider: kind.provider, model: config.model, concurrency, stream }
  })
