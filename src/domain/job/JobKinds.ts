import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Tenant } from "../store/Tenant.js"
import type { Claimable } from "../lease/Wanted.js"
import type { Outcome } from "./Outcome.js"
import type { HandlerFailure, Run } from "./Run.js"

/** A kind whose handler is at hand: what a worker needs to run its jobs. */
export interface RunnableKind extends Claimable {
  /** Of one attempt; undefined for no limit but the one on progress. */
  readonly timeLimit: Duration.Duration | undefined
  /**
   * The services of whoever registered it: a worker begins each job's fiber with them, and with the job's tenant. To provide them in
   * the fiber instead takes 15 us more of each job (`npm run bench:queue`).
   */
  readonly services: Context.Context<never>
  /** Reads the payload, runs the handler, and answers its output as JSON in a Completed. */
  readonly handle: (run: Run) => Effect.Effect<Outcome, HandlerFailure, Tenant>
}

/** A handler, with the services that it needs beside its tenant. */
export const served = <R>(
  services: Context.Context<Exclude<R, Tenant>>,
  handle: (run: Run) => Effect.Effect<Outcome, HandlerFailure, R>
): Pick<RunnableKind, "handle" | "services"> => ({
  services: services as Context.Context<never>, // whatever they are
  handle: handle as RunnableKind["handle"] // all that R names beside Tenant is in the services
})

/** The kinds that this process can run: its workers claim no others. */
export class JobKinds extends Context.Tag("holdfast/JobKinds")<JobKinds, {
  /** Two handlers for one kind are a defect. */
  readonly register: (kind: RunnableKind) => Effect.Effect<void>
  readonly all: Effect.Effect<ReadonlyArray<RunnableKind>>
}>() {
  /** An empty registry, for the layers of kinds to fill. */
  static readonly layer: Layer.Layer<JobKinds> = Layer.sync(JobKinds, () => {
    const kinds = new Map<string, RunnableKind>()
    return JobKinds.of({
      register: (kind) =>
        kinds.has(kind.kind)
          ? Effect.dieMessage(`Two handlers are given for jobs of kind "${kind.kind}".`)
          : Effect.sync(() => void kinds.set(kind.kind, kind)),
      all: Effect.sync(() => [...kinds.values()])
    })
  })
}
