import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Something that a person in charge should know, once. */
export interface Incident {
  /** A failure's class, or what else it was: `bug`, `stalled`. */
  readonly tag: string
  /** What the provider said, or the program itself: scrubbed and bounded. */
  readonly detail: string
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
          failure: incident.tag,
          detail: incident.detail
        })
      )
  })
}) {}
