import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Surroundings } from "../../domain/job/WaitReason.js"
import { WorkerLock } from "../../domain/lease/WorkerLock.js"
import { Gates } from "../../domain/session/Gates.js"

/** What holds for every job now: closed gates, cooling providers, living workers, the time. */
export const around = Effect.gen(function*() {
  const gates = yield* Gates
  return {
    gates: yield* gates.closed,
    cooldowns: yield* gates.cooling,
    workers: Option.some(yield* (yield* WorkerLock).living),
    now: yield* DateTime.now
  } satisfies Surroundings
})
