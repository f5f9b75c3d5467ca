import type * as SqlClient from "@effect/sql/SqlClient"
import * as SqlError from "@effect/sql/SqlError"
import type * as Statement from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Store from "../../../domain/store/StoreFailure.js"
import type { Names } from "./Tables.js"

/** The only reader of SQLSTATEs and of the drivers' own error codes and texts. */

/** What an error says about itself: the SQLSTATE or the operating system's code, the text, the violated constraint. */
interface Told {
  readonly code: string
  readonly text: string
  readonly constraint: string | undefined
}

const stringField = (value: unknown, name: string): string | undefined =>
  Predicate.hasProperty(value, name) && typeof value[name] === "string" ? value[name] : undefined

/** The error and its causes, outermost first; a refused connection to several addresses hides its code in `errors`. */
const chain = (error: unknown, depth = 0): ReadonlyArray<unknown> => {
  if (depth > 5 || !Predicate.isObject(error)) return []
  const below = Predicate.hasProperty(error, "cause") ? chain(error.cause, depth + 1) : []
  const beside = Predicate.hasProperty(error, "errors") && Array.isArray(error.errors)
    ? chain(error.errors[0], depth + 1)
    : []
  return [error, ...below, ...beside]
}

const told = (error: SqlError.SqlError): Told => {
  const links = chain(error)
  const inner = links.slice(1)
  const coded = inner.find((link) => stringField(link, "code") !== undefined)
  const speaking = inner.find((link) => (stringField(link, "message") ?? "") !== "")
  return {
    code: stringField(coded, "code") ?? "",
    text: stringField(coded, "message") || stringField(speaking, "message") || error.message || "no reason given",
    constraint: stringField(coded, "constraint")
  }
}

/** One line of at most 300 characters, without what stands before the @ of a URL. */
const plain = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").replaceAll(/:\/\/[^\s/@]*@/g, "://").trim()
  return line.length > 300 ? `${line.slice(0, 297)}...` : line
}

/** SQLSTATEs and codes of Node that mean: nobody answers, or the answer will not come on this connection. */
const unavailable = new Set(
  ("57P01 57P02 57P03 57P05 25P03 25P04 57014 53000 53200 53300 53400 3D000 ECONNREFUSED ECONNRESET ENOTFOUND EAI_AGAIN " +
    "ETIMEDOUT EPIPE EHOSTUNREACH ENETUNREACH EHOSTDOWN ECONNABORTED EADDRNOTAVAIL ENOENT EMFILE ENFILE ERR_INVALID_URL")
    .split(" ")
)

/** The pg driver gives no code to these. */
const lost = [
  "connection terminated",
  "connection error",
  "connection timed out",
  "connection ended",
  "timeout exceeded when trying to connect",
  "query read timeout",
  "is not queryable",
  "calling end on the pool",
  "does not support ssl",
  "client has already been released"
]

const isLost = (text: string) => {
  const lower = text.toLowerCase()
  return lost.some((words) => lower.includes(words))
}

const isCertificate = (code: string) => /CERT|^ERR_TLS|^ERR_SSL|^UNABLE_TO_/.test(code)

/** A value is at fault, and neither the statement nor the server: data exceptions, and what exceeds a limit of the server's. */
const isOfData = (code: string) => /^22[0-9A-Z]{3}$|^54000$/.test(code)

/** The operating system's limit on the size of a file, for which PostgreSQL has no code of its own. */
const isTooLarge = ({ code, text }: { readonly code: string; readonly text: string }) =>
  code === "EFBIG" || code === "XX000" && text.includes("File too large")

/** The plan of a prepared statement does not fit any more, or the statement is gone. Nothing was executed. */
const isStale = ({ code, text }: { readonly code: string; readonly text: string }) =>
  code === "26000" || code === "0A000" && text.includes("cached plan")

/** The same, of an error as the driver gives it. */
export const isStaleStatement = (error: unknown): boolean =>
  isStale({ code: stringField(error, "code") ?? "", text: stringField(error, "message") ?? "" })

/** The code of our own errors when the embedded database is gone: PostgreSQL has none for it. */
export const engineStopped = "ENGINE_STOPPED"

/** What to do where the server's own words leave it open, and checking that it runs would not help. */
const advice: { readonly [code: string]: string } = {
  "3D000": "; create it there, or name another in database.url",
  "53300": "; raise the limit of connections, or stop other programs of this role",
  "57014": "; where a limit of time ended it, raise statement_timeout of this role"
}

/** The failure behind an SqlError. Total: what nothing recognises is StoreBroken with its SQLSTATE. */
export const fromSqlError = (error: SqlError.SqlError): Store.StoreFailure => {
  const { code, constraint, text } = told(error)
  const detail = code === "ERR_INVALID_URL" ? "the URL cannot be read" : plain(text + (advice[code] ?? ""))
  if (code === "53100" || code === "ENOSPC" || code === "EDQUOT") return new Store.StoreFull({ detail })
  if (isTooLarge({ code, text })) return new Store.StoreFull({ detail, limit: "file-size" })
  if (code === "25006" || code === "EROFS") return new Store.StoreReadOnly({ detail })
  if (code === engineStopped) return new Store.EngineStopped({ detail })
  if (code.startsWith("28") || code === "42501" || text.startsWith("SASL")) {
    return new Store.StoreAccessDenied({ detail })
  }
  if (code.startsWith("40") || code === "55P03" || isStale({ code, text })) return new Store.StoreConflict({ detail })
  if (code.startsWith("08") || unavailable.has(code) || isCertificate(code)) {
    return new Store.StoreUnavailable({ detail })
  }
  if (code === "" && isLost(text)) return new Store.StoreUnavailable({ detail })
  if (isOfData(code)) return new Store.StoreRejectedData({ sqlState: code, detail })
  return new Store.StoreBroken({
    sqlState: /^[0-9A-Z]{5}$/.test(code) ? code : "",
    detail,
    ...(constraint === undefined ? {} : { constraint })
  })
}

/** True for the drivers' error class, also where it comes as a defect. */
export const isSqlError = (value: unknown): value is SqlError.SqlError =>
  Predicate.hasProperty(value, SqlError.SqlErrorTypeId) && Predicate.isTagged(value, "SqlError")

/** An SqlError among the defects of a refused COMMIT or ROLLBACK, as the failure it is. */
export const fromDefect = (defect: unknown): Option.Option<Store.StoreFailure> =>
  isSqlError(defect) ? Option.some(fromSqlError(defect)) : Option.none()

/** Renames SqlErrors at the adapter's edge; every other error passes. */
export const renamed = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, SqlError.SqlError> | Store.StoreFailure, R> =>
  Effect.mapError(effect, (error) =>
    isSqlError(error)
      ? fromSqlError(error)
      // The guard above took every SqlError out of E.
      : error as Exclude<E, SqlError.SqlError>)

/** A statement by its name: built anew for the values of each call, and failing as a StoreFailure. */
export const statement = <Given, Row>(
  build: (sql: SqlClient.SqlClient, t: Names, given: Given) => Statement.Statement<Row>
) =>
(sql: SqlClient.SqlClient, t: Names, given: Given): Effect.Effect<ReadonlyArray<Row>, Store.StoreFailure> =>
  renamed(build(sql, t, given))
