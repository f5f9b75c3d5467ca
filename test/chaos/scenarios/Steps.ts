import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import { text } from "node:stream/consumers"
import { GateRef } from "../../../src/domain/session/Gate.js"
import { Gates } from "../../../src/domain/session/Gates.js"
import { listen } from "../../support/LoopbackServer.js"
import { startServer } from "../../support/PostgresServer.js"
import { Arena, check, drained, eventually, since, world } from "../Arena.js"
import type { Scenario, World } from "../Arena.js"
import { Stepping, stepsOfAJob } from "../Stepping.js"
import type { Receipt } from "../Stepping.js"
import { anyBusy } from "../Workers.js"

interface Received extends Receipt {
  /** When it came, in milliseconds. */
  readonly at: number
}

/** Answers each call after a moment and keeps its receipt; while `isLocked`, nobody's key is good. */
const receiptServer = Effect.acquireRelease(
  Effect.promise(async () => {
    const state = { received: [] as Array<Received>, isLocked: false }
    const { close, url } = await listen({
      handle: async (request, response) => {
        const body = await text(request)
        if (state.isLocked) {
          response.writeHead(401).end()
          return
        }
        state.received.push({ ...JSON.parse(body), at: performance.timeOrigin + performance.now() })
        setTimeout(() => response.writeHead(200).end(), 15)
      }
    })
    return { state, close, url }
  }),
  ({ close }) => Effect.promise(close)
)

interface Finished {
  readonly job: string
  readonly name: string
  /** When its result was stored, in milliseconds. */
  readonly at: number
}

const finishedSteps = (here: World) =>
  here.sql<Finished>(
    "select job::text as job, name, extract(epoch from finished_at)::float8 * 1000 as at from holdfast.job_step"
  )

/** Ends a random worker by force every so often, and starts another. */
const kill = Effect.fnUntraced(function*(here: World, another: Effect.Effect<unknown>) {
  yield* Effect.sleep(yield* Random.nextIntBetween(700, 2000))
  const chosen = yield* anyBusy(here.workers)
  if (chosen === undefined) return 0
  yield* chosen.signal("SIGKILL")
  yield* another
  return 1
})

/** Stops a random worker for longer than its lease, and lets it go on. */
const sleep = Effect.fnUntraced(function*(here: World) {
  const chosen = yield* anyBusy(here.workers)
  if (chosen === undefined) return 0
  yield* chosen.signal("SIGSTOP")
  yield* Effect.ensuring(Effect.sleep("5 seconds"), chosen.signal("SIGCONT"))
  return 1
})

/**
 * A step whose result is stored is never run again, whatever becomes of its worker and of the database; the one that was under way
 * is run again under the same key.
 */
export const steps: Scenario = {
  name: "thirty steps",
  run: Effect.gen(function*() {
    const { long, note } = yield* Arena
    const receipts = yield* receiptServer
    const server = yield* Effect.acquireRelease(
      Effect.promise(() => startServer([])),
      (running) => Effect.promise(running.remove)
    )
    const here = yield* world({}, server)
    const jobs = long ? 400 : 80
    yield* here.within(Stepping.enqueueAll(Array.makeBy(jobs, (n) => ({ n }))))
    const scope = yield* Effect.scope
    const another = Effect.suspend(() =>
      here.worker(`worker-${here.workers.length}`, { lease_duration: "3s", workers: 4 }, 0, { receipts: receipts.url })
    ).pipe(Effect.provideService(Scope.Scope, scope))
    const start = yield* Clock.currentTimeMillis
    yield* Effect.replicateEffect(another, 3, { discard: true })
    const counts = { kills: 0, sleeps: 0 }
    const disturb = Effect.all([
      Effect.forever(Effect.map(kill(here, another), (more) => {
        counts.kills += more
      })),
      Effect.forever(Effect.map(Effect.delay(sleep(here), "2 seconds"), (more) => {
        counts.sleeps += more
      }))
    ], { concurrency: "unbounded", discard: true })
    const before = yield* Effect.forkScoped(disturb)
    const halfway = eventually(
      Effect.sync(() => receipts.state.received.length),
      (count) => count > jobs * stepsOfAJob / 4,
      120_000
    )
    yield* halfway
    receipts.state.isLocked = true
    const gate = GateRef.make({ kind: "provider", name: "receipts" })
    const parked = yield* eventually(
      here.within(Effect.flatMap(Gates, (gates) => gates.closed)),
      (closed) => closed.length > 0,
      30_000
    )
    // A call that was refused before closes the gate also after it was opened: all of them have to be over.
    yield* eventually(
      here.sql<{ readonly n: number }>("select count(*)::int as n from holdfast.job where status = 'running'"),
      ([running]) => running?.n === 0,
      30_000
    )
    note("the key is good again")
    receipts.state.isLocked = false
    yield* here.within(Effect.flatMap(Gates, (gates) => gates.open(gate)))
    yield* Effect.sleep("1 second")
    // A worker that finds no database at its start ends at once: nobody is killed, and replaced, meanwhile.
    yield* Fiber.interrupt(before)
    note("database is stopped")
    yield* Effect.promise(() => server.stop("immediate"))
    yield* Effect.sleep("1 second")
    yield* Effect.promise(server.start)
    note("database is up")
    const after = yield* Effect.forkScoped(disturb)
    const left = yield* drained(here, long ? 600_000 : 120_000)
    yield* Fiber.interrupt(after)
    const seconds = yield* since(start)
    const finished = yield* finishedSteps(here)
    const ended = yield* here.sql<{ readonly status: string; readonly sum: number; readonly n: number }>(
      "select status, (output ->> 'sum')::int as sum, (payload ->> 'n')::int as n from holdfast.job"
    )
    const byStep: Readonly<Record<string, ReadonlyArray<Received>>> = Array.groupBy(
      receipts.state.received,
      ({ job, step }) => `${job} ${step}`
    )
    // Both clocks are the machine's.
    const twice = finished.filter(({ at, job, name }) => byStep[`${job} ${name}`]?.some((one) => one.at > at) ?? false)
    const unheard = finished.filter(({ job, name }) => byStep[`${job} ${name}`] === undefined)
    const keys = Object.values(byStep).map((all) => new Set(all.map(({ idempotencyKey }) => idempotencyKey)).size)
    const again = receipts.state.received.length - Object.keys(byStep).length
    const right = ended.filter(({ n, status, sum }) =>
      status === "succeeded" && sum === stepsOfAJob * n + stepsOfAJob * (stepsOfAJob - 1) / 2
    )
    return {
      told:
        `${jobs} jobs of ${stepsOfAJob} steps in ${seconds} s, ${counts.kills} kills, ${counts.sleeps} sleeps, parked once, ` +
        `one database restart: ${finished.length} steps finished, ${twice.length} run after that, ${again} calls made again`,
      checks: [
        check("every job ends", left === 0),
        check("every job succeeded with the sum of its steps", right.length === jobs),
        check("every step is stored", finished.length === jobs * stepsOfAJob),
        check("no finished step is run again", twice.length === 0),
        check("every finished step was run", unheard.length === 0),
        check("a step that is run again has the key that it had", keys.every((count) => count === 1)),
        check(
          "no two steps have one key",
          new Set(receipts.state.received.map((one) => one.idempotencyKey)).size === Object.keys(byStep).length
        ),
        check("the work was parked", parked._tag === "Some"),
        check("killed at least three times", counts.kills >= 3)
      ]
    }
  })
}
