import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { once } from "node:events"
import { buildProgram, rclone } from "../../support/BuiltProgram.js"
import type { BuiltProgram } from "../../support/BuiltProgram.js"
import { freshUrl } from "../../support/Databases.js"
import { startOpenAi } from "../../support/OpenAiServer.js"
import { proxyTo, through } from "../../support/Proxy.js"
import type { Weather } from "../../support/Proxy.js"

let program: BuiltProgram

beforeAll(async () => {
  program = await buildProgram()
})

afterAll(() => program.remove())

/** What containers and service managers wait before they kill. */
const longest = 10_000

/** Index against an embedder that takes its time, lose the database in mid-work, and stop: the exit code, and how long it took. */
const stoppedWithout = (weather: Weather, signal: NodeJS.Signals, args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const url = Redacted.value(yield* freshUrl)
    const proxy = yield* proxyTo(url)
    const embedder = yield* Effect.acquireRelease(
      Effect.promise(() => startOpenAi({ latency: 200 })),
      (server) => Effect.promise(server.close)
    )
    const env = {
      HOLDFAST_DATABASE_URL: through(proxy, url),
      HOLDFAST_EMBEDDER_KIND: "openai",
      HOLDFAST_EMBEDDER_URL: embedder.url,
      HOLDFAST_BATCH_SIZE: "1",
      HOLDFAST_POLL_INTERVAL: "200ms"
    }
    const detached = yield* Effect.promise(() => program.run(["index", rclone, "--name", "rclone", "--detach"], env))
    expect(detached.code).toBe(0)
    const child = program.start(args, env)
    const ended = once(child, "exit")
    yield* Effect.promise(() => embedder.until(({ calls }) => calls.length >= 3))
    yield* proxy.set(weather)
    const asked = embedder.seen().calls.length
    // Whatever was answered meanwhile waits to be written.
    yield* Effect.promise(() => embedder.until(({ calls, inFlight }) => calls.length >= asked && inFlight === 0))
    const began = performance.now()
    child.kill(signal)
    const [code] = yield* Effect.promise(() => ended)
    return { code, took: performance.now() - began }
  }).pipe(Effect.scoped)

// Side by side, since they mostly wait.
describe("a program that is told to stop while its database is away", { timeout: 120_000, concurrent: true }, () => {
  for (const weather of ["reset", "black hole"] as const) {
    it.live(`ends in time as a worker (${weather})`, () =>
      Effect.gen(function*() {
        const { code, took } = yield* stoppedWithout(weather, "SIGTERM", ["worker"])
        expect(code).toBe(0)
        expect(took).toBeLessThan(longest)
      }))
  }

  it.live("ends in time as a command that indexes", () =>
    Effect.gen(function*() {
      const { code, took } = yield* stoppedWithout("reset", "SIGINT", ["index", rclone, "--name", "rclone"])
      expect(code).toBe(130)
      expect(took).toBeLessThan(longest)
    }))
})
