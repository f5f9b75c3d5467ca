import * as SqlClient from "@effect/sql/SqlClient"
import type * as SqlError from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Store from "../../../domain/store/StoreFailure.js"
import * as SqlFailure from "./SqlFailure.js"
import { Tables } from "./Tables.js"
import { transact } from "./transact.js"

/**
 * Brings a schema up to date. Each migration runs in a transaction of its own that also takes the advisory lock and records
 * it, so any number of processes may migrate at once, through a pooler too: each migration happens once. A process that finds
 * the lock taken asks again, and holds nothing meanwhile.
 */

/** One step of the schema. Ids run 1..n without gaps; a step that was released is never changed. */
export interface Migration {
  readonly id: number
  readonly name: string
  readonly run: Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient | Tables>
}

interface Applied {
  readonly id: number
  readonly name: string
}

const askAgainAfter = "100 millis"

/** A list whose ids do not run 1..n is a mistake in the program. */
const inOrder = (migrations: ReadonlyArray<Migration>) => {
  const gap = migrations.findIndex((migration, index) => migration.id !== index + 1)
  return gap === -1
    ? Effect.void
    : Effect.dieMessage(`Migration ${migrations[gap]?.id} stands at place ${gap + 1}: ids must run 1..n in order`)
}

/** The recorded migrations, oldest first; none on an empty database. */
const applied = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [table] = yield* sql<{ found: boolean }>`select to_regclass('${t.migration}') is not null as found`
  return table?.found === true
    ? yield* sql<Applied>`select id, name from ${t.migration} order by id`
    : []
})

/** Refuses a history that this program does not continue: a newer one, or another one. */
const continues = (history: ReadonlyArray<Applied>, migrations: ReadonlyArray<Migration>) => {
  const stranger = history.find((step, index) => index < migrations.length && step.name !== migrations[index]?.name)
  if (stranger !== undefined) {
    return Effect.fail(
      new Store.StoreBroken({
        sqlState: "",
        detail: `migration ${stranger.id} of this schema is "${stranger.name}", which is not this program's`
      })
    )
  }
  return history.length > migrations.length
    ? Effect.fail(new Store.SchemaTooNew({ found: history.length, known: migrations.length }))
    : Effect.void
}

/** Reads the history and checks it; gives what is left to do. Changes nothing. */
const pending = (migrations: ReadonlyArray<Migration>) =>
  Effect.gen(function*() {
    yield* inOrder(migrations)
    const history = yield* applied
    yield* continues(history, migrations)
    return migrations.slice(history.length)
  })

/** Looked for first: a role that may not create schemas is refused even where the schema stands. */
const makeSchema = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [schema] = yield* sql<{ found: boolean }>`
    select exists (select from pg_namespace where nspname = ${t.schema}) as found`
  if (schema?.found === true) return
  yield* sql`create schema if not exists ${t.own}`.pipe(
    SqlFailure.renamed,
    Effect.catchTag("StoreAccessDenied", () => new Store.SchemaNotCreatable({ schema: t.schema }))
  )
})

const makeTable = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`
    create table if not exists ${t.migration} (
      id integer primary key,
      name text not null,
      applied_at timestamptz not null default now()
    )`
})

type Step =
  | { readonly _tag: "Done" }
  | { readonly _tag: "Busy" }
  | { readonly _tag: "Applied"; readonly migration: Migration }

/** The next migration, if the lock is free and one is left. */
const step = (migrations: ReadonlyArray<Migration>) =>
  transact(
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const t = yield* Tables
      const [lock] = yield* sql<{ taken: boolean }>`
        select pg_try_advisory_xact_lock(hashtextextended(${JSON.stringify(["migrate", t.schema])}, 0)) as taken`
      if (lock?.taken !== true) return { _tag: "Busy" } as Step
      const [next] = yield* pending(migrations)
      if (next === undefined) return { _tag: "Done" } as Step
      yield* makeSchema
      yield* makeTable
      yield* next.run
      yield* sql`insert into ${t.migration} (id, name) values (${next.id}, ${next.name})`
      return { _tag: "Applied", migration: next } as Step
    })
  )

/**
 * Applies what is missing and gives the names of the migrations that this call applied. Writes nothing when nothing is
 * missing, so it succeeds on an up-to-date standby. Fails with SchemaTooNew on a schema of a newer program.
 */
export const migrate = Effect.fn("Migrate.migrate")(function*(migrations: ReadonlyArray<Migration>) {
  const names: Array<string> = []
  let missing = (yield* SqlFailure.renamed(pending(migrations))).length
  while (missing > 0) {
    const outcome: Step = yield* step(migrations)
    if (outcome._tag === "Done") missing = 0
    if (outcome._tag === "Busy") yield* Effect.sleep(askAgainAfter)
    if (outcome._tag === "Applied") {
      names.push(outcome.migration.name)
      missing = migrations.length - outcome.migration.id
    }
  }
  return names
})

/** Succeeds when the schema is exactly this program's; else SchemaTooOld or SchemaTooNew. Changes nothing. */
export const check = Effect.fn("Migrate.check")(function*(migrations: ReadonlyArray<Migration>) {
  const left = yield* SqlFailure.renamed(pending(migrations))
  if (left.length > 0) {
    return yield* new Store.SchemaTooOld({ found: migrations.length - left.length, needed: migrations.length })
  }
})
