import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { Arena, check, drained, sources, world } from "../Arena.js"
import type { Scenario } from "../Arena.js"
import { judge, told, whole } from "../Judge.js"
import type { Worker } from "../Workers.js"

/** Workers are asked to end, one after another and each in the midst of its jobs, as a rolling deployment does. */
export const rolling: Scenario = {
  name: "rolling SIGTERM",
  run: Effect.gen(function*() {
    const { long } = yield* Arena
    const here = yield* world({ latency: 200 })
    const expected = sources(long ? 200 : 24, 30)
    yield* here.put(expected)
    const scope = yield* Effect.scope
    const another = Effect.suspend(() => here.worker(`worker-${here.workers.length}`)).pipe(
      Effect.provideService(Scope.Scope, scope)
    )
    const roll = Effect.fnUntraced(function*(worker: Worker) {
      const running = here.sql<{ readonly running: number }>(
        `select count(*)::int as running from holdfast.job_all as job join holdfast.worker on worker.id = job.worker
        where job.status = 'running' and worker.pid = $1`,
        [worker.pid]
      )
      while (((yield* running)[0]?.running ?? 0) === 0) yield* Effect.sleep("20 millis")
      yield* Effect.sleep("300 millis")
      yield* another
      yield* worker.signal("SIGTERM")
      return yield* worker.ended
    })
    yield* Effect.replicateEffect(another, 3, { discard: true })
    const ends = yield* Effect.forEach([...here.workers], roll)
    const left = yield* drained(here, 120_000)
    const judgement = yield* judge(here, expected)
    const clean = ends.filter(({ code }) => code === 0).length
    return {
      told: `${
        told(judgement)
      }; at most ${judgement.mostAttempts} attempt charged, ${clean} of ${ends.length} ended with 0`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("no attempt is charged", judgement.mostAttempts === 1),
        check("nothing is embedded again", judgement.again === 0),
        check("each worker ends with 0", clean === ends.length)
      ]
    }
  })
}
