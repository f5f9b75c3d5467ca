import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { Embedder } from "../../domain/index/Embedder.js"
import { classify } from "../../domain/failure/classify.js"
import type { WireFailure } from "../../domain/failure/WireFailure.js"
import * as HttpEmbedder from "../http/HttpEmbedder.js"
import * as JsonBody from "../http/JsonBody.js"
import * as Wire from "../http/WireFailure.js"
import * as OpenAiAnswer from "./OpenAiAnswer.js"
import * as Parameters from "./Parameters.js"
import * as Route from "./Route.js"

/** The same request with less in it, as long as the answer blames what is left. */
const asking = Effect.fnUntraced(function*(server: HttpEmbedder.Server) {
  const wanted: { readonly [P in Parameters.Parameter]?: unknown } = {
    // a quarter of the bytes of decimal text; servers that do not know it answer with numbers
    encoding_format: "base64",
    ...Option.match(server.configuredDimension, { onNone: () => ({}), onSome: (dimensions) => ({ dimensions }) })
  }
  const all: ReadonlyArray<Parameters.Parameter> = Option.isSome(server.configuredDimension)
    ? ["encoding_format", "dimensions"]
    : ["encoding_format"]
  // what the server serves without, and not with
  const refused = yield* Ref.make<ReadonlyArray<Parameters.Parameter>>([])
  const mayGuess = yield* Ref.make(true)

  const post = (texts: ReadonlyArray<string>, sent: ReadonlyArray<Parameters.Parameter>) =>
    server.post(Route.below(server.base, "/embeddings"), {
      model: server.model,
      ...Object.fromEntries(sent.map((parameter) => [parameter, wanted[parameter]])),
      input: texts
    })

  /** A refusal without a known reason may be of a parameter too: that is tried once, unless they were served before. */
  const isUnexplained = (answer: Wire.Answer) =>
    (answer.status === 400 || answer.status === 422) &&
    classify(Wire.ofAnswer(server.peer, answer, 0))._tag === "InvalidRequest"

  /** The answer, and the parameters it was asked for without. */
  const ask = (
    texts: ReadonlyArray<string>,
    without: ReadonlyArray<Parameters.Parameter>,
    guessing: boolean
  ): Effect.Effect<readonly [Wire.Answer, ReadonlyArray<Parameters.Parameter>], WireFailure> =>
    Effect.gen(function*() {
      const sent = all.filter((parameter) => !without.includes(parameter))
      const answer = yield* post(texts, sent)
      const blamed = Parameters.blamed(answer, sent)
      if (blamed.length > 0) return yield* ask(texts, [...without, ...blamed], guessing)
      const mayDrop = sent.length > 0 && isUnexplained(answer) && (guessing || (yield* Ref.getAndSet(mayGuess, false)))
      return mayDrop ? yield* ask(texts, [...without, ...sent.slice(0, 1)], true) : [answer, without] as const
    })

  return Effect.fnUntraced(function*<A>(
    texts: ReadonlyArray<string>,
    read: (answer: Wire.Answer) => Effect.Effect<A, WireFailure>
  ) {
    const [answer, without] = yield* ask(texts, yield* Ref.get(refused), false)
    const found = yield* read(answer)
    yield* Ref.update(refused, (before) => [...new Set([...before, ...without])])
    yield* Ref.set(mayGuess, false)
    return found
  })
})

const embedding = Effect.fnUntraced(function*(server: HttpEmbedder.Server) {
  const ask = yield* asking(server)
  const decode = JsonBody.decode(OpenAiAnswer.OpenAiAnswer, server.peer)
  const read = (answer: Wire.Answer) =>
    Effect.flatMap(decode(answer), (decoded) =>
      Either.match(OpenAiAnswer.vectors(decoded), {
        onLeft: server.broken,
        onRight: (vectors) => Effect.succeed({ vectors, model: JsonBody.modelName(decoded.model) })
      }))
  return (texts: ReadonlyArray<string>) => ask(texts, read)
})

const Listed = Schema.Array(Schema.Struct({ id: Schema.String }))

/** Most servers wrap the list of models, a few do not. */
const Models = Schema.Union(Schema.Struct({ data: Listed }), Listed).annotations({
  message: () => ({ message: "expected a list of models", override: true })
})

const isBare = (models: typeof Models.Type): models is typeof Listed.Type => Array.isArray(models)

const probe = Effect.fnUntraced(function*(server: HttpEmbedder.Server) {
  const answer = yield* server.get(Route.below(server.base, "/models"))
  if (Wire.isMissingRoute(answer)) {
    return { modelKnown: Option.none<boolean>(), detail: "it answers, and lists no models" }
  }
  const models = yield* JsonBody.decode(Models, server.peer)(answer)
  const known = (isBare(models) ? models : models.data).some(({ id }) => id === server.model)
  return {
    modelKnown: Option.some(known),
    detail: known ? `it lists ${server.model}` : `it does not list ${server.model}`
  }
})

/** Providers limit tokens and requests a minute, not sockets; four in flight hide the way there and back. */
const kind: HttpEmbedder.Kind = {
  provider: "openai",
  url: Option.some("https://api.openai.com/v1"),
  model: "text-embedding-3-small",
  namesModel: true,
  routes: /\/embeddings\/*$/u,
  concurrency: 4,
  chunkWords: 256,
  speak: (server) => Effect.map(embedding(server), (embed) => ({ embed, probe: probe(server) }))
}

/** The embedder of every server that speaks `POST /v1/embeddings`. */
export const layer = Layer.scoped(Embedder, HttpEmbedder.make(kind))
