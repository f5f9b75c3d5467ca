import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { createHash } from "node:crypto"
import * as Pg from "pg"
import * as Tables from "../../src/adapters/postgres/driver/Tables.js"
import { CatalogName, CatalogStore } from "../../src/domain/catalog/CatalogStore.js"
import type { NewCatalog } from "../../src/domain/catalog/CatalogStore.js"
import * as Settings from "../../src/programs/Settings.js"
import { Stores } from "../../src/programs/Wiring.js"
import { startDense } from "../support/DenseServer.js"
import type { Options } from "../support/DenseServer.js"
import type { Running } from "../support/FaultyServer.js"
import type { Server } from "../support/PostgresServer.js"
import * as Workers from "./Workers.js"

/** What all scenarios of a run share. */
export class Arena extends Context.Tag("holdfast/chaos/Arena")<Arena, {
  /** The long form, on demand. */
  readonly long: boolean
  /** Where the worker's bundle is. */
  readonly directory: string
  readonly server: Server
  /** A line for the log of this scenario, which is kept when it is missed. */
  readonly note: (line: string) => void
}>() {}

/** One condition of a scenario, in the words that its miss is told in. */
export interface Check {
  readonly what: string
  readonly held: boolean
}

/** What a scenario found. */
export interface Result {
  readonly told: string
  readonly checks: ReadonlyArray<Check>
}

export interface Scenario {
  readonly name: string
  readonly run: Effect.Effect<Result, unknown, Arena | Scope.Scope>
}

export const check = (what: string, held: boolean): Check => ({ what, held })

/** One item of a source as it should come to be. */
export interface Expected {
  readonly source: string
  readonly item: string
  readonly text: string
}

export const sha = (text: string): string => createHash("sha256").update(text).digest("hex")

/** So many catalogs of so many items each; no two items alike. */
export const sources = (count: number, items: number): ReadonlyArray<Expected> =>
  Array.makeBy(count * items, (index) => {
    const [source, item] = [Math.floor(index / items), index % items]
    return {
      source: `source-${source}`,
      item: `item-${item}`,
      text: `Thing ${item} of house ${source} has the number ${index}`
    }
  })

const catalogs = (expected: ReadonlyArray<Expected>): ReadonlyArray<NewCatalog> =>
  Object.entries(Array.groupBy(expected, ({ source }) => source)).map(([source, items]) => ({
    name: CatalogName.make(source),
    location: `/specs/${source}.json`,
    title: source,
    version: "1",
    revision: sha(JSON.stringify(items)),
    items: items.map(({ item, text }) => ({
      id: item,
      method: "GET",
      path: `/${item}`,
      summary: item,
      text,
      lexical: { a: text, b: item, c: "" }
    }))
  }))

/**
 * As the catalog store and the queue write them, for all at once: $1 holds the items as JSON, $2 the tenant, $3 the attempts. One statement, since
 * a reconciler that saw sources without jobs would open jobs for them.
 */
const filling = `with given as materialized (
    select * from jsonb_to_recordset($1::jsonb) as n (source text, item text, text text, hash text)
  ),
  put as (
    insert into holdfast.source (tenant, kind, id, location, title, version, revision)
    select distinct $2, 'catalog', source, '/specs/' || source, source, '1', 'one' from given
    returning *
  ),
  items as (
    insert into holdfast.item
      (tenant, source_kind, source_id, id, position, method, path, summary, text, text_hash, lexical, digest)
    select $2, 'catalog', source, item, row_number() over (partition by source), 'GET', '/' || item, item, text, hash,
      to_tsvector('simple', text), hash
    from given
  ),
  job as (
    insert into holdfast.job (tenant, kind, key, provider, session, max_attempts, version, payload)
    select tenant, 'index', kind || '/' || id, 'http', 'http', $3::integer, revision,
      jsonb_build_object('source', jsonb_build_object('kind', kind, 'id', id))
    from put
    returning *
  ),
  lined_up as (
    insert into holdfast.pending (tenant, kind, provider, session, priority, run_at, id)
    select tenant, kind, provider, session, priority, run_at, id from job
  )
  select pg_notify('${Tables.named("holdfast").channel}', $2) from job limit 1`

/** One scenario's own database and embedder. */
export interface World {
  readonly url: string
  readonly embedder: Running
  /** Reads and disturbs, beside the program. */
  readonly sql: <Row extends Pg.QueryResultRow>(
    text: string,
    values?: ReadonlyArray<unknown>
  ) => Effect.Effect<ReadonlyArray<Row>>
  /** Stores the catalogs and enqueues their jobs, with five attempts each and unforced unless told otherwise. */
  readonly put: (
    expected: ReadonlyArray<Expected>,
    how?: { readonly maxAttempts?: number; readonly force?: boolean }
  ) => Effect.Effect<void>
  /** The same for many small catalogs, in a few statements: the machine is left to the workers. */
  readonly fill: (expected: ReadonlyArray<Expected>, maxAttempts?: number) => Effect.Effect<void>
  /** Run with the program's own stores on this database. */
  readonly within: <A, E>(
    effect: Effect.Effect<A, E, Layer.Layer.Success<typeof Stores>>
  ) => Effect.Effect<A>
  /** Start a worker. Its name is what the server knows its sessions by. */
  readonly worker: (
    name: string,
    settings?: Workers.WorkerSettings,
    clockShift?: number,
    more?: Workers.More
  ) => Effect.Effect<Workers.Worker, never, Scope.Scope>
  /** Every worker that was started, in order. */
  readonly workers: ReadonlyArray<Workers.Worker>
}

/** The settings of all workers; what a scenario says goes before them. */
export const usual = {
  workers: 2,
  batch_size: 4,
  "embedder.concurrency": 2,
  "embedder.kind": "http",
  "embedder.model": "bge-m3",
  "embedder.timeout": "10s",
  lease_duration: "30s",
  poll_interval: "1s"
} as const

let databases = 0

const named = (url: string, database: string): string => {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.href
}

const poolOf = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const pool = new Pg.Pool({
        connectionString: url,
        max: 3,
        application_name: "judge",
        connectionTimeoutMillis: 5000
      })
      pool.on("error", () => {})
      return pool
    }),
    (pool) => Effect.promise(() => pool.end())
  )

/** A fresh database on this server, and an embedder that keeps its receipts here. */
export const world = (options: Options = {}, on?: Server): Effect.Effect<World, never, Arena | Scope.Scope> =>
  Effect.gen(function*() {
    const { directory, note, server: shared } = yield* Arena
    const server = on ?? shared
    const database = `chaos_${++databases}`
    yield* Effect.scoped(
      Effect.flatMap(poolOf(server.url), (pool) => Effect.promise(() => pool.query(`create database ${database}`)))
    )
    const url = named(server.url, database)
    const embedder = yield* Effect.acquireRelease(
      Effect.promise(() => startDense(options)),
      (running) => Effect.promise(running.close)
    )
    const pool = yield* poolOf(url)
    const base = { ...usual, "database.url": url, "embedder.url": embedder.url }
    const workers: globalThis.Array<Workers.Worker> = []
    const stores = yield* Effect.cached(
      Layer.buildWithScope(Layer.provide(Stores, Settings.layer({ ...base, workers: 4 })), yield* Effect.scope)
    )
    const within: World["within"] = (effect) =>
      Effect.orDie(Effect.flatMap(stores, (context) => Effect.provide(effect, context)))
    const sql: World["sql"] = (text, values = []) =>
      Effect.map(Effect.promise(() => pool.query(text, [...values])), ({ rows }) => rows)
    return {
      url,
      embedder,
      workers,
      within,
      sql,
      fill: (expected, maxAttempts = 5) => {
        const items = JSON.stringify(expected.map((one) => ({ ...one, hash: sha(one.text) })))
        return Effect.zipRight(within(Effect.void), Effect.asVoid(sql(filling, [items, "default", maxAttempts])))
      },
      put: (expected, how = {}) =>
        within(Effect.flatMap(CatalogStore, (store) =>
          Effect.forEach(
            catalogs(expected),
            (catalog) => store.put(catalog, { provider: "http", maxAttempts: 5, force: false, ...how }),
            { concurrency: 4, discard: true }
          ))),
      worker: (name, settings = {}, clockShift = 0, more = {}) => {
        const given = { ...base, ...settings }
        const address = new URL(String(given["database.url"]))
        address.searchParams.set("application_name", name)
        return Effect.tap(
          Workers.start(directory, name, { ...given, "database.url": address.href }, clockShift, more, note),
          (worker) => Effect.sync(() => workers.push(worker))
        )
      }
    }
  })

/** Seconds since then, to a tenth. */
export const since = (start: number) =>
  Effect.map(Clock.currentTimeMillis, (now) => Math.round((now - start) / 100) / 10)

/** The first answer that fits, asked for every 50 ms; none where none came in time. */
export const eventually = <A, E, R>(
  ask: Effect.Effect<A, E, R>,
  fits: (answer: A) => boolean,
  within: number
): Effect.Effect<Option.Option<A>, E, R> =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    while (true) {
      const answer = yield* ask
      if (fits(answer)) return Option.some(answer)
      if ((yield* Clock.currentTimeMillis) - start > within) return Option.none()
      yield* Effect.sleep("50 millis")
    }
  })

/** How many jobs are still open. */
export const open = (world: World) =>
  Effect.map(
    world.sql<{ readonly open: number }>(
      "select count(*)::int as open from holdfast.job where status in ('pending', 'running')"
    ),
    ([row]) => row?.open ?? 0
  )

/** Waits until no job is open; answers how many are still, after so many milliseconds. */
export const drained = (world: World, within: number) =>
  Effect.flatMap(
    eventually(open(world), (left) => left === 0, within),
    Option.match({
      onSome: () => Effect.succeed(0),
      onNone: () => open(world)
    })
  )
