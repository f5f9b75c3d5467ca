// @effect-diagnostics globalTimers:off -- a proxy of plain node:net
import * as Effect from "effect/Effect"
import { createServer } from "node:net"
import { connect } from "node:net"
import type { Socket } from "node:net"

/**
 * What the network does to every connection. A reset breaks those that stand and refuses new ones. A black hole swallows:
 * what stands when it begins is dead for ever, what comes while it lasts is taken and never answered. A trickle carries
 * one byte a second each way.
 */
export type Weather = "clear" | "reset" | "black hole" | "trickle"

interface Link {
  readonly client: Socket
  readonly server: Socket
  readonly flows: ReadonlyArray<{ readonly pass: () => void; readonly drip: () => void }>
  dead: boolean
}

/**
 * How long a server's keepalive takes to give up a client that a black hole took (see the client's server bounds: 10 s, then
 * 3 times 5 s). The kernel answers for this proxy, so that the proxy does it in the server's place.
 */
const keepalive = 25_000

const start = async (upstream: { readonly host: string; readonly port: number }) => {
  const links = new Set<Link>()
  let weather: Weather = "clear"

  const flow = (from: Socket, to: Socket, isDead: () => boolean) => {
    let waiting = Buffer.alloc(0)
    const send = (count: number) => {
      if (isDead() || waiting.length === 0 || to.destroyed) return
      to.write(waiting.subarray(0, count))
      waiting = waiting.subarray(count)
    }
    const pass = () => send(waiting.length)
    from.on("data", (bytes: Buffer) => {
      waiting = Buffer.concat([waiting, bytes])
      if (weather === "clear") pass()
    })
    from.on("error", () => {})
    from.on("close", () => {
      if (!isDead()) to.destroy()
    })
    return { pass, drip: () => send(1) }
  }

  const reset = ({ client, server }: Link) => {
    client.resetAndDestroy()
    server.resetAndDestroy()
  }

  const bury = (link: Link) => {
    link.dead = true
    setTimeout(() => link.server.destroy(), keepalive).unref()
  }

  const listener = createServer((client) => {
    const server = connect(upstream)
    const isDead = () => link.dead
    const link: Link = {
      client,
      server,
      dead: false,
      flows: [flow(client, server, isDead), flow(server, client, isDead)]
    }
    links.add(link)
    client.on("close", () => links.delete(link))
    if (weather === "reset") reset(link)
    if (weather === "black hole") bury(link)
  })

  const clock = setInterval(() => {
    if (weather === "trickle") { for (const { flows } of links) for (const { drip } of flows) drip() }
  }, 1000)

  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  const address = listener.address()
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    set: (next: Weather) => {
      weather = next
      for (const link of links) {
        if (next === "reset") reset(link)
        if (next === "black hole") bury(link)
        if (next === "clear") { for (const { pass } of link.flows) pass() }
      }
    },
    close: () => {
      clearInterval(clock)
      listener.close()
      links.forEach(reset)
    }
  }
}

export interface Proxy {
  readonly port: number
  readonly set: (weather: Weather) => Effect.Effect<void>
}

/** A proxy before this address, for as long as the scope lasts. */
export const proxyTo = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(() => start({ host: "127.0.0.1", port: Number(new URL(url).port) })),
    (proxy) => Effect.sync(proxy.close)
  ).pipe(
    Effect.map(({ port, set }): Proxy => ({ port, set: (weather) => Effect.sync(() => set(weather)) }))
  )

/** The same address behind the proxy. */
export const through = (proxy: Proxy, url: string): string => {
  const behind = new URL(url)
  behind.port = String(proxy.port)
  return behind.href
}
