import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Statement from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import type { RuntimeFiber } from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import * as Tracer from "effect/Tracer"
import type { StoreFailure } from "../../domain/store/StoreFailure.js"
import * as SqlFailure from "./SqlFailure.js"
import type { Names } from "./Tables.js"

/**
 * Statements whose text never changes: built and compiled once a schema, and then sent with as little as possible between their caller
 * and the driver. A job that is to start at once waits for its enqueue and its claim, and to build the text, a span and a scope
 * each time takes longer than the server does. Where a tracer is set, each run makes the span that other statements make.
 */

/** Hears how a statement ended. */
export type Told<Row, E> = (answer: Exit.Exit<ReadonlyArray<Row>, E>) => void

/** Sends a statement before it returns, and tells how it ended; the rows come as the driver gives them, who keeps the values. */
export type Send = <Row>(text: string, values: Array<unknown>, told: Told<Row, SqlError>) => void

const key = Symbol("holdfast/FixedStatement/Send")

type Sending = SqlClient.SqlClient & { readonly [key]?: Send }

/** The client, which knows the shortest way to its pool. */
export const withSend = <Client extends SqlClient.SqlClient>(client: Client, send: Send): Client =>
  Object.assign(client, { [key]: send })

const path = Symbol("holdfast/FixedStatement/path")

type Path = ReadonlyArray<string>

/**
 * Stands for a given value while the statement is compiled; its members stand for those of the value. Symbols ask what it is,
 * and find its path alone.
 */
const placeOf = (at: Path): object =>
  new Proxy({ [path]: at }, {
    get: (place, name) => typeof name === "symbol" ? Reflect.get(place, name) : placeOf([...at, name])
  })

const pathOf = (param: unknown): Path | undefined =>
  Predicate.hasProperty(param, path) ? param[path] as Path : undefined // only `placeOf` makes them

const found = (given: unknown, at: Path): unknown =>
  at.reduce<unknown>((value, name) => Predicate.hasProperty(value, name) ? value[name] : undefined, given)

interface Compiled {
  readonly text: string
  readonly values: (given: unknown) => Array<unknown>
}

/** A value that the statement names more than once is sent once. */
const compile = (statement: Statement.Statement<unknown>): Compiled => {
  const [text, params] = statement.compile(true)
  const keys = params.map((param, nth) => pathOf(param)?.join(".") ?? nth)
  const order = [...new Set(keys)]
  const once = order.map((key) => params[keys.indexOf(key)])
  const paths = once.map(pathOf)
  const places = keys.map((key) => order.indexOf(key) + 1)
  return {
    text: text.replaceAll(/\$(\d+)/g, (_, place: string) => `$${places[Number(place) - 1]}`),
    values: (given) => paths.map((at, nth) => at === undefined ? once[nth] : found(given, at))
  }
}

const untraced = Context.get(DefaultServices.liveServices, Tracer.Tracer)

const isTraced = (fiber: RuntimeFiber<unknown, unknown>) =>
  fiber.currentTracer !== untraced && fiber.getFiberRef(FiberRef.currentTracerEnabled)

/** Sends a statement on the fiber that waits for its answer. */
type Run = <Row>(text: string, values: Array<unknown>) => Effect.Effect<ReadonlyArray<Row>, SqlError>

const usual = (sql: SqlClient.SqlClient): Run => (text, values) => sql.unsafe<never>(text, values).withoutTransform

const transactionOf = (fiber: RuntimeFiber<unknown, unknown>) =>
  Context.getOption(fiber.currentContext, SqlClient.TransactionConnection)

/** The way that needs no fiber; undefined for whoever traces, inside of a transaction, and where the client has none. */
const shortest = (sql: Sending, fiber: RuntimeFiber<unknown, unknown>): Send | undefined =>
  isTraced(fiber) || Option.isSome(transactionOf(fiber)) ? undefined : sql[key]

/** How a statement is sent: in the caller's transaction where there is one. */
const way = (sql: Sending, fiber: RuntimeFiber<unknown, unknown>): Run => {
  const send = shortest(sql, fiber)
  if (send !== undefined) return (text, values) => Effect.async((resume) => send(text, values, resume))
  const transaction = transactionOf(fiber)
  if (isTraced(fiber) || Option.isNone(transaction)) return usual(sql)
  const [connection] = transaction.value
  return (text, values) => connection.execute(text, values, undefined)
}

/** A statement that is given its values by name. */
export interface FixedStatement<Given, Row> {
  (sql: SqlClient.SqlClient, t: Names, given: Given): Effect.Effect<ReadonlyArray<Row>, StoreFailure>
  /**
   * The statement for callbacks, sent in the call itself. For whoever traces, and where the client knows no shorter way, a fiber
   * with this one's context sends it.
   */
  readonly plain: (
    sql: SqlClient.SqlClient,
    t: Names
  ) => Effect.Effect<(given: Given, told: Told<Row, StoreFailure>) => void>
}

/** `build` may do nothing with the given values but put them into the statement. */
export const make = <Given extends object, Row>(
  build: (sql: SqlClient.SqlClient, t: Names, given: Given) => Statement.Statement<Row>
): FixedStatement<Given, Row> => {
  const known = new WeakMap<Names, Compiled>()
  const compiled = (sql: SqlClient.SqlClient, t: Names): Compiled => {
    const before = known.get(t)
    if (before !== undefined) return before
    const made = compile(build(sql, t, placeOf([]) as Given)) // while it is compiled
    known.set(t, made)
    return made
  }
  const run = (
    sql: SqlClient.SqlClient,
    t: Names,
    given: Given
  ): Effect.Effect<ReadonlyArray<Row>, StoreFailure> =>
    Effect.withFiberRuntime((fiber) => {
      const { text, values } = compiled(sql, t)
      return Effect.mapError(way(sql, fiber)<Row>(text, values(given)), SqlFailure.fromSqlError)
    })
  const plain: FixedStatement<Given, Row>["plain"] = (sql, t) =>
    Effect.withFiberRuntime((fiber) => {
      const send = shortest(sql, fiber)
      if (send === undefined) {
        return Effect.map(Effect.runtime(), (runtime) => (given, told) =>
          Runtime.runFork(runtime)(run(sql, t, given)).addObserver(told))
      }
      const { text, values } = compiled(sql, t)
      return Effect.succeed((given, told) =>
        send<Row>(text, values(given), (answer) =>
          told(Exit.mapError(answer, SqlFailure.fromSqlError)))
      )
    })
  return Object.assign(run, { plain })
}
