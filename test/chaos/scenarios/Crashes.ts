import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { check, eventually, sources, world } from "../Arena.js"
import type { Scenario } from "../Arena.js"

interface JobRow {
  readonly status: string
  readonly crashes: number
  readonly fence: number
  readonly pid: number | null
  readonly message: string | null
}

/** A job whose worker is killed every time: taken over each time within two seconds, and given up at the fifth. */
export const crashes: Scenario = {
  name: "five crashes",
  run: Effect.gen(function*() {
    const here = yield* world()
    here.embedder.setFault(() => ({ kind: "hang" }))
    yield* here.put(sources(1, 2))
    const scope = yield* Effect.scope
    const another = Effect.suspend(() => here.worker(`worker-${here.workers.length}`)).pipe(
      Effect.provideService(Scope.Scope, scope)
    )
    const job = Effect.map(
      here.sql<JobRow>(
        `select job.status, job.crashes, job.fence::int as fence, worker.pid, job.last_error ->> 'message' as message
        from holdfast.job_all as job left join holdfast.worker on worker.id = job.worker`
      ),
      ([row]): JobRow => row ?? { status: "", crashes: 0, fence: 0, pid: null, message: null }
    )
    /** How many workers stand by, at work on nothing. */
    const registered = Effect.map(
      here.sql<{ readonly pid: number }>("select pid from holdfast.worker"),
      (rows) => rows.filter(({ pid }) => here.workers.some((worker) => worker.pid === pid && worker.isAlive())).length
    )
    yield* Effect.replicateEffect(another, 2, { discard: true })
    const takeovers: Array<number> = []
    for (let round = 1; round <= 5; round++) {
      yield* eventually(registered, (count) => count >= 2, 30_000)
      const running = yield* eventually(job, ({ pid, status }) => status === "running" && pid !== null, 30_000)
      if (Option.isNone(running)) break
      const { fence, pid } = running.value
      // Its call is under way: the crash comes in the midst of the work.
      yield* Effect.promise(() => here.embedder.until(({ calls }) => calls.length >= round))
      const killed = yield* Clock.currentTimeMillis
      yield* here.workers.find((worker) => worker.pid === pid)?.signal("SIGKILL") ?? Effect.void
      yield* eventually(job, (now) => now.fence !== fence || now.status === "failed", 30_000)
      takeovers.push((yield* Clock.currentTimeMillis) - killed)
      yield* another
    }
    const ended = yield* eventually(job, ({ status }) => status === "failed", 10_000)
    const message = Option.match(ended, { onNone: () => "", onSome: ({ message }) => message ?? "" })
    const slowest = Math.max(...takeovers)
    return {
      told: `${Option.isSome(ended) ? "failed" : "not failed"} with "${message}", takeovers after ${
        takeovers.join(", ")
      } ms`,
      checks: [
        check("the job is failed", Option.isSome(ended)),
        check("its error says that the worker died 5 times", message.startsWith("The worker died 5 times")),
        check("taken over within 2 s", takeovers.length === 5 && slowest <= 2000)
      ]
    }
  })
}
