import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import * as SqlError from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Pg from "pg"
import * as Store from "../../../domain/store/StoreFailure.js"
import { BoundedConnection } from "./BoundedConnection.js"
import * as ConnectionLimit from "./ConnectionLimit.js"
import * as RowTypes from "./RowTypes.js"
import { DedicatedConnections } from "./DedicatedConnection.js"
import type { DedicatedConnection } from "./DedicatedConnection.js"
import * as SqlFailure from "./SqlFailure.js"

/** How to reach a server. Waiting for a pooled connection in a transaction cannot be interrupted, so the pool needs room. */
export interface Settings {
  readonly url: Redacted.Redacted
  /** At least the number of workers and three more. */
  readonly maxConnections: number
  /** What the server's administrator reads in pg_stat_activity. */
  readonly applicationName: string
  /** Bounds every attempt to connect, and every wait for a pooled connection. */
  readonly connectTimeout: Duration.Duration
  /** Bounds every statement: past it the connection is given up. */
  readonly statementTimeout: Duration.Duration
}

/** Sane values for everything but the URL. */
export const settings = (url: Redacted.Redacted, overrides: Partial<Settings> = {}): Settings => ({
  url,
  maxConnections: 4,
  applicationName: "holdfast",
  connectTimeout: Duration.seconds(5),
  statementTimeout: Duration.minutes(1),
  ...overrides
})

/**
 * The driver takes these modes for verify-full, and warns on the process's own stderr each time that they are called otherwise.
 * Who asks for libpq's meaning of them has it.
 */
const withPlainMode = (url: string): string =>
  /[?&]uselibpqcompat=true(?:&|$)/.test(url)
    ? url
    : url.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, "$1verify-full")

/** Keepalive after ten quiet seconds finds a dead peer in about twenty. */
const connection = (config: Settings) => ({
  connectionString: withPlainMode(Redacted.value(config.url)),
  application_name: config.applicationName,
  connectionTimeoutMillis: Duration.toMillis(config.connectTimeout),
  query_timeout: Duration.toMillis(config.statementTimeout),
  statementTimeout: config.statementTimeout,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  types: RowTypes.types
})

const greet = async (client: Pg.ClientBase) => {
  if (client instanceof BoundedConnection) await client.greet()
}

const failed = (message: string) => (cause: unknown) => new SqlError.SqlError({ cause, message })

/** Ending waits for the server's goodbye; one that does not answer is left behind. */
const ended = (end: () => Promise<void>) =>
  Effect.promise(end).pipe(Effect.interruptible, Effect.timeoutOption("1 second"), Effect.asVoid)

/**
 * Gives up what is idle when one connection fell silent, and that one too, should it come back first. The others of its time
 * are likely dead as well, and each would cost the whole limit of a statement to find out.
 */
const renew = (pool: Pg.Pool) => {
  if (pool.ending) return
  // Where no connection is to be had meanwhile, the pool calls back with an error alone.
  for (let idle = pool.idleCount + 1; idle > 0; idle--) {
    pool.connect((error, _client, release) => error === undefined ? release(true) : undefined)
  }
}

const makePool = (config: Settings) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const pool = new Pg.Pool({
          ...connection(config),
          Client: BoundedConnection,
          max: config.maxConnections,
          idleTimeoutMillis: 30_000,
          onConnect: greet
        })
        // An idle connection that dies leaves the pool by itself; without a listener it would end the process.
        pool.on("error", () => {})
        pool.on("connect", (client) => client.once("silent", () => renew(pool)))
        pool.on("release", (_error, client) => client instanceof BoundedConnection ? client.returned() : undefined)
        return pool
      },
      catch: failed("The settings for the database cannot be read")
    }),
    (pool) => ended(() => pool.end())
  )

/** Leaves the sessions their places where few connections are allowed: the pool is smaller then, and work waits for it. */
const fit = Effect.fnUntraced(function*(pool: Pg.Pool, wanted: number, limit: number) {
  if (limit < ConnectionLimit.fewest) {
    return yield* new Store.ConnectionsTooFew({ limit, needed: ConnectionLimit.fewest })
  }
  pool.options.max = ConnectionLimit.poolSize(wanted, limit)
  if (pool.options.max < wanted) {
    yield* Effect.logInfo(
      `The database allows ${limit} connections at once and ${
        wanted + ConnectionLimit.sessions
      } are wanted: work waits for a free one`
    )
  }
})

/** The pool, with one connection tried, and no larger than what the role or the server allows beside the sessions. */
const acquirePool = Effect.fnUntraced(function*(config: Settings) {
  const made = yield* makePool(config)
  const { rows: [row] } = yield* Effect.tryPromise({
    try: () => made.query<{ readonly connectionLimit: number }>(ConnectionLimit.query),
    catch: failed("Failed to connect")
  })
  if (row !== undefined) yield* fit(made, config.maxConnections, row.connectionLimit)
  return made
})

const hears = (channel: string, hear: (payload: string) => void) => (message: Pg.Notification) => {
  if (message.channel === channel) hear(message.payload ?? "")
}

const listen = (client: Pg.Client, channel: string, hear: (payload: string) => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const heard = hears(channel, hear)
      client.on("notification", heard)
      return heard
    }),
    (heard) => Effect.sync(() => client.off("notification", heard))
  ).pipe(
    Effect.zipRight(Effect.tryPromise({
      try: () => client.query(`listen ${Pg.escapeIdentifier(channel)}`),
      catch: failed("Failed to listen")
    })),
    Effect.asVoid,
    SqlFailure.renamed
  )

type Row = Readonly<Record<string, unknown>>

/** The driver's promise, by its own types. */
const asked = (client: Pg.ClientBase, sql: string, params: ReadonlyArray<unknown>) =>
  client.query<Row>(sql, [...params])

/** Opens one connection outside the pool. It ends with the scope. */
export const openDedicated = Effect.fn("Client.openDedicated")(function*(config: Settings) {
  const gone = yield* Deferred.make<never, Store.StoreFailure>()
  const die = (cause: unknown) =>
    Deferred.unsafeDone(gone, Effect.fail(SqlFailure.fromSqlError(failed("Connection terminated")(cause))))
  const client = yield* Effect.acquireRelease(
    Effect.try({
      try: () => {
        const made = new BoundedConnection({ ...connection(config), query_timeout: undefined })
        made.on("error", die)
        made.on("end", () => die(new Error("Connection terminated")))
        return made
      },
      catch: failed("The settings for the database cannot be read")
    }),
    (made) => ended(() => made.end())
  )
  yield* Effect.tryPromise({
    try: () => client.connect().then(() => client.greet()),
    catch: failed("Failed to connect")
  })
  const lost = Deferred.await(gone)
  const session: DedicatedConnection = {
    query: Effect.fn("DedicatedConnection.query")((sql, params = []) =>
      Effect.tryPromise({
        try: () => asked(client, sql, params),
        catch: failed("Failed to execute statement")
      }).pipe(
        Effect.timeoutFail({
          duration: config.statementTimeout,
          onTimeout: () => {
            const silent = new Error("Query read timeout")
            client.cut(silent)
            return failed(silent.message)(silent)
          }
        }),
        Effect.map((result) => result.rows),
        SqlFailure.renamed,
        Effect.raceFirst(Effect.interruptible(lost))
      )
    ),
    listen: (channel, hear) => Effect.raceFirst(listen(client, channel, hear), Effect.interruptible(lost)),
    lost
  }
  return session
}, SqlFailure.renamed)

/**
 * The SQL client on a server, under both of its tags, and the sessions beside its pool. Fails at once, in words, when the
 * server does not answer in time or refuses.
 */
export const layer = (
  config: Settings
): Layer.Layer<SqlClient.SqlClient | PgClient.PgClient | DedicatedConnections, Store.StoreFailure> =>
  Layer.scopedContext(
    Effect.gen(function*() {
      const pool = yield* acquirePool(config)
      const client = yield* PgClient.fromPool({
        acquire: Effect.succeed(pool),
        applicationName: config.applicationName
      })
      return Context.make(PgClient.PgClient, client).pipe(
        Context.add(SqlClient.SqlClient, client),
        Context.add(DedicatedConnections, { open: openDedicated(config) })
      )
    }).pipe(SqlFailure.renamed)
  ).pipe(Layer.provide(Reactivity.layer))
