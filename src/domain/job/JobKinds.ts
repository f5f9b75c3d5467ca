import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Tenant } from "../store/Tenant.js"
import type { Claimable } from "../lease/Wanted.js"
import type { Outcome } from "./Outcome.js"
import type { HandlerFailure, Run } from "./Run.js"

/** A kind whose handler is at hand: what a worker needs to run its jobs. */
export interface RunnableKind extends Claimable {
  /** Of one attempt; undefined for no limit but the one on progress. */
  readonly timeLimit: Duration.Duration | undefined
  /** Reads the payload, runs the handler for the tenant of the job, and answers its output as JSON in a Completed. */
  readonly handle: (run: Run) => Effect.Effect<Outcome, HandlerFailure>
}

/**
 * A handler with the services of whoever registered it, for the tenant of its job. The jobs of a worker begin with the same context
 * and mostly have the same tenant, so that the last mixture is kept: making it copies a map of all services.
 */
export const handledIn = <R>(
  context: Context.Context<Exclude<R, Tenant>>
): <A, E>(tenant: string, handling: Effect.Effect<A, E, R>) => Effect.Effect<A, E> => {
  let last: { readonly tenant: string; readonly worker: object; readonly mixed: Context.Context<R> } | undefined
  const mixed = (tenant: string, worker: Context.Context<never>) => {
    if (last?.tenant !== tenant || last.worker !== worker) {
      // All that R names is in it.
      const made = Context.add(Context.merge(worker, context), Tenant, tenant) as Context.Context<R>
      last = { tenant, worker, mixed: made }
    }
    return last.mixed
  }
  return (tenant, handling) =>
    Effect.mapInputContext(handling, (worker: Context.Context<never>) => mixed(tenant, worker))
}

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
