import * as Predicate from "effect/Predicate"
import * as Pg from "pg"

type Callback = (error: unknown, result?: unknown) => void

/** The driver takes a statement as its text, or as an object that holds it. */
const isCommit = (query: unknown): boolean =>
  query === "COMMIT" || Predicate.hasProperty(query, "text") && query.text === "COMMIT"

const commandOf = (result: unknown): unknown => Predicate.hasProperty(result, "command") ? result.command : undefined

/** What the server says instead of an error when COMMIT ends a transaction in which a statement had failed. */
export const rolledBack = () =>
  Object.assign(new Error("the transaction was rolled back, because a statement in it had failed"), { code: "25P02" })

/**
 * A connection that keeps two promises the driver does not: a statement without an answer in time takes its connection with
 * it, so that no dead connection returns to the pool, and says so by the event `silent`; and a COMMIT that rolled back is an
 * error.
 */
export class BoundedConnection extends Pg.Client {
  /** The driver's method has a dozen overloads; this one passes its arguments on and watches the callback. */
  override query(...args: ReadonlyArray<unknown>): never {
    const last = args.at(-1)
    const watched = typeof last === "function"
      ? [...args.slice(0, -1), this.#watch(isCommit(args[0]), last as Callback)] // the driver calls it as a Callback
      : args
    const query: unknown = super.query
    return (query as (...args: ReadonlyArray<unknown>) => never).apply(this, [...watched]) // any of the overloads
  }

  #watch(commit: boolean, callback: Callback): Callback {
    return (error, result) => {
      if (error instanceof Error && error.message === "Query read timeout") this.#cut(error)
      return commit && !error && commandOf(result) === "ROLLBACK" ? callback(rolledBack()) : callback(error, result)
    }
  }

  #cut(error: Error) {
    const inner = this as unknown as { readonly connection?: { readonly stream?: { destroy(error: Error): void } } } // not in its types
    inner.connection?.stream?.destroy(error)
    this.emit("silent")
  }
}
