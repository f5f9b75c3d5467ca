import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Failure } from "./Failure.js"

/** Something that a person in charge should know, once. */
export interface Incident {
  readonly failure: Failure
  /** What was being done, e.g. `index catalog github`. */
  readonly work: string
  readonly message: string
}

/** Where incidents go. Without another one they are logged as errors. */
export class Reporter extends Context.Reference<Reporter>()("holdfast/Reporter", {
  defaultValue: () => ({
    report: (incident: Incident): Effect.Effect<void> =>
      Effect.logError(incident.message).pipe(
        Effect.annotateLogs({
          work: incident.work,
          failure: incident.failure._tag,
          provider: incident.failure.provider,
          detail: incident.failure.detail
        })
      )
  })
}) {}
