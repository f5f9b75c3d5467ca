import * as Predicate from "effect/Predicate"
import * as Pg from "pg"
import { PreparedStatements } from "./Prepared.js"

type Callback = (error: unknown, result?: unknown) => void

/** The driver takes a statement as its text, or as an object that holds it. */
const isCommit = (query: unknown): boolean =>
  query === "COMMIT" || Predicate.hasProperty(query, "text") && query.text === "COMMIT"

const isEmpty = (values: unknown): boolean => !Array.isArray(values) || values.length === 0

const commandOf = (result: unknown): unknown => Predicate.hasProperty(result, "command") ? result.command : undefined

/** What the server says instead of an error when COMMIT ends a transaction in which a statement had failed. */
export const rolledBack = () =>
  Object.assign(new Error("the transaction was rolled back, because a statement in it had failed"), { code: "25P02" })

/**
 * A connection that keeps two promises the driver does not: a statement without an answer in time takes its connection with
 * it, so that no dead connection returns to the pool, and says so by the event `silent`; and a COMMIT that rolled back is an
 * error. On the server itself it prepares the statements that are marked.
 */
export class BoundedConnection extends Pg.Client {
  #prepared: PreparedStatements | undefined

  /**
   * The process that answers statements. Where it is the one that took the connection, nothing stands between that could hand
   * the next statement to another one, which has prepared nothing.
   */
  answeredBy(pid: unknown): void {
    const told: unknown = Predicate.hasProperty(this, "processID") ? this.processID : undefined // not in its types
    this.#prepared = typeof pid === "number" && pid === told ? new PreparedStatements() : undefined
  }

  /** The driver's method has a dozen overloads; this one passes its arguments on and watches the callback. */
  override query(...args: ReadonlyArray<unknown>): never {
    const query: unknown = super.query
    const send = (args: ReadonlyArray<unknown>) =>
      (query as (...args: ReadonlyArray<unknown>) => never).apply(this, [...args]) // any of the overloads
    const last = args.at(-1)
    if (typeof last !== "function") return send(args)
    const [text, ...values] = args.slice(0, -1)
    const watched = this.#watch(isCommit(text), last as Callback) // the driver calls it as a Callback
    const prepared = this.#prepared
    const name = prepared?.nameOf(text)
    if (prepared === undefined || name === undefined && isEmpty(values[0])) return send([text, ...values, watched])
    const statement = name === undefined
      ? [text, ...values, watched]
      : [{ name, text }, ...values, this.#time(prepared, watched)]
    const ahead = prepared.ahead(name !== undefined)
    if (ahead === undefined) return send(statement)
    return send([ahead, (error: unknown) => {
      if (Predicate.isNullable(error)) return send(statement)
      prepared.takenBack()
      return watched(error)
    }])
  }

  #time(prepared: PreparedStatements, callback: Callback): Callback {
    const began = performance.now()
    return (error, result) => {
      prepared.ended(error, began, performance.now())
      callback(error, result)
    }
  }

  #watch(commit: boolean, callback: Callback): Callback {
    return (error, result) => {
      if (error instanceof Error && error.message === "Query read timeout") this.#cut(error)
      const back = !error && commandOf(result) === "ROLLBACK"
      if (back) this.#prepared?.takenBack()
      return commit && back ? callback(rolledBack()) : callback(error, result)
    }
  }

  #cut(error: Error) {
    const inner = this as unknown as { readonly connection?: { readonly stream?: { destroy(error: Error): void } } } // not in its types
    inner.connection?.stream?.destroy(error)
    this.emit("silent")
  }
}
