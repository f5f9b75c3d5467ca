import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execPath } from "node:process"
import { createInterface } from "node:readline"
import type * as Settings from "../../src/programs/Settings.js"
import * as Lines from "./Lines.js"

export type WorkerSettings = NonNullable<Parameters<typeof Settings.layer>[0]>

/** What a worker is told beside its settings. */
export interface More {
  /** Where the steps of the kind `stepping` send their receipts; without it the worker does not know that kind. */
  readonly receipts?: string
}

/** One line of a worker's log; text that is no JSON stands as its message. */
export interface Line {
  readonly message: string
  readonly logLevel: string
  readonly annotations: Readonly<Record<string, unknown>>
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
}

export interface Worker {
  readonly name: string
  readonly pid: number
  readonly lines: ReadonlyArray<Line>
  readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
  readonly isAlive: () => boolean
}

/** The worker as one file, so that a process starts in a fraction of a second. Deleted with the scope. */
export const bundle: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "holdfast-chaos-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
).pipe(Effect.tap((directory) =>
  Effect.promise(() =>
    build({
      absWorkingDir: new URL("../..", import.meta.url).pathname,
      entryPoints: { worker: "test/chaos/worker.ts", clock: "test/chaos/clock.ts" },
      outdir: directory,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      minify: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node20",
      external: ["@electric-sql/*", "@energetic-ai/*", "pg-native", "cloudflare:sockets"],
      banner: {
        js:
          "import { createRequire as createRequireOfBundle } from \"node:module\"; const require = createRequireOfBundle(import.meta.url);"
      },
      logLevel: "error"
    })
  )
))

const parsed = (text: string): Line => {
  try {
    const { annotations = {}, logLevel = "INFO", message = "" } = JSON.parse(text)
    return { annotations, logLevel, message: Array.ensure(message).map(String).join(" ") }
  } catch {
    return { annotations: {}, logLevel: "RAW", message: text }
  }
}

/** Many workers share few cores: threads that collect garbage beside each would take them from the others. */
const flags = ["--single-threaded-gc"]

const launch = (
  directory: string,
  name: string,
  settings: WorkerSettings,
  clockShift: number,
  more: More,
  hear: (line: string) => void
): Worker => {
  const clock = clockShift === 0 ? [] : ["--import", join(directory, "clock.mjs")]
  const child = spawn(execPath, [
    ...flags,
    ...clock,
    join(directory, "worker.mjs"),
    JSON.stringify(settings),
    JSON.stringify(more)
  ], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { CHAOS_CLOCK_SHIFT: String(clockShift) }
  })
  const lines: globalThis.Array<Line> = []
  const listen = (text: string) => {
    const line = parsed(text)
    lines.push(line)
    hear(`${name} ${line.logLevel} ${line.message} ${JSON.stringify(line.annotations)}`)
  }
  createInterface(child.stdout).on("line", listen)
  createInterface(child.stderr).on("line", listen)
  const gone = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => {
      hear(`${name} ended (${code ?? signal})`)
      resolve({ code, signal })
    })
  })
  return {
    name,
    pid: child.pid ?? 0,
    lines,
    signal: (signal) =>
      Effect.sync(() => {
        hear(`${name} gets ${signal}`)
        child.kill(signal)
      }),
    ended: Effect.promise(() => gone),
    isAlive: () => child.exitCode === null && child.signalCode === null
  }
}

/** Start a worker process. What is left of it at the scope's end is killed. */
export const start = (
  directory: string,
  name: string,
  settings: WorkerSettings,
  clockShift: number,
  more: More,
  hear: (line: string) => void
): Effect.Effect<Worker, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => launch(directory, name, settings, clockShift, more, hear)),
    (worker) => worker.isAlive() ? Effect.zipRight(worker.signal("SIGKILL"), worker.ended) : Effect.void
  )

/** A random one of those that live and have done something; undefined where there is none. */
export const anyBusy = (workers: ReadonlyArray<Worker>): Effect.Effect<Worker | undefined> => {
  const busy = workers.filter((worker) => worker.isAlive() && worker.lines.length > 0)
  return Effect.map(Random.nextIntBetween(0, Math.max(1, busy.length)), (at) => busy[at])
}

const saying = (workers: ReadonlyArray<Worker>, what: string | RegExp) =>
  workers.flatMap(({ lines }) => lines).filter(({ message }) =>
    typeof what === "string" ? message === what : what.test(message)
  )

/** How many lines of these workers say so. */
export const said = (workers: ReadonlyArray<Worker>, what: string | RegExp): number => saying(workers, what).length

/** Of which jobs these workers say so. */
export const jobsOf = (workers: ReadonlyArray<Worker>, what: string | RegExp): ReadonlySet<unknown> =>
  new Set(saying(workers, what).map(({ annotations }) => annotations["job"]))

/** The refused writes that the workers' own metric has counted; known of those that ended in order. */
export const refusedByMetric = (workers: ReadonlyArray<Worker>): number =>
  workers.flatMap(({ lines }) => lines)
    .filter(({ message }) => message === Lines.counted)
    .reduce((sum, { annotations }) => sum + Number(annotations["count"] ?? 0), 0)
