import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Embedder } from "../../domain/embedding/Embedder.js"
import * as HttpEmbedder from "../http/HttpEmbedder.js"
import * as JsonBody from "../http/JsonBody.js"
import * as Wire from "../http/WireFailure.js"
import * as OpenAiAnswer from "./OpenAiAnswer.js"

/** A base address with a version in its path is complete: `/v1`, `/api/paas/v4`, `/v1beta/openai`. */
const path = (server: HttpEmbedder.Server, route: string): string =>
  /\/v\d+[a-z]*(?:\/|$)/u.test(server.base.pathname) ? route : `/v1${route}`

const embed = (server: HttpEmbedder.Server): HttpEmbedder.Speech["embed"] => {
  const read = JsonBody.decode(OpenAiAnswer.OpenAiAnswer, server.peer)
  const asked = {
    model: server.model,
    // a quarter of the bytes of decimal text; servers that do not know it answer with numbers
    encoding_format: "base64",
    ...Option.match(server.configuredDimension, { onNone: () => ({}), onSome: (dimensions) => ({ dimensions }) })
  }
  return (texts) =>
    server.post(path(server, "/embeddings"), { ...asked, input: texts }).pipe(
      Effect.flatMap(read),
      Effect.flatMap((answer) =>
        Either.match(OpenAiAnswer.vectors(answer), {
          onLeft: server.broken,
          onRight: (vectors) => Effect.succeed({ vectors, model: answer.model })
        })
      )
    )
}

const Listed = Schema.Array(Schema.Struct({ id: Schema.String }))

/** Most servers wrap the list of models, a few do not. */
const Models = Schema.Union(Schema.Struct({ data: Listed }), Listed).annotations({
  message: () => ({ message: "expected a list of models", override: true })
})

const isBare = (models: typeof Models.Type): models is typeof Listed.Type => Array.isArray(models)

const probe = Effect.fnUntraced(function*(server: HttpEmbedder.Server) {
  const answer = yield* server.get(path(server, "/models"))
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
  concurrency: 4,
  chunkWords: 256,
  speak: (server) => Effect.succeed({ embed: embed(server), probe: probe(server) })
}

/** The embedder of every server that speaks `POST /v1/embeddings`. */
export const layer = Layer.scoped(Embedder, HttpEmbedder.make(kind))
