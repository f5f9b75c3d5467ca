import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { Embedder } from "../../domain/index/Embedder.js"
import type { WireFailure } from "../../domain/failure/WireFailure.js"
import * as HttpEmbedder from "../http/HttpEmbedder.js"
import * as JsonBody from "../http/JsonBody.js"
import * as Wire from "../http/WireFailure.js"

const Batch = Schema.Struct({
  model: Schema.optional(Schema.Unknown),
  embeddings: Schema.Array(JsonBody.Numbers)
})

const Single = Schema.Struct({ embedding: JsonBody.Numbers })

/** An empty list is `null` in some versions. */
const Models = Schema.Struct({
  models: Schema.NullOr(Schema.Array(Schema.Struct({ name: Schema.String })))
})

/** `nomic-embed-text` and `registry.ollama.ai/library/nomic-embed-text:latest` are one model. */
const fullName = (name: string): string => {
  const bare = name.replace(/^(?:registry\.ollama\.ai\/)?(?:library\/)?/u, "")
  return /:[^/]*$/u.test(bare) ? bare : `${bare}:latest`
}

const holds = (list: typeof Models.Type, model: string): boolean =>
  (list.models ?? []).some(({ name }) => fullName(name) === fullName(model))

const embedding = Effect.fnUntraced(function*(server: HttpEmbedder.Server) {
  const isOld = yield* Ref.make(false)
  const readBatch = JsonBody.decode(Batch, server.peer)
  const readSingle = JsonBody.decode(Single, server.peer)

  const single = (prompt: string) =>
    server.post("/api/embeddings", { model: server.model, prompt }).pipe(
      Effect.flatMap(readSingle),
      Effect.map((answer) => answer.embedding)
    )

  /** A server from before /api/embed takes one prompt a request. It is remembered once it has answered so. */
  const oneByOne = (texts: ReadonlyArray<string>) =>
    Effect.forEach(texts, single).pipe(
      Effect.zipLeft(Ref.set(isOld, true)),
      Effect.map((vectors) => ({ vectors, model: null }))
    )

  return Effect.fnUntraced(function*(
    texts: ReadonlyArray<string>
  ): Effect.fn.Return<HttpEmbedder.Spoken, WireFailure> {
    if (yield* Ref.get(isOld)) return yield* oneByOne(texts)
    // without truncation a text that is too long is refused by name, and the caller can cut it at a sensible border
    const answer = yield* server.post("/api/embed", { model: server.model, input: texts, truncate: false })
    if (Wire.isMissingRoute(answer)) return yield* oneByOne(texts)
    const { embeddings, model } = yield* readBatch(answer)
    return { vectors: embeddings, model: JsonBody.modelName(model) }
  })
})

/** `/api/tags` tells whether the model is pulled and `/api/ps` whether it is loaded; neither loads it. */
const probe = Effect.fnUntraced(function*(server: HttpEmbedder.Server) {
  const read = JsonBody.decode(Models, server.peer)
  const pulled = holds(yield* Effect.flatMap(server.get("/api/tags"), read), server.model)
  if (!pulled) return { modelKnown: Option.some(false), detail: `${server.model} is not pulled` }
  const running = yield* server.get("/api/ps")
  const loaded = Wire.isMissingRoute(running)
    ? ""
    : holds(yield* read(running), server.model)
    ? ", loaded"
    : ", not loaded"
  return { modelKnown: Option.some(true), detail: `${server.model} is pulled${loaded}` }
})

/** Ollama works on one request at a time unless told otherwise, and a second one would wait while its time limit runs. */
const kind: HttpEmbedder.Kind = {
  provider: "ollama",
  url: Option.some("http://127.0.0.1:11434"),
  model: "nomic-embed-text",
  namesModel: true,
  routes: /\/(?:api(?:\/embed(?:dings)?)?|v1(?:\/embeddings)?)\/*$/u,
  concurrency: 1,
  chunkWords: 256,
  speak: (server) => Effect.map(embedding(server), (embed) => ({ embed, probe: probe(server) }))
}

/** The embedder of an Ollama server, by `/api/embed`, or `/api/embeddings` where it is older. */
export const layer = Layer.scoped(Embedder, HttpEmbedder.make(kind))
