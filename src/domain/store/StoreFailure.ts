import * as Match from "effect/Match"
import * as Schema from "effect/Schema"

/**
 * The closed set of what can go wrong with the database. The adapters rename their errors into it once; above them nobody
 * sees an SQLSTATE. Every message is one sentence that says what happened and one that says what to do.
 */

/** What the database or the operating system said, scrubbed of credentials and at most 300 characters long. */
const detail = Schema.String.pipe(Schema.maxLength(300))

/** Nobody answers: refused, unreachable, shut down, connection lost, no answer in time. */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", { detail }) {
  override get message() {
    return `The database cannot be reached (${this.detail}). Check that it runs and that database.url is right.`
  }
}

/** The role, the password or a permission is not accepted. */
export class StoreAccessDenied extends Schema.TaggedError<StoreAccessDenied>()("StoreAccessDenied", { detail }) {
  override get message() {
    return `The database refused access (${this.detail}). Check the user, the password and the grants of database.url.`
  }
}

/** Writing is not possible: a standby, or a database set to read only. */
export class StoreReadOnly extends Schema.TaggedError<StoreReadOnly>()("StoreReadOnly", { detail }) {
  override get message() {
    return `The database is read-only (${this.detail}). Point database.url at the primary server.`
  }
}

/** There is no room on the disk beneath the database, or beneath the data directory, or its files may not grow further. */
export class StoreFull extends Schema.TaggedError<StoreFull>()("StoreFull", {
  detail,
  limit: Schema.optionalWith(Schema.Literal("disk", "file-size"), { default: () => "disk" as const })
}) {
  override get message() {
    return this.limit === "file-size"
      ? `The database's files reached the limit on their size (${this.detail}). Raise "ulimit -f" and start again; nothing finished is lost.`
      : `The database's disk is full (${this.detail}). Free some space and start again; nothing finished is lost.`
  }
}

/** The schema lacks migrations that this program needs. Versions count migrations; 0 is an empty database. */
export class SchemaTooOld extends Schema.TaggedError<SchemaTooOld>()("SchemaTooOld", {
  found: Schema.NonNegativeInt,
  needed: Schema.NonNegativeInt
}) {
  override get message() {
    return `The database schema is at version ${this.found}, this program needs ${this.needed}. Run \`holdfast migrate\`.`
  }
}

/** A newer program has migrated the schema already. */
export class SchemaTooNew extends Schema.TaggedError<SchemaTooNew>()("SchemaTooNew", {
  found: Schema.NonNegativeInt,
  known: Schema.NonNegativeInt
}) {
  override get message() {
    return `The database schema is at version ${this.found}, this program knows ${this.known}. Upgrade holdfast.`
  }
}

/** Our schema is not there, and the role may not make it. */
export class SchemaNotCreatable extends Schema.TaggedError<SchemaNotCreatable>()("SchemaNotCreatable", {
  schema: Schema.String
}) {
  override get message() {
    return `The database has no schema "${this.schema}" and this role may not create one. ` +
      `Let its owner run \`create schema ${this.schema} authorization <role>\`, or set database.schema to a schema of the role's own.`
  }
}

/** The server is older than the oldest one we run on. */
export class ServerTooOld extends Schema.TaggedError<ServerTooOld>()("ServerTooOld", {
  found: Schema.String,
  needed: Schema.Int
}) {
  override get message() {
    return `The server runs PostgreSQL ${this.found}, holdfast needs ${this.needed} or newer. Upgrade the server.`
  }
}

/** Another process works in the data directory. `since` is when it took hold. */
export class DataDirectoryHeld extends Schema.TaggedError<DataDirectoryHeld>()("DataDirectoryHeld", {
  directory: Schema.String,
  pid: Schema.Int,
  host: Schema.String,
  since: Schema.String
}) {
  override get message() {
    return `The data directory ${this.directory} is held by process ${this.pid} on ${this.host} since ${this.since}. ` +
      "Stop that process, or set HOLDFAST_DATA_DIR or HOLDFAST_DATABASE_URL to work beside it."
  }
}

/** The database keeps its texts in an encoding that has no place for some characters. */
export class EncodingUnfit extends Schema.TaggedError<EncodingUnfit>()("EncodingUnfit", { found: Schema.String }) {
  override get message() {
    return `The database's encoding is ${this.found}, holdfast needs UTF8. Point database.url at a database that was made with ` +
      "`create database ... encoding 'UTF8' template template0`."
  }
}

/** This role, or the server, allows fewer connections at once than one worker holds. */
export class ConnectionsTooFew extends Schema.TaggedError<ConnectionsTooFew>()("ConnectionsTooFew", {
  limit: Schema.Int,
  needed: Schema.Int
}) {
  override get message() {
    return `The database allows this role ${this.limit} connections at once, holdfast needs at least ${this.needed}. ` +
      "Raise it: alter role ... connection limit."
  }
}

/** Nothing has been stored in the data directory yet, and what was asked for makes no store. */
export class StoreMissing extends Schema.TaggedError<StoreMissing>()("StoreMissing", { directory: Schema.String }) {
  override get message() {
    return `There is no store in ${this.directory} yet. Index something first: holdfast index <file|url>.`
  }
}

/** The data directory cannot serve: no directory, a link to nothing, no permission, somebody else's files, or damaged ones. */
export class DataDirectoryUnusable extends Schema.TaggedError<DataDirectoryUnusable>()("DataDirectoryUnusable", {
  directory: Schema.String,
  reason: Schema.Literal(
    "not-a-directory",
    "dangling-link",
    "cannot-be-made",
    "no-permission",
    "not-ours",
    "damaged"
  ),
  detail
}) {
  override get message() {
    const what = Match.value(this.reason).pipe(
      Match.when("not-a-directory", () => "is not a directory"),
      Match.when("dangling-link", () => "stands behind a link to nothing"),
      Match.when("cannot-be-made", () => "cannot be made"),
      Match.when("no-permission", () => "cannot be written"),
      Match.when("not-ours", () => "holds files that are not holdfast's"),
      Match.when("damaged", () => "is damaged"),
      Match.exhaustive
    )
    return `The data directory ${this.directory} ${what} (${this.detail}). Set HOLDFAST_DATA_DIR to another one.`
  }
}

/** The embedded database of this process ended by itself; it does not come back before the process starts again. */
export class EngineStopped extends Schema.TaggedError<EngineStopped>()("EngineStopped", { detail }) {
  override get message() {
    return `The embedded database stopped (${this.detail}). Start the program again; nothing finished is lost.`
  }
}

/** Two transactions got in each other's way and this one lost: the same transaction may succeed when tried again. */
export class StoreConflict extends Schema.TaggedError<StoreConflict>()("StoreConflict", { detail }) {
  override get message() {
    return `The database ended a transaction in favour of another one (${this.detail}). Try again.`
  }
}

/** The database cannot store a value, or compute with it: the same statement fails again with the same value, and works with another. */
export class StoreRejectedData extends Schema.TaggedError<StoreRejectedData>()("StoreRejectedData", {
  sqlState: Schema.String,
  detail
}) {
  override get message() {
    return `The database cannot store a value (${this.detail}, SQLSTATE ${this.sqlState}). Look for what is unusual in the input.`
  }
}

/** Anything else. `sqlState` is empty where the database gave none; `constraint` names the one that was violated. */
export class StoreBroken extends Schema.TaggedError<StoreBroken>()("StoreBroken", {
  sqlState: Schema.String,
  constraint: Schema.optional(Schema.String),
  detail
}) {
  override get message() {
    const state = this.sqlState === "" ? "" : `, SQLSTATE ${this.sqlState}`
    return `The database answered with an error (${this.detail}${state}). Run \`holdfast doctor\`, and report it if that finds nothing.`
  }
}

/** The whole set. */
export const StoreFailure = Schema.Union(
  StoreUnavailable,
  StoreAccessDenied,
  StoreReadOnly,
  StoreFull,
  SchemaTooOld,
  SchemaTooNew,
  SchemaNotCreatable,
  ServerTooOld,
  EncodingUnfit,
  ConnectionsTooFew,
  StoreMissing,
  DataDirectoryHeld,
  DataDirectoryUnusable,
  EngineStopped,
  StoreConflict,
  StoreRejectedData,
  StoreBroken
)
export type StoreFailure = typeof StoreFailure.Type

/** True for a value of the closed set. */
export const isStoreFailure = Schema.is(StoreFailure)

/** The exit code of a program that ends with this failure: 7 where a dependency is down or taken, else 1. */
export const exitCode: (failure: StoreFailure) => 1 | 7 = Match.type<StoreFailure>().pipe(
  Match.withReturnType<1 | 7>(),
  Match.tagsExhaustive({
    StoreUnavailable: () => 7,
    StoreAccessDenied: () => 1,
    StoreReadOnly: () => 7,
    StoreFull: () => 7,
    SchemaTooOld: () => 1,
    SchemaTooNew: () => 1,
    SchemaNotCreatable: () => 1,
    ServerTooOld: () => 1,
    EncodingUnfit: () => 1,
    ConnectionsTooFew: () => 1,
    StoreMissing: () => 1,
    DataDirectoryHeld: () => 7,
    DataDirectoryUnusable: () => 1,
    EngineStopped: () => 7,
    StoreConflict: () => 1,
    StoreRejectedData: () => 1,
    StoreBroken: () => 1
  })
)

/** True where the same work may succeed later without anybody changing a setting. */
export const isPassing: (failure: StoreFailure) => boolean = Match.type<StoreFailure>().pipe(
  Match.withReturnType<boolean>(),
  Match.tagsExhaustive({
    StoreUnavailable: () => true,
    StoreAccessDenied: () => false,
    StoreReadOnly: () => true,
    StoreFull: () => true,
    SchemaTooOld: () => false,
    SchemaTooNew: () => false,
    SchemaNotCreatable: () => false,
    ServerTooOld: () => false,
    EncodingUnfit: () => false,
    ConnectionsTooFew: () => false,
    StoreMissing: () => false,
    DataDirectoryHeld: () => false,
    DataDirectoryUnusable: () => false,
    EngineStopped: () => false,
    StoreConflict: () => true,
    StoreRejectedData: () => false,
    StoreBroken: () => false
  })
)

/** True where a write is worth trying again at once: the server restarts, fails over, or preferred another transaction. */
export const isBlinking: (failure: StoreFailure) => boolean = (failure) =>
  isPassing(failure) && failure._tag !== "StoreFull"
