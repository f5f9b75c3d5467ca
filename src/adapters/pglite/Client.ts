import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import type * as SqlConnection from "@effect/sql/SqlConnection"
import * as SqlError from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type * as Store from "../../domain/store/StoreFailure.js"
import { rolledBack } from "../postgres/driver/BoundedConnection.js"
import * as RowTypes from "../postgres/driver/RowTypes.js"
import { DedicatedConnections } from "../postgres/driver/DedicatedConnection.js"
import type { DedicatedConnection } from "../postgres/driver/DedicatedConnection.js"
import * as SqlFailure from "../postgres/driver/SqlFailure.js"
import * as DataDirectory from "./DataDirectory.js"
import type { Answer } from "./engine.js"
import * as EngineThread from "./EngineThread.js"
import * as Shared from "./Shared.js"

/**
 * The SQL client on the embedded database. There is one session: a statement, or a whole transaction, holds the only permit.
 * An interrupted statement is not waited for, but the engine still finishes it; what comes after it waits behind it.
 */

type Row = Readonly<Record<string, unknown>>

const cells = ({ columns, rows }: Answer): ReadonlyArray<ReadonlyArray<unknown>> => {
  const parsers = columns.map((column) => RowTypes.parser(column.type))
  return rows.map((row) => row.map((text, index) => text === null ? null : parsers[index]?.(text)))
}

const objects = (answer: Answer): ReadonlyArray<Row> =>
  cells(answer).map((row) => Object.fromEntries(answer.columns.map((column, index) => [column.name, row[index]])))

/** One statement gives its rows, several give a list of rows each, as the pg driver does. */
const rowsOf = (answers: ReadonlyArray<Answer>): ReadonlyArray<Row | ReadonlyArray<Row>> => {
  const [first] = answers
  if (answers.length > 1) return answers.map(objects)
  return first === undefined ? [] : objects(first)
}

const refusedCommit = () => new SqlError.SqlError({ cause: rolledBack(), message: "Failed to execute statement" })

const makeConnection = (engine: EngineThread.Engine, turn: Turn): SqlConnection.Connection => {
  const ask = (sql: string, params: ReadonlyArray<unknown>) =>
    turn(engine.ask(sql, params.map(RowTypes.encode))).pipe(
      Effect.filterOrFail((answers) => !(sql === "COMMIT" && answers[0]?.command === "ROLLBACK"), refusedCommit)
    )
  const execute: SqlConnection.Connection["execute"] = (sql, params, transformRows) =>
    Effect.map(ask(sql, params), (answers) => {
      const rows = rowsOf(answers)
      return transformRows === undefined ? rows : transformRows(rows)
    })
  return {
    execute,
    executeUnprepared: execute,
    executeRaw: (sql, params) =>
      Effect.map(ask(sql, params), ([answer]) => ({
        rows: answer === undefined ? [] : objects(answer),
        command: answer?.command.split(" ")[0] ?? "",
        rowCount: Number(answer?.command.split(" ").at(-1)) || 0
      })),
    executeValues: (sql, params) =>
      Effect.map(ask(sql, params), ([answer]) => answer === undefined ? [] : cells(answer)),
    executeStream: (sql, params, transformRows) => Stream.fromIterableEffect(execute(sql, params, transformRows))
  }
}

/** How a statement comes to its turn: under the permit, or at once where the transaction holds it already. */
type Turn = <A>(effect: Effect.Effect<A, SqlError.SqlError>) => Effect.Effect<A, SqlError.SqlError>

const atOnce: Turn = (effect) => effect

const escape = Statement.defaultEscape("\"")

/** Listens while anybody hears; payloads come from the moment it succeeds until the scope ends. */
const makeListen = (engine: EngineThread.Engine, single: SqlConnection.Connection) => {
  const hearing = new Map<string, number>()
  const count = (channel: string, by: number) =>
    Effect.sync(() => {
      const sum = (hearing.get(channel) ?? 0) + by
      hearing.set(channel, sum)
      return sum
    })
  const say = (verb: "listen" | "unlisten", channel: string) =>
    single.execute(`${verb} ${escape(channel)}`, [], undefined)
  return Effect.fnUntraced(function*(channel: string, hear: (payload: string) => void) {
    yield* Effect.acquireRelease(
      Effect.sync(() => engine.hear((name, payload) => name === channel && hear(payload))),
      (stop) => Effect.sync(stop)
    )
    yield* Effect.acquireRelease(
      Effect.zipRight(count(channel, 1), say("listen", channel)),
      () =>
        Effect.flatMap(count(channel, -1), (left) => left === 0 ? say("unlisten", channel) : Effect.void).pipe(
          Effect.ignore
        )
    )
  })
}

/** The client over a running engine. */
const make = Effect.fnUntraced(function*(engine: EngineThread.Engine) {
  const permit = yield* Effect.makeSemaphore(1)
  const single = makeConnection(engine, permit.withPermits(1))
  const held = makeConnection(engine, atOnce)
  const listen = makeListen(engine, single)
  const sql = yield* SqlClient.make({
    acquirer: Effect.succeed(single),
    transactionAcquirer: Effect.uninterruptible(
      // Waiting for the permit can be interrupted, also inside withTransaction.
      Effect.interruptible(permit.take(1)).pipe(
        Effect.zipRight(Effect.addFinalizer(() => permit.release(1))),
        Effect.as(held)
      )
    ),
    compiler: PgClient.makeCompiler(),
    spanAttributes: [["db.system.name", "postgresql"], ["db.namespace", "pglite"]]
  })
  const custom = Statement.custom<Statement.Custom<"PgJson", unknown>>("PgJson")
  const client: PgClient.PgClient = Object.assign(sql, {
    [PgClient.TypeId]: PgClient.TypeId,
    config: {},
    json: (value: unknown) => custom(value, undefined, undefined),
    listen: (channel: string) =>
      Stream.asyncPush<string, SqlError.SqlError>((emit) => listen(channel, emit.single)).pipe(
        Stream.merge(Stream.fromEffect(engine.lost))
      ),
    notify: (channel: string, payload: string) =>
      Effect.asVoid(single.execute("select pg_notify($1, $2)", [channel, payload], undefined))
  })
  const session: DedicatedConnection = {
    query: Effect.fn("DedicatedConnection.query")((text, params = []) =>
      SqlFailure.renamed(single.execute(text, params, undefined))
    ),
    listen: (channel, hear) => SqlFailure.renamed(listen(channel, hear)),
    lost: SqlFailure.renamed(engine.lost)
  }
  return Context.make(PgClient.PgClient, client).pipe(
    Context.add(SqlClient.SqlClient, sql),
    Context.add(DedicatedConnections, { open: Effect.succeed(session) })
  )
})

type Provided = SqlClient.SqlClient | PgClient.PgClient | DedicatedConnections

const shared = Shared.make((directory) =>
  Effect.flatMap(DataDirectory.open(directory), make).pipe(
    Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make)
  )
)

/**
 * The embedded database of a data directory, which this process holds alone until the last of its layers on that directory ends:
 * they share one engine. Its sessions are all the one session that there is: an advisory lock taken in one of them is held by
 * this process.
 */
export const layer = (directory: string): Layer.Layer<Provided, Store.StoreFailure> =>
  Layer.scopedContext(Effect.flatMap(DataDirectory.realPath(directory), shared))

/** An embedded database in memory: gone when the layer ends. */
export const memory: Layer.Layer<Provided, Store.StoreFailure> = Layer.scopedContext(
  Effect.flatMap(SqlFailure.renamed(EngineThread.start("memory://")), make)
).pipe(Layer.provide(Reactivity.layer))
