import * as Effect from "effect/Effect"
import * as FaultyServer from "./FaultyServer.js"
import { member } from "./ReceivedRequest.js"

/** The names under which services of this kind have been seen to send their vectors. */
export type Shape = "dense_vecs" | "dense_vectors" | "embeddings" | "embedding" | "data" | "bare"

export interface Options extends FaultyServer.Options {
  readonly shape?: Shape
  /** The page that tells how the service is; `/health` unless told, null where it has none. */
  readonly page?: "/health" | "/info" | null
  /** Answers of the page; `{"status":"ok","model"}` unless told. */
  readonly health?: FaultyServer.Reply
  /** What the answer claims beside its vectors, to contradict them. */
  readonly report?: { readonly model?: string; readonly dimension?: number; readonly count?: number }
}

const shaped = (shape: Shape, vectors: ReadonlyArray<ReadonlyArray<number>>, report: object): unknown => {
  switch (shape) {
    case "bare":
      return vectors
    case "data":
      // out of order, as servers that work in parallel send them
      return { ...report, data: vectors.map((embedding, index) => ({ embedding, index })).toReversed() }
    case "embedding":
      return { ...report, embedding: vectors.length === 1 ? vectors[0] : vectors }
    default:
      return { ...report, [shape]: vectors }
  }
}

/** A dedicated embedding service: `POST /embed {"texts"}`. */
export const startDense = (options: Options = {}): Promise<FaultyServer.Running> => {
  const { dimension = 8, model = "bge-m3", page = "/health", shape = "dense_vecs" } = options
  return FaultyServer.start({
    texts: (path, body) => path === "/embed" ? FaultyServer.asTexts(member(body, "texts")) : null,
    vectors: (_, vectors) => ({
      status: 200,
      body: shaped(shape, vectors, {
        model,
        dimension: vectors[0]?.length ?? dimension,
        count: vectors.length,
        ...options.report
      })
    }),
    other: (method, path) =>
      method === "GET" && path === page
        ? options.health ?? { status: 200, body: { status: "ok", model } }
        : path === "/embed"
        ? {
          status: 422,
          body: { detail: [{ loc: ["body", "texts"], msg: "field required", type: "value_error.missing" }] }
        }
        : { status: 404, body: { detail: "Not Found" } },
    unauthorized: { status: 401, body: { detail: "Invalid or missing API key" } }
  }, options)
}

/** The same as a resource of the scope. */
export const denseServer = (options: Options = {}) =>
  Effect.acquireRelease(Effect.promise(() => startDense(options)), (server) => Effect.promise(server.close))
