import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from "node:https"
import type { Socket } from "node:net"

/** What a server counts of its calls. */
export interface Counts {
  readonly connections: number
  readonly inFlight: number
  readonly mostInFlight: number
  /** Answers whose client went away before they were complete. */
  readonly aborted: number
}

export interface Tally {
  readonly counts: () => Counts
  readonly connected: () => void
  /** Counts a call, until its answer is over. */
  readonly called: (response: ServerResponse) => void
  /** Tells those who wait that there is more to see. */
  readonly changed: () => void
  /** Resolves as soon as what is seen fits. */
  readonly until: <S>(seen: () => S, fits: (seen: S) => boolean) => Promise<void>
}

/** Counts a server's calls, and wakes whoever waits for one. */
export const tally = (): Tally => {
  const count = { connections: 0, inFlight: 0, mostInFlight: 0, aborted: 0 }
  const waiting = new Set<() => void>()
  const changed = () => waiting.forEach((check) => check())
  return {
    counts: () => ({ ...count }),
    connected: () => {
      count.connections++
    },
    called: (response) => {
      count.inFlight++
      count.mostInFlight = Math.max(count.mostInFlight, count.inFlight)
      response.once("close", () => {
        count.inFlight--
        if (!response.writableFinished) count.aborted++
        changed()
      })
      changed()
    },
    changed,
    until: (seen, fits) =>
      new Promise((resolve) => {
        const check = () => {
          if (!fits(seen())) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      })
  }
}

/** What an HTTP server on a loopback port does, and where. */
export interface Options {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** Hears of every connection. */
  readonly connected?: () => void
  /** Any free one unless told. */
  readonly port?: number | undefined
  readonly tls?: TlsOptions | undefined
}

export interface Listening {
  readonly url: string
  readonly port: number
  /** Ends every connection. */
  readonly close: () => Promise<void>
}

/** Starts a server whose calls fail where `handle` does. */
export const listen = async ({ connected, handle, port: wanted = 0, tls }: Options): Promise<Listening> => {
  const sockets = new Set<Socket>()
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response).catch(() => response.destroy())
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  server.keepAliveTimeout = 60_000
  server.on("connection", (socket: Socket) => {
    connected?.()
    sockets.add(socket)
    socket.on("error", () => socket.destroy())
    socket.on("close", () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(wanted, "127.0.0.1", resolve)
  })
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return {
    url: `${tls === undefined ? "http://127.0.0.1" : "https://localhost"}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        sockets.forEach((socket) => socket.destroy())
      })
  }
}
