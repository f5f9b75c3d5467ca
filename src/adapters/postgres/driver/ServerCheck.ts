import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { EncodingUnfit, ServerTooOld } from "../../../domain/store/StoreFailure.js"
import * as ConnectionLimit from "./ConnectionLimit.js"
import * as SqlFailure from "./SqlFailure.js"
import { Tables } from "./Tables.js"

/** The oldest major version that holdfast runs on. */
export const oldest = 15

/**
 * Whether this role can have vectors of pgvector: it is installed where the role may use it, or in a schema that is closed to the
 * role; or it is offered, and the role may install it or not; or there is none.
 */
export const Pgvector = Schema.Literal("installed", "closed", "available", "denied", "absent")

/** What `doctor` says about the server. Without pgvector the search is an exact scan over real[]. */
export class ServerFacts extends Schema.Class<ServerFacts>("ServerFacts")({
  version: Schema.String,
  major: Schema.Int,
  encoding: Schema.String,
  /** Connections at once, by role, database and server. */
  connectionLimit: Schema.Int,
  pgvector: Pgvector,
  /** What the vectors of our schema are; null where there is no schema yet. */
  vectors: Schema.NullOr(Schema.Literal("vector", "arrays")),
  /** A hot standby: it never takes a write until it is promoted. */
  standby: Schema.Boolean,
  /** Writes are refused: a standby, or a server or database that is set to read only. */
  readOnly: Schema.Boolean,
  /** This role may make what is missing: tables in our schema, or the schema itself. */
  mayCreate: Schema.Boolean
}) {}

/** Asks the server. Changes nothing. */
export const inspect = Effect.fn("ServerCheck.inspect")(function*() {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const [row] = yield* sql<Record<string, unknown>>`
    select
      current_setting('server_version') as version,
      current_setting('server_version_num')::int / 10000 as major,
      current_setting('server_encoding') as encoding,
      (${sql.unsafe(ConnectionLimit.query)}) as "connectionLimit",
      coalesce(
        (select case when has_schema_privilege(extnamespace, 'usage') then 'installed' else 'closed' end
          from pg_extension where extname = 'vector'),
        (select case when bool_or(own.rolsuper or not offered.superuser
              or offered.trusted and has_database_privilege(current_database(), 'create'))
            then 'available' else 'denied' end
          from pg_available_extension_versions offered, pg_roles own
          where offered.name = 'vector' and own.rolname = current_user
          having count(*) > 0),
        'absent'
      ) as pgvector,
      (select case when base.typname = 'vector' then 'vector' else 'arrays' end
        from pg_type own join pg_type base on base.oid = own.typbasetype
        where own.typname = 'embedding_vector' and own.typnamespace = to_regnamespace('${t.own}')) as vectors,
      pg_is_in_recovery() as standby,
      pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as "readOnly",
      coalesce(
        has_schema_privilege(to_regnamespace('${t.own}'), 'create'),
        has_database_privilege(current_database(), 'create')
      ) as "mayCreate"`
  return Schema.decodeUnknownSync(ServerFacts)(row)
}, SqlFailure.renamed)

/** The report of a server that holdfast runs on; else the first reason why it does not. */
export const supported = Effect.fn("ServerCheck.supported")(function*() {
  const report = yield* inspect()
  const { encoding, major, version } = report
  if (major < oldest) return yield* new ServerTooOld({ found: version, needed: oldest })
  if (encoding !== "UTF8") return yield* new EncodingUnfit({ found: encoding })
  return report
})
