import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Pg from "pg"
import { startServer } from "../../support/PostgresServer.js"
import type { Server } from "../../support/PostgresServer.js"
import { Arena, check, drained, since, sources, world } from "../Arena.js"
import type { Scenario } from "../Arena.js"
import { judge, told, whole } from "../Judge.js"

/** How the server answers at this moment: SQLSTATE 57P03 while it recovers. */
const answer = async (url: string): Promise<"up" | "recovering" | "down"> => {
  const client = new Pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 })
  client.on("error", () => {})
  try {
    await client.connect()
    await client.end()
    return "up"
  } catch (error) {
    return error instanceof Pg.DatabaseError && error.code === "57P03" ? "recovering" : "down"
  }
}

/** Starts it and stops it again before it is ready; true where it was seen to recover. */
const stopInRecovery = async (server: Server, url: string): Promise<boolean> => {
  const starting = server.start().then(() => "ready", () => "stopped")
  let seen: Awaited<ReturnType<typeof answer>> = "down"
  while (seen === "down") seen = await answer(url)
  await server.stop("immediate")
  await starting
  return seen === "recovering"
}

/** The server is crashed and restarted every five to ten seconds, once also while it recovers. */
export const restarts: Scenario = {
  name: "database restarts",
  run: Effect.gen(function*() {
    const { long, note } = yield* Arena
    // Its data are flushed as in earnest, so that there is something to recover from.
    const server = yield* Effect.acquireRelease(
      Effect.promise(() => startServer(["-c", "fsync=on", "-c", "full_page_writes=on"])),
      (running) => Effect.promise(running.remove)
    )
    const here = yield* world({ latency: 500 }, server)
    const expected = sources(long ? 400 : 40, 20)
    yield* here.put(expected)
    yield* Effect.forEach([0, 1, 2, 3], (n) => here.worker(`worker-${n}`, { "embedder.concurrency": 1 }))
    yield* Effect.promise(() => here.embedder.until(({ calls }) => calls.length > 0))
    const crashes = long ? 12 : 3
    let recoveries = 0
    yield* Effect.forEach(Array.from({ length: crashes }), (_, n) =>
      Effect.gen(function*() {
        yield* Effect.sleep(yield* Random.nextIntBetween(5000, 10_000))
        note("database is stopped")
        yield* Effect.promise(() => server.stop("immediate"))
        const tries = n === 1 ? 5 : 0
        for (let tried = 0; tried < tries && recoveries === 0; tried++) {
          recoveries += (yield* Effect.promise(() => stopInRecovery(server, here.url))) ? 1 : 0
        }
        yield* Effect.sleep("1 second")
        yield* Effect.promise(server.start)
        note("database is up")
      }))
    const start = yield* Clock.currentTimeMillis
    const orphans = Effect.map(
      here.sql<{ readonly orphans: number }>(
        `select count(*)::int as orphans from holdfast.job_all where status = 'running' and lease_expires_at <= now()`
      ),
      ([row]) => row?.orphans ?? 0
    )
    const early = yield* Effect.fork(Effect.delay(orphans, "30 seconds"))
    const left = yield* drained(here, long ? 300_000 : 90_000)
    const seconds = yield* since(start)
    const orphaned = seconds > 30 ? yield* Fiber.join(early) : 0
    yield* Fiber.interrupt(early)
    const judgement = yield* judge(here, expected)
    const alive = here.workers.filter((worker) => worker.isAlive()).length
    return {
      told: `${
        told(judgement)
      }; ${crashes} crashes and ${recoveries} in recovery, all jobs over ${seconds} s after the last, ${orphaned} orphaned, ${alive} of 4 workers live on`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("none is orphaned after 30 s", orphaned === 0),
        check("it was stopped in recovery once", recoveries > 0),
        check("no worker dies of it", alive === 4)
      ]
    }
  })
}
