import * as SqlClient from "@effect/sql/SqlClient"
import * as Statement from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * Where everything of ours stands in the database: in one schema, which the settings name. Statements give each name in full,
 * because a search_path that is set on a connection is lost behind a transaction pooler, and a caller's own client has another.
 */

/** A name in full, as it goes into a statement: sql`select ... from ${t.item} i`. */
export interface Names {
  readonly schema: string
  /** The schema itself, for statements that make it or look it up. */
  readonly own: Statement.Fragment
  readonly migration: Statement.Fragment
  readonly source: Statement.Fragment
  readonly item: Statement.Fragment
  readonly embedding: Statement.Fragment
  readonly stray: Statement.Fragment
  readonly chunk: Statement.Fragment
  readonly refusal: Statement.Fragment
  readonly embedder: Statement.Fragment
  readonly job: Statement.Fragment
  readonly jobHistory: Statement.Fragment
  readonly jobAll: Statement.Fragment
  readonly jobStep: Statement.Fragment
  readonly pending: Statement.Fragment
  readonly lease: Statement.Fragment
  readonly worker: Statement.Fragment
  readonly gate: Statement.Fragment
  readonly cooldown: Statement.Fragment
  readonly maintenance: Statement.Fragment
  readonly jobFence: Statement.Fragment
  readonly workerNumber: Statement.Fragment
  readonly embeddingVector: Statement.Fragment
  readonly embeddingOf: Statement.Fragment
  readonly cosineSimilarity: Statement.Fragment
  /** The channel of hints that something became ready; their payload is the tenant. */
  readonly channel: string
  /** The class of the advisory locks that workers hold; the object is the worker's lock_number. */
  readonly lockClass: number
}

/** The names that this process uses. */
export class Tables extends Context.Tag("holdfast/Tables")<Tables, Names>() {}

/** What a store does with its effects: they get the client and the names with which it was built, and stay in the caller's transaction. */
export const bound = Effect.map(
  Effect.all([SqlClient.SqlClient, Tables]),
  ([sql, t]) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideService(Effect.provideService(effect, Tables, t), SqlClient.SqlClient, sql)
)

const quoted = (name: string): string => `"${name.replaceAll("\"", "\"\"")}"`

/** An object of a schema that need not be on the search_path: a type or an operator of an extension. */
export const within = (schema: string, name: string): Statement.Fragment =>
  Statement.unsafeFragment(`${quoted(schema)}.${name}`)

/** FNV-1a, in 31 bits: a lock's class is compared as an integer and as an oid. */
const hash31 = (text: string): number =>
  [...Buffer.from(text, "utf8")].reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5) & 0x7fffffff

const made = (schema: string): Names => {
  const full = (name: string) => within(schema, name)
  return {
    schema,
    own: Statement.unsafeFragment(quoted(schema)),
    migration: full("migration"),
    source: full("source"),
    item: full("item"),
    embedding: full("embedding"),
    stray: full("stray"),
    chunk: full("chunk"),
    refusal: full("refusal"),
    embedder: full("embedder"),
    job: full("job"),
    jobHistory: full("job_history"),
    jobAll: full("job_all"),
    jobStep: full("job_step"),
    pending: full("pending"),
    lease: full("lease"),
    worker: full("worker"),
    gate: full("gate"),
    cooldown: full("cooldown"),
    maintenance: full("maintenance"),
    jobFence: full("job_fence"),
    workerNumber: full("worker_number"),
    embeddingVector: full("embedding_vector"),
    embeddingOf: full("embedding_of"),
    cosineSimilarity: full("cosine_similarity"),
    channel: `${schema}_wake`,
    lockClass: hash31(`holdfast/${schema}`)
  }
}

const known = new Map<string, Names>()

/** The names in this schema: the same value each time, by which statements know that they were compiled. */
export const named = (schema: string): Names => {
  const before = known.get(schema)
  if (before !== undefined) return before
  const names = made(schema)
  known.set(schema, names)
  return names
}
