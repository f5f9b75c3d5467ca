import * as Effect from "effect/Effect"
import { Reporter } from "../../../domain/failure/Reporter.js"
import type { NewError } from "../../../domain/job/Job.js"
import type { Held, Settled } from "../../../domain/job/JobQueue.js"
import type { Outcome } from "../../../domain/job/Outcome.js"
import { Pacer, unpaced } from "../../../domain/retry/Pacer.js"
import { Gates } from "../../../domain/session/Gates.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { patiently } from "./PatientStore.js"
import type { Settle } from "./Settle.js"

const report = ({ job: { key, kind } }: Held, { detail, message, tag }: NewError) =>
  Effect.flatMap(Reporter, (reporter) => reporter.report({ tag, detail, message, work: `${kind} ${key}` }))

/**
 * What the outcome means for everyone else on the provider, before the job itself is written. A gate that closes is reported by
 * whoever closed it, also where the failure itself is expected: somebody has to open it.
 */
const forOthers = Effect.fnUntraced(function*(held: Held, outcome: Outcome) {
  if (outcome._tag === "Cooled" && outcome.provider !== null) {
    yield* patiently((yield* Pacer).throttled(outcome.provider, unpaced, outcome.delay))
  }
  if (outcome._tag !== "Parked") return
  const { error, gate, reason, until } = outcome
  const gates = yield* Gates
  if (yield* patiently(gates.close(gate, reason, until, error.detail))) yield* report(held, error)
}, (telling, held) => Effect.provideService(telling, Tenant, held.tenant))

/** Whether a person in charge hears of it, as the failure's consequence has decided. */
const isReported = (outcome: Outcome, { status }: Settled): outcome is Extract<Outcome, { readonly report: unknown }> =>
  (outcome._tag === "Halted" || outcome._tag === "Retried") &&
  (outcome.report === "on-exhaustion" ? status === "failed" : outcome.report !== "expected")

/**
 * Write how an attempt ended that is not plain, and what that means for everyone else. First the gate, so that nobody calls the
 * provider once more, then the job. A write that comes too late is refused by the fence and changes nothing.
 */
export const conclude = Effect.fn("Conclude.conclude")(function*(settle: Settle, held: Held, outcome: Outcome) {
  yield* forOthers(held, outcome)
  const settled = yield* settle.alone(held, outcome)
  if (outcome._tag === "Retried" || outcome._tag === "Halted") {
    yield* Effect.logInfo(`Job ${held.job.id} is ${settled.status}`).pipe(
      Effect.annotateLogs({
        job: held.job.id,
        fence: held.fence,
        failure: outcome.error.tag,
        detail: outcome.error.detail
      })
    )
  }
  if (isReported(outcome, settled)) yield* report(held, outcome.error)
})
