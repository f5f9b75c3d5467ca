import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as ApiKey from "../../domain/index/ApiKey.js"
import type { Embedder, Probe } from "../../domain/index/Embedder.js"
import { EmbedderConfig } from "../../domain/index/EmbedderConfig.js"
import * as Origin from "../../domain/index/Origin.js"
import * as Vector from "../../domain/index/Vector.js"
import { classify } from "../../domain/failure/classify.js"
import type { WireFailure } from "../../domain/failure/WireFailure.js"
import * as Address from "./Address.js"
import * as Connections from "./Connections.js"
import { exchange, within } from "./Exchange.js"
import * as Redirect from "./Redirect.js"
import type { Answer, Peer } from "./WireFailure.js"
import * as Wire from "./WireFailure.js"

/** One embedding server as the kinds see it: each call is one request on the wire, and any status is an answer. */
export interface Server {
  readonly peer: Peer
  readonly base: URL
  readonly model: string
  /** None where the settings name no model, so that nothing the server reports can contradict them. */
  readonly configuredModel: Option.Option<string>
  readonly configuredDimension: Option.Option<number>
  readonly get: (path: string) => Effect.Effect<Answer, WireFailure>
  readonly head: (path: string) => Effect.Effect<Answer, WireFailure>
  readonly post: (path: string, body: unknown) => Effect.Effect<Answer, WireFailure>
  /** A setting of ours contradicts the server, in plain words. */
  readonly misfit: (setting: string, words: string) => Effect.Effect<never, WireFailure>
  /** A success whose content breaks the contract, in plain words. */
  readonly broken: (contract: string) => Effect.Effect<never, WireFailure>
}

/** What an answer holds: its vectors, and the model that it says they are of. */
export interface Spoken {
  readonly vectors: ReadonlyArray<Vector.Vector>
  readonly model: string | null
}

/** How a kind speaks. */
export interface Speech {
  readonly embed: (texts: ReadonlyArray<string>) => Effect.Effect<Spoken, WireFailure>
  readonly probe: Effect.Effect<Omit<Probe, "took">, WireFailure>
}

/** What the kinds of HTTP embedder differ in. */
export interface Kind {
  readonly provider: string
  readonly url: Option.Option<string>
  readonly model: string
  /** Whether its requests name the model, so that each answer must be of it. */
  readonly namesModel: boolean
  /** What an address may end with that names a route of the server: it is pasted from its documentation, and is no base. */
  readonly routes: RegExp
  readonly concurrency: number
  readonly chunkWords: number
  readonly speak: (server: Server) => Effect.Effect<Speech>
}

const addressOf = (kind: Kind, config: EmbedderConfig["Type"]): Either.Either<URL, ConfigError.ConfigError> =>
  Option.match(Option.orElse(config.url, () => Option.map(kind.url, (url) => new URL(url))), {
    onNone: () => Either.left(ConfigError.MissingData(["embedder", "url"], `needed for the embedder ${kind.provider}`)),
    onSome: (url) =>
      url.protocol === "http:" || url.protocol === "https:"
        ? Either.right(url)
        : Either.left(ConfigError.InvalidData(["embedder", "url"], `${url.protocol} is neither http: nor https:`))
  })

/** A key that no header can carry fails here, where it is not shown, and not in a client, which may quote it. */
const usableKey = ({ apiKey }: EmbedderConfig["Type"]): Either.Either<void, ConfigError.ConfigError> =>
  Option.match(Option.flatMap(apiKey, (key) => ApiKey.problem(Redacted.value(key))), {
    onNone: () => Either.void,
    onSome: (words) => Either.left(ConfigError.InvalidData(["embedder", "api_key"], words))
  })

const server = Effect.fnUntraced(function*(kind: Kind, config: EmbedderConfig["Type"], concurrency: number) {
  const url = yield* addressOf(kind, config)
  yield* usableKey(config)
  const { authorization, base } = Address.make(url, config.apiKey)
  base.pathname = base.pathname.replace(kind.routes, "")
  const model = Option.getOrElse(config.model, () => kind.model)
  const peer: Peer = {
    provider: kind.provider,
    surface: "embed",
    auth: Option.isSome(authorization) ? "key" : "none",
    model
  }
  // one socket more than embed calls, so that a probe never waits behind them
  const client = yield* Connections.make({ connections: concurrency + 1 })
  const misfit = (setting: string, words: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(Wire.ofSetting(peer, setting, words, now)))
  const send = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.flatMap(exchange(client, peer)(request), (answer) => {
      const redirect = Redirect.of(answer, base, new URL(request.url))
      return redirect === null
        ? Effect.succeed(answer)
        : misfit("embedder.url", Redirect.describe(redirect, "embedder.url"))
    })
  const to = (method: "GET" | "HEAD" | "POST", path: string) =>
    HttpClientRequest.make(method)(Address.below(base, path).href).pipe(
      HttpClientRequest.acceptJson,
      Option.match(authorization, {
        onNone: () => (request: HttpClientRequest.HttpClientRequest) => request,
        onSome: (value) => HttpClientRequest.setHeader("authorization", Redacted.value(value))
      })
    )
  return {
    peer,
    base,
    model,
    configuredModel: config.model,
    configuredDimension: config.dimension,
    get: (path) => send(to("GET", path)),
    head: (path) => send(to("HEAD", path)),
    post: (path, body) => send(HttpClientRequest.bodyText(to("POST", path), JSON.stringify(body), "application/json")),
    misfit,
    broken: (contract) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(Wire.ofContract(peer, contract, now)))
  } satisfies Server
})

/**
 * An embedder over HTTP with sockets and a concurrency limit of its own. The time limits start when a call's turn has come
 * and cover headers and body. Where no dimension or model is configured, those of the first answer are held to.
 */
export const make = (
  kind: Kind
): Effect.Effect<Embedder["Type"], ConfigError.ConfigError, EmbedderConfig | Scope.Scope> =>
  Effect.gen(function*() {
    const config = yield* EmbedderConfig
    const concurrency = Option.getOrElse(config.concurrency, () => kind.concurrency)
    const peerServer = yield* server(kind, config, concurrency)
    const { peer } = peerServer
    const speech = yield* kind.speak(peerServer)
    const permits = yield* Effect.makeSemaphore(concurrency)
    const seen = yield* Ref.make<Origin.Origin | null>(null)
    const expected: Origin.Expected = {
      model: kind.namesModel ? peerServer.model : Option.getOrNull(config.model),
      servedModel: Option.getOrNull(config.servedModel),
      dimension: Option.getOrNull(config.dimension)
    }

    const checked = Effect.fnUntraced(function*({ model, vectors }: Spoken, count: number) {
      const problem = Either.getLeft(Vector.check(vectors, { count, dimension: null }))
      if (Option.isSome(problem)) return yield* peerServer.broken(problem.value)
      const answer = { model, dimension: vectors[0]?.length ?? 0 }
      const misfit = yield* Ref.modify(seen, (before) =>
        Either.match(Origin.admit(expected, before, answer), {
          onLeft: (one) => [Option.some(one), before],
          onRight: (after) => [Option.none(), after]
        }))
      if (Option.isSome(misfit)) return yield* peerServer.misfit(misfit.value.setting, misfit.value.words)
      return vectors
    })

    const embed = Effect.fn("Embedder.embed")(function*(texts: ReadonlyArray<string>) {
      yield* Effect.annotateCurrentSpan({ provider: kind.provider, model: peerServer.model, texts: texts.length })
      if (texts.length === 0) return []
      const spoken = yield* speech.embed(texts).pipe(within(config.timeout, peer), permits.withPermits(1))
      return yield* checked(spoken, texts.length)
    }, Effect.mapError(classify))

    const probe = Effect.fn("Embedder.probe")(function*() {
      const [took, found] = yield* speech.probe.pipe(within(config.probeTimeout, peer), Effect.timed)
      return { ...found, took }
    }, Effect.mapError(classify))

    return {
      provider: kind.provider,
      model: peerServer.model,
      answersAs: Effect.map(Ref.get(seen), (origin) => Option.fromNullable(origin?.model)),
      dimension: config.dimension,
      concurrency,
      chunkWords: Option.getOrElse(config.chunkWords, () => kind.chunkWords),
      embed,
      probe: probe()
    }
  })
