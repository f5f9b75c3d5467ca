import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type GateKind, GateRef } from "../../../src/domain/session/Gate.js"
import { Gates } from "../../../src/domain/session/Gates.js"
import { check, drained, eventually, since, sources, world } from "../Arena.js"
import type { Scenario } from "../Arena.js"
import { judge, told, whole } from "../Judge.js"
import * as Lines from "../Lines.js"
import { said } from "../Workers.js"

interface Lapse {
  readonly name: string
  /** The provider's answer with status 401. */
  readonly body: string
  readonly gate: GateKind
  readonly jobs: number
}

/** The provider lets nobody in any more, with hundreds of jobs in the queue, until a person mends it. */
const parked = ({ body, gate, jobs, name }: Lapse): Scenario => ({
  name,
  run: Effect.gen(function*() {
    const here = yield* world({ latency: 100 })
    const expected = sources(jobs, 2)
    yield* here.fill(expected)
    yield* Effect.forEach([0, 1, 2, 3], (n) => here.worker(`worker-${n}`, { "embedder.api_key": "the-key" }))
    yield* Effect.promise(() => here.embedder.until(({ calls }) => calls.length >= 20))
    const refused: Array<string> = []
    here.embedder.setFault(({ texts }) => {
      refused.push(...texts)
      return { kind: "answer", status: 401, body }
    })
    const { calls: before, inFlight } = here.embedder.seen()
    // Quiet for two polls: nobody calls any more.
    yield* Effect.sleep("3 seconds")
    const { calls: after } = here.embedder.seen()
    yield* Effect.sleep("3 seconds")
    const late = here.embedder.seen().calls.length - after.length
    const closed = yield* here.within(Effect.flatMap(Gates, (gates) => gates.closed))
    const reports = said(here.workers, Lines.reported)
    here.embedder.setFault(() => undefined)
    const opened = yield* Clock.currentTimeMillis
    yield* here.within(Effect.flatMap(Gates, (gates) => gates.open(GateRef.make({ kind: gate, name: "http" }))))
    const seen = yield* eventually(
      Effect.sync(() => here.embedder.seen().calls.length),
      (calls) => calls > after.length + late,
      30_000
    )
    const first = yield* since(opened)
    const left = yield* drained(here, 120_000)
    const judgement = yield* judge(here, expected)
    const failing = after.length - before.length
    const retried = refused.length - new Set(refused).size
    const slots = 4 * 2
    return {
      told: `${
        told(judgement)
      }; ${failing} calls refused with ${slots} jobs running (${inFlight} calls in flight), ${retried} texts tried again, ${late} calls later on, ${reports} report, first call ${first} s after the gate opened`,
      checks: [
        ...whole(judgement),
        check("every job ends", left === 0),
        check("one gate is closed", closed.map(({ ref }) => `${ref.kind} ${ref.name}`).join() === `${gate} http`),
        check(`at most ${slots} calls are refused`, failing <= slots),
        check("nothing is retried", retried === 0 && late === 0),
        check("it is reported once", reports === 1),
        check("work goes on within 5 s", Option.isSome(seen) && first <= 5)
      ]
    }
  })
})

/** The key of the provider is revoked: reported once. */
export const revokedKey = parked({
  name: "revoked key",
  body: "{\"error\":{\"code\":\"invalid_api_key\",\"message\":\"Incorrect API key\"}}",
  gate: "provider",
  jobs: 100
})

/** The login at our own back end lapses with a thousand jobs in the queue. */
export const expiredSession = parked({
  name: "expired session",
  body: "{\"success\":false,\"error\":\"Invalid token\"}",
  gate: "session",
  jobs: 1000
})
