import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

/**
 * The tables of jobs, sources and vectors. Each leads with its tenant, so that it distributes by tenant as is.
 * Where the server offers pgvector a vector is a `vector`, elsewhere a `real[]`: `embedding_of` and `cosine_similarity` are
 * the same to their callers on both.
 */
const tables: ReadonlyArray<string> = [
  `create sequence job_fence`,
  `create sequence worker_number maxvalue 2147483647 cycle`,
  `create table source (
    tenant text not null,
    kind text not null,
    id text not null,
    location text not null,
    title text not null,
    version text not null,
    revision text not null,
    model text,
    dimension integer,
    complete boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant, kind, id)
  )`,
  `create table item (
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
    foreign key (tenant, source_kind, source_id) references source (tenant, kind, id) on delete cascade
  )`,
  `create index item_position on item (tenant, source_kind, source_id, position)`,
  // Every search reads what stands in the pending list from end to end; without one a large write takes 2.5 times as long.
  `create index item_lexical on item using gin (lexical) with (gin_pending_list_limit = 512)`,
  `create table embedding (
    tenant text not null,
    model text not null,
    dimension integer not null,
    text_hash text not null,
    vector embedding_vector not null,
    written_at timestamptz not null default now(),
    primary key (tenant, model, dimension, text_hash)
  ) with (toast_tuple_target = 8160)`,
  // A vector stays in its row as long as it fits on a page, uncompressed: the exact scan reads it without a second look-up.
  `alter table embedding alter column vector set storage external`,
  // Texts whose vectors a source gave up. Only these are looked at for garbage: a vector may be stored before its chunk is.
  `create table stray (
    tenant text not null,
    model text not null,
    dimension integer not null,
    text_hash text not null,
    primary key (tenant, model, dimension, text_hash)
  )`,
  // Chunks and refusals go with their items by the statements that delete these: a foreign key would be checked row by row.
  `create table chunk (
    tenant text not null,
    source_kind text not null,
    source_id text not null,
    model text not null,
    dimension integer not null,
    item_id text not null,
    ordinal integer not null,
    item_hash text not null,
    text_hash text not null,
    written_at timestamptz not null default now(),
    primary key (tenant, source_kind, source_id, model, dimension, item_id, ordinal)
  )`,
  // No more than this: with the space in it, a planner without statistics takes it for look-ups by item and reads all of it.
  `create index chunk_text on chunk (tenant, text_hash)`,
  `create table refusal (
    tenant text not null,
    source_kind text not null,
    source_id text not null,
    item_id text not null,
    model text not null,
    item_hash text not null,
    failure jsonb not null,
    refused_at timestamptz not null default now(),
    primary key (tenant, source_kind, source_id, item_id, model)
  )`,
  // Room on each page keeps heartbeats and progress in place (HOT); for the same reason no index holds the lease's expiry.
  `create table index_job (
    tenant text not null,
    id bigint generated always as identity,
    source_kind text not null,
    source_id text not null,
    provider text not null,
    status text not null default 'pending'
      check (status in ('pending', 'running', 'succeeded', 'partial', 'failed', 'cancelled')),
    attempts integer not null default 0,
    max_attempts integer not null,
    crashes integer not null default 0,
    cooled_ms bigint not null default 0,
    fence bigint not null default 0,
    worker text,
    lease_expires_at timestamptz,
    run_at timestamptz not null default now(),
    revision text,
    forced_at timestamptz,
    claimed_forced_at timestamptz,
    again boolean not null default false,
    items integer not null default 0,
    embedded integer not null default 0,
    reused integer not null default 0,
    refused integer not null default 0,
    progress_at timestamptz,
    last_error jsonb,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    primary key (tenant, id)
  ) with (fillfactor = 80)`,
  `create unique index index_job_open on index_job (tenant, source_kind, source_id)
    where status in ('pending', 'running')`,
  `create index index_job_ready on index_job (tenant, provider, run_at, id) where status = 'pending'`,
  `create index index_job_running on index_job (tenant, id) where status = 'running'`,
  `create index index_job_source on index_job (tenant, source_kind, source_id, id)`,
  // lock_number is null where session locks mean nothing (a transaction pooler): then the lease's expiry alone frees a job.
  `create table worker (
    tenant text not null,
    id text not null,
    lock_number integer,
    host text not null,
    pid integer not null,
    started_at timestamptz not null default now(),
    primary key (tenant, id)
  )`,
  `create table gate (
    tenant text not null,
    kind text not null check (kind in ('session', 'provider')),
    name text not null,
    closed boolean not null,
    reason text check (reason in ('sign-in', 'budget', 'key')),
    detail text not null default '',
    since timestamptz,
    until timestamptz,
    primary key (tenant, kind, name)
  )`,
  // A provider that ever refused a call; `pace` is null once nothing holds its calls back any more. Turns are taken by updates
  // of this row, which the room on its page keeps in place.
  `create table cooldown (
    tenant text not null,
    provider text not null,
    until timestamptz not null,
    pace jsonb,
    primary key (tenant, provider)
  ) with (fillfactor = 10)`,
  // When a task that all processes share was last begun.
  `create table upkeep (
    tenant text not null,
    task text not null,
    done_at timestamptz not null,
    primary key (tenant, task)
  )`
]

const withPgvector: ReadonlyArray<string> = [
  `create extension if not exists vector`,
  `create domain embedding_vector as vector`,
  `create function embedding_of(numbers real[]) returns embedding_vector
    language sql immutable strict parallel safe as $$ select numbers::vector::embedding_vector $$`,
  `create function cosine_similarity(a embedding_vector, b embedding_vector) returns double precision
    language sql immutable strict parallel safe as $$ select 1 - (a::vector <=> b::vector) $$`
]

/**
 * Stored vectors have norm 1 (see IndexStore.persist), so that the dot product is the cosine. Two unnests side by side take
 * 0.4 of the time of one unnest over both, a loop in plpgsql 0.6.
 */
const withArrays: ReadonlyArray<string> = [
  `create domain embedding_vector as real[]`,
  `create function embedding_of(numbers real[]) returns embedding_vector
    language sql immutable strict parallel safe as $$ select numbers::embedding_vector $$`,
  `create function cosine_similarity(a embedding_vector, b embedding_vector) returns double precision
    language sql immutable strict parallel safe as
    $$ select sum(x::double precision * y) from (select unnest(a::real[]) as x, unnest(b::real[]) as y) pair $$`
]

export const run = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const [offered] = yield* sql<{ readonly found: boolean }>`
    select exists (select 1 from pg_available_extensions where name = 'vector') as found`
  for (const statement of [...(offered?.found === true ? withPgvector : withArrays), ...tables]) {
    yield* sql.unsafe(statement)
  }
})
