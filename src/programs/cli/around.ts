import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Surroundings } from "../../domain/job/WaitReason.js"
import { Gates } from "../../domain/session/Gates.js"

/** What holds for every job now: closed gates, cooling providers, the time. */
export const around = Effect.gen(function*() {
  const gates = yield* Gates
  return {
    gates: yield* gates.closed,
    cooldowns: yield* gates.cooling,
    now: yield* DateTime.now
  } satisfies Surroundings
})
