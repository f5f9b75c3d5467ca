import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Arena, check, drained, eventually, since, sources, world } from "../Arena.js"
import type { Scenario } from "../Arena.js"
import { judge, told, whole } from "../Judge.js"
import { proxyTo, through } from "../../support/Proxy.js"
import type { Weather } from "../../support/Proxy.js"
import * as Transactions from "../Transactions.js"

/** The longest wait that the database's client allows itself, and what a busy machine adds. Seconds. */
const bound = 90

/** Bad weather between one of two workers and the database: the other takes its jobs, and it comes back by itself. */
const beforeDatabase = (weather: Weather): Scenario => ({
  name: `${weather} before the database`,
  run: Effect.gen(function*() {
    const { note } = yield* Arena
    const here = yield* world({ latency: 200 })
    const expected = sources(6, 16)
    yield* here.put(expected)
    const proxy = yield* proxyTo(here.url)
    const settings = { lease_duration: "5s", batch_size: 2 }
    const far = yield* here.worker("far", { ...settings, "database.url": through(proxy, here.url) })
    const busy = Effect.map(
      here.sql<{ readonly jobs: number }>(
        `select count(*)::int as jobs from holdfast.job_all as job join holdfast.worker on worker.id = job.worker
        where job.status = 'running' and worker.pid = $1`,
        [far.pid]
      ),
      ([row]) => row?.jobs ?? 0
    )
    yield* eventually(busy, (jobs) => jobs > 0, 30_000)
    yield* here.worker("near", settings)
    const longest = yield* Transactions.watch(here, "near")
    const start = yield* Clock.currentTimeMillis
    note(`${weather} begins`)
    yield* proxy.set(weather)
    const left = yield* drained(here, 60_000)
    const over = yield* since(start)
    const judgement = yield* judge(here, expected)
    note(`${weather} ends`)
    yield* proxy.set("clear")
    // Work for it alone: the other one goes.
    yield* here.workers[1]?.signal("SIGTERM") ?? Effect.void
    const more = sources(7, 16).slice(expected.length)
    yield* here.put(more)
    const back = yield* eventually(busy, (jobs) => jobs > 0, bound * 1000)
    const recovered = yield* since(start)
    const later = yield* drained(here, 30_000)
    const held = yield* longest
    return {
      told: `${
        told(judgement)
      }; over ${over} s after it began, its worker back after ${recovered} s, longest idle transaction of the other ${
        held.toFixed(2)
      } s`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0 && later === 0),
        check(`the worker works again within ${bound} s`, Option.isSome(back) && far.isAlive()),
        check("no transaction stands open across a call", held < 1)
      ]
    }
  })
})

/** Bad weather between a worker and the embedder for twelve seconds, with a limit of two seconds a call. */
const beforeEmbedder = (weather: Weather): Scenario => ({
  name: `${weather} before the embedder`,
  run: Effect.gen(function*() {
    const here = yield* world({ latency: 50 })
    const expected = sources(4, 40)
    // Twelve seconds of resets may spend five attempts: that jobs then fail is right, and not what is looked at here.
    yield* here.put(expected, { maxAttempts: 20 })
    const proxy = yield* proxyTo(here.embedder.url)
    const worker = yield* here.worker("far", {
      "embedder.url": through(proxy, here.embedder.url),
      "embedder.timeout": "2s"
    })
    const longest = yield* Transactions.watch(here, "far")
    yield* Effect.promise(() => here.embedder.until(({ calls }) => calls.length >= 4))
    yield* proxy.set(weather)
    const start = yield* Clock.currentTimeMillis
    yield* Effect.sleep("12 seconds")
    yield* proxy.set("clear")
    const left = yield* drained(here, 90_000)
    const over = yield* since(start)
    const judgement = yield* judge(here, expected)
    const held = yield* longest
    return {
      told: `${told(judgement)}; over ${over} s after it began, longest idle transaction ${held.toFixed(2)} s`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("the worker lives on", worker.isAlive()),
        check("no transaction stands open across a call", held < 1)
      ]
    }
  })
})

/** They wait more than they work, so that they run side by side. */
const both = (weather: Weather) => [beforeDatabase(weather), beforeEmbedder(weather)]

/** Nothing is heard any more: whoever is behind it waits. */
export const silent: ReadonlyArray<Scenario> = both("black hole")

export const noisy: ReadonlyArray<Scenario> = [...both("trickle"), ...both("reset")]
