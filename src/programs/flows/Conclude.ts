import * as Effect from "effect/Effect"
import * as Match from "effect/Match"
import { consequence } from "../../domain/failure/Consequence.js"
import type { Failure } from "../../domain/failure/Failure.js"
import { Reporter } from "../../domain/failure/Reporter.js"
import { Work } from "../../domain/failure/Work.js"
import type { Held } from "../../domain/job/JobQueue.js"
import type { Outcome } from "../../domain/job/Outcome.js"
import { Gates } from "../../domain/session/Gates.js"
import { patiently } from "./PatientStore.js"
import type { Settle } from "./Settle.js"

const workOf = (held: Held) => `index ${held.job.source.kind} ${held.job.source.id}`

const report = Effect.fnUntraced(function*(held: Held, failure: Failure) {
  const reporter = yield* Reporter
  const { userMessage } = consequence(failure, Work.Request({ malformedTries: 0 }))
  yield* reporter.report({ failure, work: workOf(held), message: userMessage })
})

/** A halted job is reported unless its failure is one that people expect. */
const reportHalt = Effect.fnUntraced(function*(held: Held, failure: Failure) {
  const { report: wanted } = consequence(failure, Work.Request({ malformedTries: 0 }))
  if (wanted !== "expected") yield* report(held, failure)
})

/**
 * What the outcome means for everyone else on the provider, before the job itself is written. A gate that closes is reported by
 * whoever closed it, also where the failure itself is expected: somebody has to open it.
 */
const forOthers = (held: Held, outcome: Outcome) =>
  Effect.flatMap(Gates, (gates) =>
    Match.value(outcome).pipe(
      Match.tag("Parked", ({ failure, gate, reason, until }) =>
        Effect.flatMap(
          patiently(gates.close(gate, reason, until, failure.detail)),
          (first) => first ? report(held, failure) : Effect.void
        )),
      Match.orElse(() => Effect.void)
    ))

/**
 * Write how an attempt ended that is not plain, and what that means for everyone else. First the gate, so that nobody calls the
 * provider once more, then the job; a cooldown was told when the refusal was heard. A write that comes too late is refused by
 * the fence and changes nothing.
 */
export const conclude = Effect.fn("Conclude.conclude")(function*(settle: Settle, held: Held, outcome: Outcome) {
  yield* forOthers(held, outcome)
  const settled = yield* settle.alone(held, outcome)
  if (outcome._tag === "Retried" || outcome._tag === "Halted") {
    yield* Effect.logInfo(`Job ${held.job.id} is ${settled.status}`).pipe(
      Effect.annotateLogs({
        job: held.job.id,
        fence: held.fence,
        failure: outcome.failure._tag,
        detail: outcome.failure.detail
      })
    )
  }
  if (outcome._tag === "Halted") yield* reportHalt(held, outcome.failure)
})
