import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ServerTooOld } from "../../domain/store/StoreFailure.js"
import * as SqlFailure from "./SqlFailure.js"
import { Tables } from "./Tables.js"

/** The oldest major version that holdfast runs on. */
export const oldest = 15

/** What `doctor` says about the server. Without pgvector the search is an exact scan over real[]. */
export class ServerReport extends Schema.Class<ServerReport>("ServerReport")({
  version: Schema.String,
  major: Schema.Int,
  pgvector: Schema.Literal("installed", "available", "absent"),
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
      case
        when exists (select from pg_extension where extname = 'vector') then 'installed'
        when exists (select from pg_available_extensions where name = 'vector') then 'available'
        else 'absent'
      end as pgvector,
      pg_is_in_recovery() as standby,
      pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as "readOnly",
      coalesce(
        has_schema_privilege(to_regnamespace('${t.own}'), 'create'),
        has_database_privilege(current_database(), 'create')
      ) as "mayCreate"`
  return Schema.decodeUnknownSync(ServerReport)(row)
}, SqlFailure.renamed)

/** The report of a server that is new enough, else ServerTooOld. */
export const supported = Effect.fn("ServerCheck.supported")(function*() {
  const report = yield* inspect()
  return report.major < oldest ? yield* new ServerTooOld({ found: report.version, needed: oldest }) : report
})
