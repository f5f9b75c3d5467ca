import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { WorkerLock } from "../../../src/domain/lease/WorkerLock.js"
import { work } from "../../../src/programs/flows/work/Worker.js"
import * as Settings from "../../../src/programs/Settings.js"
import { Kinds, Stores, Work } from "../../../src/programs/Wiring.js"
import { Noop } from "./noop.js"
import { serve } from "./Peer.js"

/** Of those tried, what drains best with one process and with four. */
const workers = 512

/** The worker as it is, with a kind whose jobs end at once: claims, leases, heartbeats and fenced settling are all there. */
await serve({
  connect: async (url, ran) => {
    const handler = Noop.toLayer(() => Effect.sync(ran))
    const runtime = ManagedRuntime.make(
      Layer.merge(handler, Layer.merge(Stores, Work)).pipe(
        Layer.provideMerge(Kinds),
        Layer.provideMerge(Settings.layer({ "database.url": url, workers })),
        Layer.provide(Logger.minimumLogLevel(LogLevel.Warning))
      )
    )
    const services = await runtime.runtime()
    // Its connections: one claims, one settles, one asks when the next job is ready.
    const connected = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`select pg_sleep(0.1)`)
    await runtime.runPromise(Effect.replicateEffect(connected, 3, { concurrency: "unbounded", discard: true }))
    // Registered before the signal; the first claim waits for it.
    const go = Effect.unsafeMakeLatch()
    const lock = Context.get(services.context, WorkerLock)
    await new Promise<void>((ready) => {
      const register: typeof lock.register = (wanted) =>
        Effect.map(lock.register(wanted), (registered) => ({
          ...registered,
          seen: Effect.suspend(() => {
            ready()
            return Effect.zipRight(go.await, registered.seen)
          })
        }))
      runtime.runFork(
        work().pipe(
          Effect.provideService(WorkerLock, { ...lock, register }),
          Logger.withMinimumLogLevel(LogLevel.Warning),
          Effect.provide(services)
        )
      )
    })
    return () => go.unsafeOpen()
  }
})
