import * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Agent, type buildConnector } from "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Milliseconds until a connection that nobody answers is given up. */
const connectTimeout = 10_000

export interface Options {
  /** Sockets to one origin at most. */
  readonly connections: number
  /** What `tls.connect` takes: certificate authorities, a lookup of one's own. */
  readonly connect?: buildConnector.BuildOptions
}

/**
 * A client with sockets of its own, closed with the scope. It follows no redirect, tries nothing again, and writes no span
 * or trace header: a URL's query may hold a key.
 */
export const make = (options: Options): Effect.Effect<HttpClient.HttpClient, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      new Agent({
        connections: options.connections,
        pipelining: 1,
        connect: { timeout: connectTimeout, ...options.connect }
      })
    ),
    (agent) => Effect.promise(() => agent.destroy()).pipe(Effect.interruptible, Effect.timeoutOption("1 second"))
  ).pipe(
    Effect.map(NodeHttpClient.makeUndici),
    Effect.map(HttpClient.withTracerDisabledWhen(() => true)),
    Effect.map(HttpClient.withTracerPropagation(false))
  )
