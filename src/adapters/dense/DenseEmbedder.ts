import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Embedder } from "../../domain/index/Embedder.js"
import * as ModelName from "../../domain/index/ModelName.js"
import * as HttpEmbedder from "../http/HttpEmbedder.js"
import * as JsonBody from "../http/JsonBody.js"
import * as Wire from "../http/WireFailure.js"
import * as DenseAnswer from "./DenseAnswer.js"

const embed = (server: HttpEmbedder.Server): HttpEmbedder.Speech["embed"] => {
  const read = JsonBody.decode(DenseAnswer.DenseAnswer, server.peer)
  return Effect.fnUntraced(function*(texts) {
    const answer = yield* Effect.flatMap(server.post("/embed", { texts }), read)
    const contradiction = DenseAnswer.contradiction(answer, texts.length)
    if (contradiction !== null) return yield* server.broken(contradiction)
    return { vectors: DenseAnswer.vectors(answer), model: DenseAnswer.model(answer) }
  })
}

const Description = Schema.parseJson(Schema.Struct({
  model: Schema.optional(Schema.String),
  model_id: Schema.optional(Schema.String),
  model_name: Schema.optional(Schema.String)
}))

const readDescription = Schema.decodeOption(Description)

/** The model that a health or info page names; many name none. */
const namedModel = (answer: Wire.Answer): Option.Option<string> =>
  Option.flatMap(
    readDescription(answer.body),
    ({ model, model_id, model_name }) => Option.fromNullable(model ?? model_id ?? model_name)
  )

const told = (server: HttpEmbedder.Server, page: string, answer: Wire.Answer) => {
  const named = namedModel(answer)
  return {
    modelKnown: Option.zipWith(server.configuredModel, named, ModelName.answersTo),
    detail: `${page} answers${Option.match(named, { onNone: () => "", onSome: (model) => `, it serves ${model}` })}`
  }
}

/** Ask for health, or else for info, or else whether anybody is there at all. */
const probe = Effect.fnUntraced(function*(server: HttpEmbedder.Server) {
  const refuse = JsonBody.decode(Schema.Never, server.peer)
  for (const page of ["/health", "/info"]) {
    const answer = yield* server.get(page)
    if (Wire.isSuccess(answer)) return told(server, page, answer)
    if (!Wire.isNotOffered(answer)) return yield* refuse(answer)
  }
  const answer = yield* server.head("/")
  if (!Wire.isSuccess(answer) && !Wire.isNotOffered(answer)) return yield* refuse(answer)
  return { modelKnown: Option.none<boolean>(), detail: "it answers, and has no page that tells its health" }
})

/** A dedicated service batches what arrives together: four in flight keep it busy while rows are written. */
const kind: HttpEmbedder.Kind = {
  provider: "http",
  url: Option.none(),
  model: "default",
  namesModel: false,
  routes: /\/embed\/*$/u,
  concurrency: 4,
  chunkWords: 256,
  speak: (server) => Effect.succeed({ embed: embed(server), probe: probe(server) })
}

/** The embedder of a service that speaks `POST /embed {"texts"}`. */
export const layer = Layer.scoped(Embedder, HttpEmbedder.make(kind))
