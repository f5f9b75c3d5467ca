import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { argv, execPath, exit, stdout } from "node:process"
import { App, Settings, Sources } from "../../src/programs/index.js"
import { startServer } from "../support/PostgresServer.js"
import { fakeEmbedder } from "./FakeEmbedder.js"
import { fetchGithub } from "./github.js"
import { house } from "./house.js"
import { judging } from "./judging.js"
import { recall } from "./recall.js"
import { reindex } from "./reindex.js"
import { throughput } from "./throughput.js"

/**
 * Every number beside a baseline of the same run. Takes the path of the description that is indexed twice; GitHub's is the
 * default, and always the one that the questions are asked of, since they name its operations.
 */
const github = fetchGithub("node_modules/.cache/holdfast-bench")
const description = argv.slice(2).find((word) => !word.startsWith("-")) ?? github
if (!existsSync(description)) throw new Error(`There is no file ${description}; give the path of an API description.`)
if (!existsSync("dist/bin/holdfast.js")) {
  throw new Error("The bench starts the built program: run \"npm run build\" first.")
}

const say = (line: string) => stdout.write(`${line}\n`)
const verdict = (good: boolean) => good ? "reached" : "MISSED"
const failures: Array<string> = []
const judge = (name: string, good: boolean, line: string) => {
  if (!good) failures.push(name)
  say(`${name}: ${line} [${verdict(good)}]`)
}

const scratch = mkdtempSync(join(tmpdir(), "holdfast-bench-"))
const directory = (name: string) => ({ data_dir: join(scratch, name) })
const median = (times: ReadonlyArray<number>) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0

const startUp = () => {
  const time = (args: ReadonlyArray<string>) => {
    const began = performance.now()
    execFileSync(execPath, args, { stdio: "ignore" })
    return performance.now() - began
  }
  const runs = Array.from({ length: 10 }, () => [time(["-e", "0"]), time(["dist/bin/holdfast.js", "--help"])] as const)
  const bare = median(runs.map(([node]) => node))
  const help = median(runs.map(([, holdfast]) => holdfast))
  judge(
    "start-up",
    help < 400,
    `--help ${help.toFixed(0)} ms, node alone ${bare.toFixed(0)} ms, ratio ${
      (help / bare).toFixed(2)
    }; aim under 400 ms`
  )
}

const memory = () => {
  const printed = execFileSync(
    execPath,
    ["--import", "tsx", "test/bench/memory.ts", "20000", join(scratch, "memory")],
    { encoding: "utf8" }
  )
  const { before, rise, status } = JSON.parse(printed.trim().split("\n").at(-1) ?? "{}")
  judge(
    "memory",
    status === "succeeded" && rise < 400,
    `20,000 operations raise ${before} MiB by ${rise} MiB; aim under 400`
  )
}

/** Ten thousand lines of failures, as `explain` reads them. */
const explaining = () => {
  const { judged, read } = judging(10_000)
  judge(
    "explain",
    judged < 500,
    `a line is judged in ${judged.toFixed(0)} us, ${
      (judged / read).toFixed(0)
    } times what its JSON takes; aim under 500 us`
  )
}

const rated = (latency: number, concurrency: number, settings: Parameters<typeof house>[1]) =>
  Effect.map(throughput(latency, concurrency, settings), ({ ofArithmetic, ofEmbedder, textsPerSecond }) => ({
    ofEmbedder,
    line: `${textsPerSecond} texts/s, ${(ofEmbedder * 100).toFixed(1)} % of the embedder asked alone in this run, ` +
      `${(ofArithmetic * 100).toFixed(1)} % of concurrency x batch / latency`
  }))

/** One call at a time, as a server with one model loaded answers best. */
const rates = (name: string, settings: Parameters<typeof house>[1]) =>
  Effect.forEach(
    [50, 200],
    (latency) =>
      Effect.map(rated(latency, 1, settings), ({ line, ofEmbedder }) =>
        judge(`throughput on ${name} at ${latency} ms`, ofEmbedder >= 0.95, `${line}; aim 95 %`))
  )

/** Four calls at a time, 2,560 texts a second: how far the machine's two cores carry both the job and the server. */
const ceiling = (name: string, settings: Parameters<typeof house>[1]) =>
  Effect.map(rated(50, 4, settings), ({ line }) => say(`four calls at once on ${name} at 50 ms: ${line} [not judged]`))

const receipts = { calls: 0, texts: 0 }

const program = Effect.gen(function*() {
  yield* rates("PGlite", directory("throughput"))
  yield* ceiling("PGlite", directory("ceiling"))
  const server = yield* Effect.acquireRelease(
    Effect.promise(() => startServer()),
    (started) => Effect.promise(() => started.remove())
  )
  yield* rates("Postgres", { "database.url": server.url, ...directory("unused") })
  yield* ceiling("Postgres", { "database.url": server.url, ...directory("unused") })
  const again = yield* Effect.provide(
    reindex(description, receipts),
    Layer.provideMerge(
      Sources,
      house(fakeEmbedder({ dimension: 512, concurrency: 4, latency: 1 }, receipts), directory("reindex"))
    )
  )
  judge(
    "unchanged again",
    again.calls === 0 && again.beside < 2000,
    `${again.operations} operations, ${again.calls} calls, ${again.beside.toFixed(0)} ms beside a parse of ${
      again.parse.toFixed(0)
    } ms ` +
      `(ratio ${(again.beside / again.parse).toFixed(2)}); aim 0 calls and under 2,000 ms`
  )
  const legs = yield* Effect.provide(recall(github), Layer.provide(App, Settings.layer(directory("recall"))))
  const line = (["hybrid", "lexical", "semantic"] as const)
    .map((mode) => `${mode} ${legs[mode].recallAt5.toFixed(2)} (first ${legs[mode].first})`).join(", ")
  judge(
    "recall@5 of 20 questions",
    legs.hybrid.recallAt5 > Math.max(legs.lexical.recallAt5, legs.semantic.recallAt5),
    `${line}; hybrid must be the best; hybrid missed: ${legs.hybrid.missed.join("; ")}`
  )
})

try {
  startUp()
  memory()
  explaining()
  await Effect.runPromise(Effect.scoped(program))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
if (failures.length > 0) {
  say(`missed: ${failures.join(", ")}`)
  exit(1)
}
