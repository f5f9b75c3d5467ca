// @effect-diagnostics globalTimers:off -- a server of plain node:http, whose clients are of many kinds
import * as Effect from "effect/Effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { listen, tally } from "./LoopbackServer.js"
import type { Counts } from "./LoopbackServer.js"
import { bodyOf, headersOf, member } from "./ReceivedRequest.js"

/** What a model says, before a wire puts it. */
export interface Saying {
  readonly reasoning?: ReadonlyArray<string>
  readonly text?: ReadonlyArray<string>
  readonly calls?: ReadonlyArray<{ readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }>
  /** In the wire's own words; the usual one unless told. */
  readonly finish?: string
}

/** What goes wrong: before the answer, or behind as many of its frames. */
export type Fault =
  | {
    readonly kind: "answer"
    readonly status: number
    readonly body: string
    readonly headers?: Readonly<Record<string, string>>
  }
  | { readonly kind: "hang" | "reset" }
  /** Say nothing more; reset the connection; end the body in an orderly way; keep the line open with pings alone. */
  | { readonly kind: "hang" | "reset" | "cut" | "ping"; readonly after: number }
  /** Text of one's own in the place of the next frame; the body ends behind it. */
  | { readonly kind: "frame"; readonly after: number; readonly text: string }

/** One request for an answer as it arrived. `number` counts from 1. */
export interface Call {
  readonly number: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  /** What a real server would refuse about its messages: null where they are in order. */
  readonly refused: string | null
}

export interface Reply {
  readonly status: number
  readonly body: unknown
}

/** How one provider speaks. */
export interface Wire {
  readonly path: string
  readonly contentType: string
  readonly ping: string
  /** The frames of an answer. */
  readonly frames: (saying: Saying, body: unknown, number: number) => ReadonlyArray<string>
  /** What is wrong with the messages of a request, in the provider's own words. */
  readonly refuse: (body: unknown, headers: IncomingMessage["headers"]) => string | null
  readonly refusal: (words: string) => Reply
  readonly unknownModel: (model: string) => Reply
  readonly unauthorized: Reply
  readonly key: (headers: IncomingMessage["headers"]) => string | undefined
}

export interface Options {
  readonly model?: string
  readonly says?: (call: Call) => Saying
  readonly fault?: (call: Call) => Fault | undefined
  /** Where set, requests without this key are refused. */
  readonly key?: string
  /** Cut the bytes of the answer into writes of this size, wherever that cuts them. */
  readonly chunk?: number
}

export interface Seen extends Counts {
  readonly calls: ReadonlyArray<Call>
}

export interface Running {
  readonly url: string
  readonly seen: () => Seen
  /** Resolves as soon as what was seen fits. */
  readonly until: (fits: (seen: Seen) => boolean) => Promise<void>
  readonly setFault: (fault: (call: Call) => Fault | undefined) => void
  readonly setSaying: (says: (call: Call) => Saying) => void
  readonly close: () => Promise<void>
}

const pieces = (text: string, size: number | undefined): ReadonlyArray<Buffer> => {
  const bytes = Buffer.from(text)
  if (size === undefined) return [bytes]
  return Array.from(
    { length: Math.ceil(bytes.length / size) },
    (_, index) => bytes.subarray(index * size, (index + 1) * size)
  )
}

const reply = (
  response: ServerResponse,
  { body, status }: Reply,
  headers: Readonly<Record<string, string>> = {}
): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(typeof body === "string" ? body : JSON.stringify(body))
}

const written = (response: ServerResponse, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => response.write(bytes, () => resolve()))

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const send = async (
  response: ServerResponse,
  wire: Wire,
  frames: ReadonlyArray<string>,
  fault: Fault | undefined,
  chunk: number | undefined
): Promise<void> => {
  const midway = fault !== undefined && "after" in fault ? fault : undefined
  const whole = frames.slice(0, midway?.after)
  response.writeHead(200, { "content-type": wire.contentType })
  response.flushHeaders()
  for (const piece of pieces(whole.join("") + (midway?.kind === "frame" ? midway.text : ""), chunk)) {
    if (response.destroyed) return
    await written(response, piece)
    if (chunk !== undefined) await turn()
  }
  switch (midway?.kind) {
    case "hang":
      return
    case "ping": {
      const timer = setInterval(() => response.write(wire.ping), 20)
      response.once("close", () => clearInterval(timer))
      return
    }
    case "reset":
      response.socket?.resetAndDestroy()
      return
    default:
      response.end()
  }
}

/** A chat server of this wire on a loopback port. It refuses what the real one refuses, and keeps each request as a receipt. */
const start = async (wire: Wire, options: Options): Promise<Running> => {
  const calls: Array<Call> = []
  const { called, connected, counts, until } = tally()
  let { fault = () => undefined, says = () => ({ text: ["Hello", ", ", "world"] }) } = options
  const seen = (): Seen => ({ calls: [...calls], ...counts() })

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    if (request.method !== "POST" || request.url !== wire.path) {
      return reply(response, { status: 404, body: "404 page not found" })
    }
    if (options.key !== undefined && wire.key(request.headers) !== options.key) {
      return reply(response, wire.unauthorized)
    }
    const refused = wire.refuse(body, request.headers)
    const call = { number: calls.length + 1, headers: headersOf(request), body, refused }
    calls.push(call)
    called(response)
    const trouble = fault(call)
    if (trouble?.kind === "answer") return reply(response, trouble, trouble.headers)
    if (refused !== null) return reply(response, wire.refusal(refused))
    const model = String(member(body, "model"))
    if (options.model !== undefined && model !== options.model) return reply(response, wire.unknownModel(model))
    if (trouble !== undefined && !("after" in trouble)) {
      if (trouble.kind === "reset") response.socket?.resetAndDestroy()
      return
    }
    await send(response, wire, wire.frames(says(call), body, call.number), trouble, options.chunk)
  }

  const { close, url } = await listen({ handle, connected })
  return {
    url,
    seen,
    until: (fits) => until(seen, fits),
    setFault: (next) => {
      fault = next
    },
    setSaying: (next) => {
      says = next
    },
    close
  }
}

/** A server of a wire as a resource of the scope. */
export const chatServer = (wire: Wire) => (options: Options = {}) =>
  Effect.acquireRelease(Effect.promise(() => start(wire, options)), (server) => Effect.promise(server.close))
