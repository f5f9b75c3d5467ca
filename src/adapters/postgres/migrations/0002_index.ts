import * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as SqlFailure from "../driver/SqlFailure.js"
import { Tables, within } from "../driver/Tables.js"
import type { Names } from "../driver/Tables.js"

/**
 * The tables of sources and vectors. Each leads with its tenant, so that it distributes by tenant as is.
 * Where the server offers pgvector a vector is a `vector`, elsewhere a `real[]`: `embedding_of` and `cosine_similarity` are
 * the same to their callers on both.
 */
const tables = (sql: SqlClient.SqlClient, t: Names) => [
  // All was asked for anew at forced_at: what was written before does not count, until a run is complete.
  sql`create table ${t.source} (
    tenant text not null,
    kind text not null,
    id text not null,
    location text not null,
    title text not null,
    version text not null,
    revision text not null,
    model text,
    dimension integer,
    chunk_words integer,
    complete boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    forced_at timestamptz,
    primary key (tenant, kind, id)
  )`,
  sql`create table ${t.item} (
    tenant text not null,
    source_kind text not null,
    source_id text not null,
    id text not null,
    position integer not null,
    method text not null,
    path text not null,
    summary text not null,
    text text not null,
    text_hash text not null,
    lexical tsvector not null,
    digest text not null,
    removed boolean not null default false,
    primary key (tenant, source_kind, source_id, id),
    foreign key (tenant, source_kind, source_id) references ${t.source} (tenant, kind, id) on delete cascade
  )`,
  sql`create index item_position on ${t.item} (tenant, source_kind, source_id, position)`,
  // Every search reads what stands in the pending list from end to end; without one a large write takes 2.5 times as long.
  sql`create index item_lexical on ${t.item} using gin (lexical) with (gin_pending_list_limit = 512)`,
  sql`create table ${t.embedding} (
    tenant text not null,
    model text not null,
    dimension integer not null,
    text_hash text not null,
    vector ${t.embeddingVector} not null,
    written_at timestamptz not null default now(),
    primary key (tenant, model, dimension, text_hash)
  ) with (toast_tuple_target = 8160)`,
  // A vector stays in its row as long as it fits on a page, uncompressed: the exact scan reads it without a second look-up.
  sql`alter table ${t.embedding} alter column vector set storage external`,
  // Texts whose vectors a source gave up. Only these are looked at for garbage: a vector may be stored before its chunk is.
  sql`create table ${t.stray} (
    tenant text not null,
    model text not null,
    dimension integer not null,
    text_hash text not null,
    primary key (tenant, model, dimension, text_hash)
  )`,
  // Chunks and refusals go with their items by the statements that delete these: a foreign key would be checked row by row.
  sql`create table ${t.chunk} (
    tenant text not null,
    source_kind text not null,
    source_id text not null,
    model text not null,
    dimension integer not null,
    chunk_words integer not null,
    item_id text not null,
    ordinal integer not null,
    item_hash text not null,
    text_hash text not null,
    written_at timestamptz not null default now(),
    primary key (tenant, source_kind, source_id, model, dimension, chunk_words, item_id, ordinal)
  )`,
  // No more than this: with the space in it, a planner without statistics takes it for look-ups by item and reads all of it.
  sql`create index chunk_text on ${t.chunk} (tenant, text_hash)`,
  sql`create table ${t.refusal} (
    tenant text not null,
    source_kind text not null,
    source_id text not null,
    item_id text not null,
    model text not null,
    chunk_words integer not null,
    item_hash text not null,
    failure jsonb not null,
    refused_at timestamptz not null default now(),
    primary key (tenant, source_kind, source_id, item_id, model, chunk_words)
  )`,
  // Which embedder the store uses (place 0), and those that it moves away from. `qualified` is the model in all other tables.
  sql`create table ${t.embedder} (
    tenant text not null,
    place integer not null,
    provider text not null,
    model text not null,
    qualified text not null,
    dimension integer,
    chunk_words integer not null,
    answers_as text,
    primary key (tenant, place)
  )`
]

/**
 * The functions' bodies are read once, here, and hold what they name by itself: no search_path of a caller reaches them, and
 * neither does an extension that moves to another schema. The server puts them into the statements that call them, as before.
 */
const withPgvector = (sql: SqlClient.SqlClient, t: Names, vector: Fragment, distance: Fragment) => [
  sql`create domain ${t.embeddingVector} as ${vector}`,
  sql`create function ${t.embeddingOf}(numbers real[]) returns ${t.embeddingVector}
    language sql immutable strict parallel safe return numbers::${vector}::${t.embeddingVector}`,
  sql`create function ${t.cosineSimilarity}(a ${t.embeddingVector}, b ${t.embeddingVector}) returns double precision
    language sql immutable strict parallel safe return 1 - (a::${vector} operator(${distance}) b::${vector})`
]

/**
 * Stored vectors have norm 1 (see IndexStore.persist), so that the dot product is the cosine. Two unnests side by side take
 * 0.4 of the time of one unnest over both, a loop in plpgsql 0.6.
 */
const withArrays = (sql: SqlClient.SqlClient, t: Names) => [
  sql`create domain ${t.embeddingVector} as real[]`,
  sql`create function ${t.embeddingOf}(numbers real[]) returns ${t.embeddingVector}
    language sql immutable strict parallel safe return numbers::${t.embeddingVector}`,
  sql`create function ${t.cosineSimilarity}(a ${t.embeddingVector}, b ${t.embeddingVector}) returns double precision
    language sql immutable strict parallel safe return (
      select sum(x::double precision * y) from (select unnest(a::real[]) as x, unnest(b::real[]) as y) pair
    )`
]

interface Pgvector {
  /** Where it stands; null where it is not installed. */
  readonly schema: string | null
  /** This role may use what stands there. */
  readonly usable: boolean
  readonly offered: boolean
  /** Others may want it too, and look for it in `public`. */
  readonly toPublic: boolean
}

const look = (sql: SqlClient.SqlClient) =>
  Effect.map(
    sql<Pgvector>`
      select
        (select home.nspname from pg_extension e join pg_namespace home on home.oid = e.extnamespace
          where e.extname = 'vector') as schema,
        coalesce((select has_schema_privilege(extnamespace, 'usage') from pg_extension where extname = 'vector'), false)
          as usable,
        exists (select from pg_available_extensions where name = 'vector') as offered,
        coalesce(has_schema_privilege(to_regnamespace('public'), 'create'), false) as "toPublic"`,
    ([row]) => row
  )

/**
 * The schema in which pgvector stands, installed where the server offers it. Undefined where it does not, and where it does not let
 * this role install or use it: some allow that to nobody but their own administrators.
 */
const pgvector = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, t: Names) {
  const found = yield* look(sql)
  if (found === undefined || found.schema !== null || !found.offered) {
    return found?.usable === true ? found.schema ?? undefined : undefined
  }
  const home = found.toPublic ? "public" : t.schema
  // A transaction inside this one: the server's refusal takes back nothing else.
  const installed = sql.withTransaction(sql`create extension vector schema ${sql(home)}`)
  return yield* installed.pipe(
    Effect.as(home),
    Effect.catchIf(
      (error) => ["StoreAccessDenied", "StoreBroken"].includes(SqlFailure.fromSqlError(error)._tag),
      () => Effect.succeed(undefined)
    )
  )
})

export const run = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const home = yield* pgvector(sql, t)
  const vectors = home === undefined
    ? withArrays(sql, t)
    : withPgvector(sql, t, within(home, "vector"), within(home, "<=>"))
  yield* Effect.forEach([...vectors, ...tables(sql, t)], (statement) => statement, { discard: true })
})
