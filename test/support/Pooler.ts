import * as Effect from "effect/Effect"
import { connect, createServer } from "node:net"
import type { Socket } from "node:net"

/**
 * What a transaction pooler is to a client: the process that the server names when connecting is not the one that answers, so
 * that the client can rely on no session of its own. Everything else passes.
 */

const backendKeyData = "K".charCodeAt(0)
const readyForQuery = "Z".charCodeAt(0)

/** Passes what a server says when connecting, message by message, with another process id. */
const disguised = () => {
  let waiting = Buffer.alloc(0)
  let isConnected = false
  return (bytes: Buffer): Buffer => {
    if (isConnected) return bytes
    waiting = Buffer.concat([waiting, bytes])
    const passed: Array<Buffer> = []
    while (!isConnected && waiting.length >= 5 && waiting.length > waiting.readUInt32BE(1)) {
      const end = 1 + waiting.readUInt32BE(1)
      const message = Buffer.from(waiting.subarray(0, end))
      waiting = waiting.subarray(end)
      if (message[0] === backendKeyData) message.writeUInt32BE(0x7fff_0000, 5)
      isConnected = message[0] === readyForQuery
      passed.push(message)
    }
    return Buffer.concat(isConnected ? [...passed, waiting] : passed)
  }
}

const start = async (port: number) => {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1")
    const pass = disguised()
    client.on("data", (bytes: Buffer) => upstream.write(bytes))
    upstream.on("data", (bytes: Buffer) => client.write(pass(bytes)))
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(one)
      one.on("error", () => {})
      one.on("close", () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: () => {
      server.close()
      sockets.forEach((socket) => socket.destroy())
    }
  }
}

/** The same address behind a pooler, for as long as the scope lasts. */
export const behindPooler = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(() => start(Number(new URL(url).port))),
    (pooler) => Effect.sync(pooler.close)
  ).pipe(Effect.map(({ port }) => {
    const behind = new URL(url)
    behind.port = String(port)
    return behind.href
  }))
