// @effect-diagnostics globalDate:off -- the provider's own clock, which is right
import * as Effect from "effect/Effect"
import { Arena, check, drained, sources, world } from "../Arena.js"
import type { Scenario } from "../Arena.js"
import { judge, told, whole } from "../Judge.js"

const off = 10 * 60 * 1000

/** The clocks of two workers are ten minutes slow, those of two ten minutes fast; a rate limit names a date on the way. */
export const clocks: Scenario = {
  name: "wrong clocks",
  run: Effect.gen(function*() {
    const { long } = yield* Arena
    const here = yield* world({ latency: 50 })
    const expected = sources(long ? 400 : 40, 12)
    yield* here.put(expected)
    const settings = { lease_duration: "3s" }
    yield* Effect.forEach([-off, off, -off, off], (shift, n) => here.worker(`worker-${n}`, settings, shift))
    let limited = 0
    here.embedder.setFault(({ number }) => {
      if (number % 40 !== 0 || limited >= 4) return undefined
      limited += 1
      return {
        kind: "answer",
        status: 429,
        headers: { "retry-after": new Date(Date.now() + 1500).toUTCString() },
        body: "{\"detail\":\"Too many requests\"}"
      }
    })
    const left = yield* drained(here, long ? 300_000 : 90_000)
    const judgement = yield* judge(here, expected)
    const refusedOnce = limited * 4
    return {
      told: `${
        told(judgement)
      }, all of them in ${limited} rate-limited calls; at most ${judgement.mostAttempts} attempt charged`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("no attempt is charged", judgement.mostAttempts === 1),
        check("nothing served is embedded again", judgement.again <= refusedOnce)
      ]
    }
  })
}
