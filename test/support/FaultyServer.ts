// @effect-diagnostics globalTimers:off -- a server of plain node:http, which benches start without Effect
import type { IncomingMessage, ServerResponse } from "node:http"
import { listen, tally } from "./LoopbackServer.js"
import type { Counts, Options as Loopback } from "./LoopbackServer.js"
import { bodyOf, headersOf, member } from "./ReceivedRequest.js"
import { textVector } from "./TextVectors.js"

/** What a server does instead of answering a call as it should. */
export type Fault =
  /** Take the request and say nothing. */
  | { readonly kind: "hang" }
  /** Send the headers and the first half of the body, then say nothing more. */
  | { readonly kind: "hang-in-body" }
  /** Reset the connection before an answer, or half way through its body. */
  | { readonly kind: "reset" }
  | { readonly kind: "reset-in-body" }
  /** Close the connection in an orderly way before the promised length has been sent. */
  | { readonly kind: "cut-body" }
  /** A complete answer whose JSON stops in the middle. */
  | { readonly kind: "half-json" }
  /** A 200 that is a web page. */
  | { readonly kind: "html" }
  | { readonly kind: "empty-body" }
  /** Vectors that are not what was asked for. */
  | { readonly kind: "wrong-count" }
  | { readonly kind: "wrong-dimension" }
  | { readonly kind: "nan" }
  | { readonly kind: "zero" }
  | { readonly kind: "empty-vectors" }
  /** An answer of one's own. */
  | {
    readonly kind: "answer"
    readonly status: number
    readonly body?: string
    readonly headers?: Readonly<Record<string, string>>
  }

/** One embedding request as it arrived: the receipt. `number` counts from 1. */
export interface Call {
  readonly number: number
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly texts: ReadonlyArray<string>
  readonly body: unknown
}

export interface Options {
  readonly port?: Loopback["port"]
  /** Length of the vectors; 8 unless told. A request's own `dimensions` goes before it. */
  readonly dimension?: number
  readonly model?: string
  /** Milliseconds before a call is answered. */
  readonly latency?: number | ((call: Call) => number)
  /** What goes wrong with a call; nothing where it returns undefined. */
  readonly fault?: (call: Call) => Fault | undefined
  /** Where set, a request without this bearer token or this basic `user:password` gets a 401. */
  readonly credentials?: string
  /** Paths whose requests are taken and never answered. */
  readonly ignored?: ReadonlyArray<string>
  readonly tls?: Loopback["tls"]
}

/** What a server has seen so far. */
export interface Seen extends Counts {
  readonly calls: ReadonlyArray<Call>
  /** Every request, `METHOD path`, those that embed nothing included. */
  readonly requests: ReadonlyArray<string>
}

export interface Running {
  readonly url: string
  readonly port: number
  readonly seen: () => Seen
  /** Resolves as soon as what was seen fits. */
  readonly until: (fits: (seen: Seen) => boolean) => Promise<void>
  readonly setFault: (fault: (call: Call) => Fault | undefined) => void
  readonly setLatency: (latency: number | ((call: Call) => number)) => void
  readonly close: () => Promise<void>
}

/** An answer before it is written: JSON unless it is text already. */
export interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What a kind of server says. */
export interface Wire {
  /** The texts that a request asks vectors of; null where it asks for something else. */
  readonly texts: (path: string, body: unknown) => ReadonlyArray<string> | null
  /** The answer with these vectors. */
  readonly vectors: (call: Call, vectors: ReadonlyArray<ReadonlyArray<number>>) => Reply
  /** The answer to any other request. */
  readonly other: (method: string, path: string, body: unknown) => Reply
  /** The error envelope of this kind. */
  readonly unauthorized: Reply
}

export const asTexts = (value: unknown): ReadonlyArray<string> | null =>
  typeof value === "string"
    ? [value]
    : Array.isArray(value) && value.every((one) => typeof one === "string")
    ? value
    : null

/** JSON as Python writes it: numbers that are not finite stand bare. */
export const json = (value: unknown): string =>
  JSON.stringify(value, (_, one) => typeof one === "number" && !Number.isFinite(one) ? `\u0000${one}` : one)
    .replace(/"\\u0000(-?\w+)"/gu, "$1")

const spoiled = (vectors: ReadonlyArray<ReadonlyArray<number>>, fault: Fault | undefined) => {
  const [first = [], ...rest] = vectors
  switch (fault?.kind) {
    case "wrong-count":
      return rest
    case "wrong-dimension":
      return [first.slice(1), ...rest]
    case "nan":
      return [[Number.NaN, ...first.slice(1)], ...rest]
    case "zero":
      return [first.map(() => 0), ...rest]
    case "empty-vectors":
      return vectors.map(() => [])
    default:
      return vectors
  }
}

const write = (response: ServerResponse, reply: Reply, cut?: "half" | "hang" | "reset" | "close"): void => {
  const whole = Buffer.from(typeof reply.body === "string" ? reply.body : json(reply.body))
  const body = cut === "half" ? whole.subarray(0, Math.floor(whole.length / 2)) : whole
  response.writeHead(reply.status, {
    "content-type": typeof reply.body === "string" ? "text/plain" : "application/json",
    ...reply.headers,
    "content-length": body.length
  })
  if (cut === undefined || cut === "half") {
    response.end(body)
    return
  }
  response.write(body.subarray(0, Math.max(1, Math.floor(body.length / 2))), () => {
    const { socket } = response
    if (cut === "reset") socket?.resetAndDestroy()
    if (cut === "close") socket?.end()
  })
}

const page = "<!doctype html><html><head><title>Sign in</title></head><body>Please sign in to the network</body></html>"

/** Answer a call, or do what the fault says. */
const perform = (response: ServerResponse, reply: () => Reply, fault: Fault | undefined): void => {
  switch (fault?.kind) {
    case "hang":
      return
    case "hang-in-body":
      return write(response, reply(), "hang")
    case "reset":
      response.socket?.resetAndDestroy()
      return
    case "reset-in-body":
      return write(response, reply(), "reset")
    case "cut-body":
      return write(response, reply(), "close")
    case "half-json":
      return write(response, reply(), "half")
    case "html":
      return write(response, { status: 200, body: page, headers: { "content-type": "text/html" } })
    case "empty-body":
      return write(response, { status: 200, body: "" })
    case "answer": {
      const { body = "", headers = {}, status } = fault
      return write(response, { status, body, headers: { "content-type": "application/json", ...headers } })
    }
    default:
      return write(response, reply())
  }
}

const isAllowed = (credentials: string | undefined, header: string | undefined): boolean =>
  credentials === undefined || header === `Bearer ${credentials}`
  || header === `Basic ${Buffer.from(credentials).toString("base64")}`

/** Start a server of this wire on a loopback port. Its counters count embedding calls; close() ends every connection. */
export const start = async (wire: Wire, options: Options = {}): Promise<Running> => {
  const calls: Array<Call> = []
  const requests: Array<string> = []
  const timers = new Set<NodeJS.Timeout>()
  const { called, changed, connected, counts, until } = tally()
  let { fault = () => undefined, latency = 0 } = options

  const embed = (response: ServerResponse, call: Call): void => {
    calls.push(call)
    called(response)
    const trouble = fault(call)
    const wanted = member(call.body, "dimensions")
    const dimension = typeof wanted === "number" ? wanted : options.dimension ?? 8
    const vectors = call.texts.map((text) => textVector(text, dimension))
    const answer = () => perform(response, () => wire.vectors(call, spoiled(vectors, trouble)), trouble)
    const delay = typeof latency === "number" ? latency : latency(call)
    if (delay <= 0) return answer()
    const timer = setTimeout(() => {
      timers.delete(timer)
      if (!response.destroyed) answer()
    }, delay)
    timers.add(timer)
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = request.method ?? "GET"
    const path = new URL(request.url ?? "/", "http://loopback").pathname
    requests.push(`${method} ${path}`)
    const body = await bodyOf(request)
    if (options.ignored?.includes(path) === true) return changed()
    if (!isAllowed(options.credentials, request.headers.authorization)) return write(response, wire.unauthorized)
    const texts = method === "POST" ? wire.texts(path, body) : null
    if (texts === null) {
      changed()
      return write(response, wire.other(method, path, body))
    }
    embed(response, { number: calls.length + 1, method, path, headers: headersOf(request), texts, body })
  }

  const { close, port, url } = await listen({ handle, connected, port: options.port, tls: options.tls })
  const seen = (): Seen => ({ calls: [...calls], requests: [...requests], ...counts() })

  return {
    url,
    port,
    seen,
    until: (fits) => until(seen, fits),
    setFault: (next) => {
      fault = next
    },
    setLatency: (next) => {
      latency = next
    },
    close: () => {
      timers.forEach((timer) => clearTimeout(timer))
      return close()
    }
  }
}
