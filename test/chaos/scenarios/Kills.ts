import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import { Arena, check, drained, eventually, open, since, sources, usual, world } from "../Arena.js"
import type { Expected, Scenario, World } from "../Arena.js"
import { judge, told, whole } from "../Judge.js"
import { anyBusy } from "../Workers.js"
import type { Worker } from "../Workers.js"

const batch = 2
/** Fewer than a process has lanes: a kill costs the calls under way and the answers that are not stored yet, not every lane. */
const slots = usual.workers * (usual["embedder.concurrency"] + 1)

const backlog = 40

/** Enqueues tiny sources as the workers finish them. */
const enqueue = Effect.fnUntraced(function*(here: World, expected: ReadonlyArray<Expected>) {
  for (const some of Array.chunksOf(expected, 2 * backlog)) {
    // On a slow machine a job may meet five kills: that it then fails is right, and not what is looked at here.
    yield* here.fill(some, 20)
    yield* eventually(open(here), (left) => left <= backlog, Infinity)
  }
})

/** Kills a random worker among those that have done something, and starts another in its place. */
const strike = Effect.fnUntraced(function*(here: World, start: Effect.Effect<Worker, never, never>) {
  yield* Effect.sleep(yield* Random.nextIntBetween(500, 2000))
  const chosen = yield* anyBusy(here.workers)
  if (chosen === undefined) return 0
  yield* chosen.signal("SIGKILL")
  yield* start
  return 1
})

/** A random worker is killed every half to two seconds and replaced, until all jobs are done. */
export const kills: Scenario = {
  name: "kill -9",
  run: Effect.gen(function*() {
    const { long } = yield* Arena
    const jobs = long ? 10_000 : 600
    const here = yield* world({ latency: 10 })
    const scope = yield* Effect.scope
    const another = Effect.suspend(() => here.worker(`worker-${here.workers.length}`, { batch_size: batch })).pipe(
      Effect.provideService(Scope.Scope, scope)
    )
    const start = yield* Clock.currentTimeMillis
    yield* Effect.replicateEffect(another, 4, { discard: true })
    let killed = 0
    const killer = yield* strike(here, another).pipe(
      Effect.map((more) => {
        killed += more
      }),
      Effect.forever,
      Effect.forkScoped
    )
    const expected = sources(jobs, 2)
    yield* enqueue(here, expected)
    const left = yield* drained(here, 60_000)
    yield* Fiber.interrupt(killer)
    const seconds = yield* since(start)
    const judgement = yield* judge(here, expected)
    const bound = killed * batch * slots
    return {
      told: `${
        told(judgement)
      } of at most ${bound} (${killed} kills x ${batch} x ${slots}); ${seconds} s, at most ${judgement.mostCrashes} crashes of a job`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("killed at least five times", killed >= 5),
        check(`at most ${bound} texts are embedded again`, judgement.again <= bound)
      ]
    }
  })
}
