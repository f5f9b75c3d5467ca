import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as Pg from "pg"
import { PreparedStatements } from "./Prepared.js"
import * as SessionSettings from "./SessionSettings.js"

type Callback = (error: unknown, result?: unknown) => void

/** The driver takes a statement as its text, or as an object that holds it. */
const isCommit = (query: unknown): boolean =>
  query === "COMMIT" || Predicate.hasProperty(query, "text") && query.text === "COMMIT"

interface Starting {
  readonly getStartupConf: () => Readonly<Record<string, string>>
}

const commandOf = (result: unknown): unknown => Predicate.hasProperty(result, "command") ? result.command : undefined

/** What the server says instead of an error when COMMIT ends a transaction in which a statement had failed. */
export const rolledBack = () =>
  Object.assign(new Error("the transaction was rolled back, because a statement in it had failed"), { code: "25P02" })

/** An interrupted statement that had waited for longer than this makes the server suspect. Milliseconds. */
const soon = 1000

/**
 * A connection that keeps two promises the driver does not: a statement without an answer in time, or nobody to hear it, takes its
 * connection with it, so that no dead connection returns to the pool, and says so by the event `silent`; and a COMMIT that rolled back
 * is an error. On the server itself it prepares the statements that are marked. Its session has our settings, not those of the role
 * or the database.
 */
export class BoundedConnection extends Pg.Client {
  #prepared: PreparedStatements | undefined
  readonly #statementTimeout: Duration.Duration
  /** How many statements are under way, and when the last one was sent. */
  #underWay = 0
  #sentAt = 0

  /** `statementTimeout` bounds each statement on the server, where the server can be told. */
  constructor(config: Pg.ClientConfig & { readonly statementTimeout?: Duration.Duration } = {}) {
    super(config)
    this.#statementTimeout = config.statementTimeout ?? Duration.minutes(1)
  }

  /** The driver's own method, which its types leave out: what is sent when connecting. */
  getStartupConf(): Readonly<Record<string, string>> {
    const driver: unknown = Pg.Client.prototype
    return { ...(driver as Starting).getStartupConf.call(this), ...SessionSettings.startup } // see the method above
  }

  /** Gives the session our settings, and finds out whether a pooler stands between. */
  async greet(): Promise<void> {
    const told: unknown = Predicate.hasProperty(this, "processID") ? this.processID : undefined // not in its types
    const processId = typeof told === "number" ? told : 0
    const greeting = SessionSettings.greeting(processId, this.#statementTimeout)
    const query: unknown = super.query
    const answer: unknown = await (query as (text: string) => Promise<unknown>).call(this, greeting) // one of its overloads
    const rows = Predicate.hasProperty(answer, "rows") && Array.isArray(answer.rows) ? answer.rows : []
    this.answeredBy(rows[0]?.pid)
  }

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
    const pass = (args: ReadonlyArray<unknown>) =>
      (query as (...args: ReadonlyArray<unknown>) => never).apply(this, [...args]) // any of the overloads
    const last = args.at(-1)
    if (typeof last !== "function") return pass(args)
    const [given, ...values] = args.slice(0, -1)
    const text = given === "BEGIN"
      ? SessionSettings.begin(this.#prepared !== undefined, this.#statementTimeout)
      : given
    const told = this.#counted(last as Callback) // the driver calls it as one
    const name = this.#prepared?.nameOf(text)
    return name === undefined
      ? pass([text, ...values, this.#watch(isCommit(text), told)])
      : pass([{ name, text }, ...values, this.#watchPrepared(told)])
  }

  #counted(told: Callback): Callback {
    this.#underWay++
    this.#sentAt = performance.now()
    return (error, result) => {
      this.#underWay--
      told(error, result)
    }
  }

  /**
   * It returns to the pool. Where an interrupted statement is still under way it ends instead: the next one would wait behind it, and
   * on a dead connection for the whole limit of a statement.
   */
  returned(): void {
    if (this.#underWay === 0) return
    void this.end()
    if (performance.now() - this.#sentAt > soon) this.emit("silent")
  }

  #watch(commit: boolean, callback: Callback): Callback {
    return (error, result) => {
      if (error instanceof Error && error.message === "Query read timeout") this.cut(error)
      return commit && !error && commandOf(result) === "ROLLBACK" ? callback(rolledBack()) : callback(error, result)
    }
  }

  /** Frees what the server keeps of stale statements, before whoever hears of the failure sends the next one. */
  #watchPrepared(callback: Callback): Callback {
    const watched = this.#watch(false, callback)
    return (error, result) => {
      if (this.#prepared?.ended(error) === true) super.query("deallocate all", () => {})
      watched(error, result)
    }
  }

  /** Breaks a connection that fell silent, without waiting for the server. */
  cut(error: Error): void {
    const inner = this as unknown as { readonly connection?: { readonly stream?: { destroy(error: Error): void } } } // not in its types
    inner.connection?.stream?.destroy(error)
    this.emit("silent")
  }
}
