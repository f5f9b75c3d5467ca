import * as Effect from "effect/Effect"
import { build } from "esbuild"
import { readFileSync } from "node:fs"
import { loadavg } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { argv, exit, stdout } from "node:process"
import { parseArgs } from "node:util"
import * as Pg from "pg"
import { startServer } from "../../support/PostgresServer.js"
import type { Server } from "../../support/PostgresServer.js"
import { drain, idleWorker } from "./measure.js"
import type { Drained, IdleWorker, Stand, Start } from "./measure.js"
import { persisting } from "./persisting.js"
import { limit, ours, peers, queues } from "./queues.js"

/**
 * holdfast beside its peers and beside a hand-written loop, on one server, in turns. Every number that is judged is a ratio of
 * medians of this run.
 */
const { values: flags } = parseArgs({
  args: argv.slice(2),
  options: {
    jobs: { type: "string", default: "20000" },
    rounds: { type: "string", default: "3" },
    processes: { type: "string", default: "1,4" },
    starts: { type: "string", default: "200" },
    rows: { type: "string", default: "3200" },
    only: { type: "string", default: "drain,start,persist" },
    queues: { type: "string", default: queues.map(({ module }) => module).join(",") }
  }
})

const jobs = Number(flags.jobs)
const rounds = Number(flags.rounds)
const parts = new Set(flags.only.split(","))
const chosen = queues.filter(({ module }) => flags.queues.split(",").includes(module))
const say = (line: string) => stdout.write(`${line}\n`)
const load = () => `load ${loadavg()[0]?.toFixed(1)}`
const median = (numbers: ReadonlyArray<number>) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
const missed: Array<string> = []
const judge = (name: string, good: boolean, line: string) => {
  if (!good) missed.push(name)
  say(`${name}: ${line} [${good ? "reached" : "MISSED"}]`)
}
const percent = (ratio: number) => `${(ratio * 100).toFixed(0)} %`

const here = fileURLToPath(new URL("../../../", import.meta.url))
const bundle = async () => {
  await build({
    absWorkingDir: here,
    entryPoints: Object.fromEntries(queues.map(({ module }) => [module, `test/bench/queue/${module}.ts`])),
    outdir: "dist/bench/queue",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    packages: "external",
    logLevel: "warning"
  })
}

/** Each queue in a database of its own, made the way its package makes it. */
const stand = async (server: Server, queue: (typeof queues)[number]): Promise<Stand> => {
  const admin = new Pg.Client({ connectionString: server.url })
  await admin.connect()
  await admin.query(`create database bench_${queue.module.toLowerCase()}`)
  await admin.end()
  const url = server.url.replace(/\/postgres$/, `/bench_${queue.module.toLowerCase()}`)
  const prepared = await queue.prepare(url)
  const db = new Pg.Client({ connectionString: url })
  await db.connect()
  const pid = Number(readFileSync(join(server.directory, "data", "postmaster.pid"), "utf8").split("\n")[0])
  return { queue, url, db, prepared, server: pid, module: `${here}dist/bench/queue/${queue.module}.mjs` }
}

const drains = async (stands: ReadonlyArray<Stand>, processes: number) => {
  const results = new Map<string, Array<Drained>>(stands.map(({ queue }) => [queue.name, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const one of stands) {
      const result = await drain(one, jobs, processes)
      results.get(one.queue.name)?.push(result)
      say(
        `  ${one.queue.name}: ${result.perSecond.toFixed(0)} jobs/s, CPU a job ${
          result.client.toFixed(0)
        } us here and ` +
          `${result.server.toFixed(0)} us in the server${
            result.ran === jobs ? "" : `, ran ${result.ran} jobs`
          } (round ${round}, ${load()})`
      )
    }
  }
  const rate = (name: string) => median((results.get(name) ?? []).map(({ perSecond }) => perSecond))
  const ratio = (name: string) => rate(name) / rate(limit.name)
  const fastest = Math.max(...peers.map(({ name }) => ratio(name)).filter((one) => !Number.isNaN(one)))
  const others = peers.map(({ name }) => `${name} ${percent(ratio(name))}`).join(", ")
  judge(
    `drained by ${processes} ${processes === 1 ? "process" : "processes"}`,
    ratio(ours.name) >= fastest,
    `holdfast ${rate(ours.name).toFixed(0)} jobs/s, ${
      percent(ratio(ours.name))
    } of the hand-written loop; ${others}; aim: ahead of both`
  )
}

/** The first jobs of a worker, and those of a turn, find cold code on both sides, and young plans. They do not count. */
const first = { ofWorker: 50, ofTurn: 5 }

/** What a job may start later than with the better peer: nobody feels a millisecond, and plainer code is worth it. */
const mostBehind = 1.3

/** Short turns, so that the machine is as fast or as slow for one queue as for the next. */
const ofTurn = 15

const idle = async (stands: ReadonlyArray<Stand>) => {
  const standing: Array<{ readonly name: string; readonly worker: IdleWorker; readonly starts: Array<Start> }> = []
  for (const one of stands) standing.push({ name: one.queue.name, worker: await idleWorker(one), starts: [] })
  for (const { worker } of standing) await worker.starts(first.ofWorker)
  while (standing.some(({ starts }) => starts.length < Number(flags.starts))) {
    for (const { starts, worker } of standing) {
      await worker.starts(first.ofTurn)
      starts.push(...await worker.starts(ofTurn))
    }
  }
  for (const { worker } of standing) await worker.end()
  const startsOf = new Map(standing.map((one) => [one.name, one.starts]))
  const p50 = (name: string) => median((startsOf.get(name) ?? []).map(({ fromCall }) => fromCall))
  const mine = startsOf.get(ours.name) ?? []
  const outside = median(mine.map(({ fromOutside }) => fromOutside))
  const best = Math.min(...peers.map(({ name }) => p50(name)).filter((wait) => !Number.isNaN(wait)))
  judge(
    "from enqueue to start",
    p50(ours.name) <= best * mostBehind,
    `${
      stands.map(({ queue }) => `${queue.name} ${p50(queue.name).toFixed(2)} ms`).join(", ")
    } (median of ${mine.length}, ${load()}); ${
      outside.toFixed(2)
    } ms where a fiber is made for each call; aim: ${mostBehind} times the better peer's`
  )
}

const stores = async (server: Server) => {
  const admin = new Pg.Client({ connectionString: server.url })
  await admin.connect()
  await admin.query("create database bench_persisting")
  await admin.end()
  const url = server.url.replace(/\/postgres$/, "/bench_persisting")
  const results = await Effect.runPromise(persisting(url, rounds, Number(flags.rows)))
  const ours = median(results.map((one) => one.ours))
  const plain = median(results.map((one) => one.plain))
  judge(
    "persisted chunks of 1,024 dimensions",
    ours / plain >= 0.6,
    `holdfast ${ours.toFixed(0)} rows/s, plain multi-row inserts ${plain.toFixed(0)} rows/s, ${
      percent(ours / plain)
    } (${load()}); aim 60 %`
  )
}

const server = await startServer(["-c", "fsync=on", "-c", "full_page_writes=on", "-c", "shared_buffers=128MB"])
try {
  await bundle()
  say(`${jobs} jobs, ${rounds} rounds, Node ${process.version}, ${load()}`)
  const stands: Array<Stand> = []
  for (const queue of chosen) stands.push(await stand(server, queue))
  if (parts.has("drain")) {
    for (const processes of flags.processes.split(",")) await drains(stands, Number(processes))
  }
  if (parts.has("start")) await idle(stands)
  if (parts.has("persist")) await stores(server)
  for (const { db, prepared } of stands) {
    await db.end()
    await prepared.close()
  }
} finally {
  await server.remove()
}
if (missed.length > 0) {
  say(`missed: ${missed.join(", ")}`)
  exit(1)
}
exit(0)
