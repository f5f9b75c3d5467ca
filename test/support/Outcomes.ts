import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { userMessage } from "../../src/domain/failure/UserMessage.js"
import type { Failure } from "../../src/domain/failure/Failure.js"
import type { NewError } from "../../src/domain/job/Job.js"
import { Outcome } from "../../src/domain/job/Outcome.js"
import type { GateReason, GateRef } from "../../src/domain/session/Gate.js"

/** Ends of attempts, with the error that a failure is stored as. */

export const errorOf = (failure: Failure): NewError => ({
  tag: failure._tag,
  message: userMessage(failure),
  detail: failure.detail
})

export const retried = (failure: Failure, delay: Duration.Duration): Outcome =>
  Outcome.Retried({ error: errorOf(failure), report: "on-exhaustion", delay })

export const halted = (failure: Failure): Outcome => Outcome.Halted({ error: errorOf(failure), report: "report" })

export const cooled = (failure: Failure, delay: Duration.Duration, refunded: boolean): Outcome =>
  Outcome.Cooled({ error: errorOf(failure), delay, refunded, provider: failure.provider })

/** Well, and whole. */
export const completed = Outcome.Completed({ output: null, partial: false })

/** Behind a gate that only a person opens. */
export const parked = (failure: Failure, gate: GateRef, reason: GateReason): Outcome =>
  Outcome.Parked({ error: errorOf(failure), gate, reason, until: Option.none() })
