import * as Effect from "effect/Effect"
import * as FaultyServer from "./FaultyServer.js"
import { member } from "./ReceivedRequest.js"

export interface Options extends FaultyServer.Options {
  /** A version before /api/embed: one prompt a request. */
  readonly old?: boolean
  /** Models that are pulled; the server's own unless told. */
  readonly pulled?: ReadonlyArray<string>
  /** How its answers call the model; as it was asked for unless told. */
  readonly answersAs?: string
  readonly loaded?: ReadonlyArray<string>
}

const described = (name: string) => ({
  name,
  model: name,
  modified_at: "2026-01-01T00:00:00Z",
  size: 274_302_450,
  digest: "0a109f422b47e3a30ba2b10eca18548e944e8a23073ee3f3e947efcf3c45e59f",
  details: { format: "gguf", family: "nomic-bert", families: ["nomic-bert"], parameter_size: "137M" }
})

const tagged = (name: string): string => name.includes(":") ? name : `${name}:latest`

const missing = (body: unknown): FaultyServer.Reply => ({
  status: 404,
  body: { error: `model "${String(member(body, "model"))}" not found, try pulling it first` }
})

const noRoute: FaultyServer.Reply = { status: 404, body: "404 page not found" }

/** An Ollama server: /api/embed or the old /api/embeddings, /api/tags, /api/ps and /api/version, with Ollama's errors. */
export const startOllama = (options: Options = {}): Promise<FaultyServer.Running> => {
  const { model = "nomic-embed-text", old = false } = options
  const pulled = (options.pulled ?? [model]).map(tagged)
  const isPulled = (body: unknown) => pulled.includes(tagged(String(member(body, "model"))))
  const pages: Readonly<Record<string, unknown>> = {
    "/api/tags": { models: pulled.map(described) },
    "/api/ps": { models: (options.loaded ?? []).map(tagged).map(described) },
    "/api/version": { version: old ? "0.2.8" : "0.12.6" }
  }

  return FaultyServer.start({
    texts: (path, body) => {
      if (!isPulled(body)) return null
      if (path === "/api/embed" && !old) return FaultyServer.asTexts(member(body, "input"))
      return path === "/api/embeddings" ? FaultyServer.asTexts(member(body, "prompt")) : null
    },
    vectors: ({ body, path, texts }, vectors) =>
      vectors.flat().some((x) => !Number.isFinite(x))
        ? { status: 500, body: { error: "failed to encode response: json: unsupported value: NaN" } }
        : path === "/api/embeddings"
        ? { status: 200, body: { embedding: vectors[0] ?? [] } }
        : {
          status: 200,
          body: {
            model: options.answersAs ?? member(body, "model"),
            embeddings: vectors,
            total_duration: 14_143_917,
            load_duration: 1_019_500,
            prompt_eval_count: texts.length * 8
          }
        },
    other: (method, path, body) => {
      const page = pages[path]
      if (method === "GET" && page !== undefined) return { status: 200, body: page }
      const embeds = path === "/api/embeddings" || (path === "/api/embed" && !old)
      if (method !== "POST" || !embeds) return noRoute
      return isPulled(body) ? { status: 400, body: { error: "invalid input type" } } : missing(body)
    },
    unauthorized: { status: 401, body: { error: "unauthorized" } }
  }, options)
}

/** The same as a resource of the scope. */
export const ollamaServer = (options: Options = {}) =>
  Effect.acquireRelease(Effect.promise(() => startOllama(options)), (server) => Effect.promise(server.close))
