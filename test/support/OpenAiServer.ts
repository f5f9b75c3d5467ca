import * as Effect from "effect/Effect"
import * as FaultyServer from "./FaultyServer.js"
import { member } from "./ReceivedRequest.js"

export interface Options extends FaultyServer.Options {
  /** Answers with numbers, whatever encoding is asked for. */
  readonly floatsOnly?: boolean
  /** Sends the vectors last first, each with its index. */
  readonly reversed?: boolean
  /** How its answers call the model; as it was asked for unless told. */
  readonly answersAs?: string
  /** Offers no list of models. */
  readonly unlisted?: boolean
}

const base64 = (vector: ReadonlyArray<number>): string => {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((x, index) => bytes.writeFloatLE(x, index * 4))
  return bytes.toString("base64")
}

const failure = (status: number, message: string, type: string, code: string | null): FaultyServer.Reply => ({
  status,
  body: { error: { message, type, param: null, code } }
})

/** A server that speaks `POST /v1/embeddings` and `GET /v1/models`, with OpenAI's errors. */
export const startOpenAi = (options: Options = {}): Promise<FaultyServer.Running> => {
  const { floatsOnly = false, model = "text-embedding-3-small", reversed = false, unlisted = false } = options
  const isKnown = (body: unknown) => member(body, "model") === model

  return FaultyServer.start({
    texts: (path, body) =>
      path === "/v1/embeddings" && isKnown(body) ? FaultyServer.asTexts(member(body, "input")) : null,
    vectors: ({ body, texts }, vectors) => {
      const asText = member(body, "encoding_format") === "base64" && !floatsOnly
      const data = vectors.map((vector, index) => ({
        object: "embedding",
        index,
        embedding: asText ? base64(vector) : vector
      }))
      const tokens = texts.length * 8
      return {
        status: 200,
        body: {
          object: "list",
          data: reversed ? data.toReversed() : data,
          model: options.answersAs ?? model,
          usage: { prompt_tokens: tokens, total_tokens: tokens }
        },
        headers: { "x-request-id": "req_0123456789abcdef" }
      }
    },
    other: (method, path, body) => {
      if (method === "GET" && path === "/v1/models" && !unlisted) {
        return { status: 200, body: { object: "list", data: [{ id: model, object: "model", owned_by: "system" }] } }
      }
      if (method !== "POST" || path !== "/v1/embeddings") return { status: 404, body: "404 page not found" }
      return isKnown(body)
        ? failure(400, "'$.input' is invalid. Please check the API reference.", "invalid_request_error", null)
        : failure(
          404,
          `The model \`${String(member(body, "model"))}\` does not exist or you do not have access to it.`,
          "invalid_request_error",
          "model_not_found"
        )
    },
    unauthorized: failure(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")
  }, options)
}

/** The same as a resource of the scope. */
export const openAiServer = (options: Options = {}) =>
  Effect.acquireRelease(Effect.promise(() => startOpenAi(options)), (server) => Effect.promise(server.close))
