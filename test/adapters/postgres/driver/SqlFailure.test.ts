import * as SqlError from "@effect/sql/SqlError"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as SqlFailure from "../../../../src/adapters/postgres/driver/SqlFailure.js"
import { isStoreFailure } from "../../../../src/domain/store/StoreFailure.js"
import type { StoreFailure } from "../../../../src/domain/store/StoreFailure.js"

const error = (code: string | undefined, message: string) =>
  new SqlError.SqlError({ cause: Object.assign(new Error(message), { code }), message: "Failed to execute statement" })

const table: ReadonlyArray<readonly [StoreFailure["_tag"], string | undefined, string]> = [
  ["StoreUnavailable", "ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:5432"],
  ["StoreUnavailable", "ENOTFOUND", "getaddrinfo ENOTFOUND db.example"],
  ["StoreUnavailable", "57P01", "terminating connection due to administrator command"],
  ["StoreUnavailable", "57P03", "the database system is starting up"],
  ["StoreUnavailable", "53300", "sorry, too many clients already"],
  ["StoreUnavailable", "25P04", "terminating connection due to transaction timeout"],
  ["StoreUnavailable", "08006", "connection failure"],
  ["StoreUnavailable", "3D000", "database \"x\" does not exist"],
  ["StoreUnavailable", "DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"],
  ["StoreUnavailable", undefined, "Connection terminated unexpectedly"],
  ["StoreUnavailable", undefined, "timeout exceeded when trying to connect"],
  ["StoreUnavailable", undefined, "Client has encountered a connection error and is not queryable"],
  ["StoreUnavailable", undefined, "The server does not support SSL connections"],
  ["StoreAccessDenied", "28P01", "password authentication failed for user \"x\""],
  ["StoreAccessDenied", "28000", "no pg_hba.conf entry for host"],
  ["StoreAccessDenied", "42501", "permission denied for table x"],
  ["StoreAccessDenied", undefined, "SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string"],
  ["StoreReadOnly", "25006", "cannot execute INSERT in a read-only transaction"],
  ["StoreFull", "53100", "could not extend file"],
  ["StoreFull", "ENOSPC", "no space left on device"],
  ["StoreFull", "EFBIG", "File too large"],
  ["StoreFull", "XX000", "could not extend file \"base/5/16999\": File too large"],
  ["StoreConflict", "40001", "could not serialize access due to concurrent update"],
  ["StoreConflict", "40P01", "deadlock detected"],
  ["StoreConflict", "55P03", "could not obtain lock on row"],
  ["StoreConflict", "0A000", "cached plan must not change result type"],
  ["StoreConflict", "26000", "prepared statement \"x\" does not exist"],
  ["StoreRejectedData", "22021", "invalid byte sequence for encoding \"UTF8\": 0x00"],
  ["StoreRejectedData", "22P05", "unsupported Unicode escape sequence"],
  ["StoreRejectedData", "54000", "index row size 2712 exceeds btree version 4 maximum 2704"],
  ["StoreBroken", "0A000", "cannot use a subquery here"],
  ["StoreBroken", "23505", "duplicate key value violates unique constraint"],
  ["StoreBroken", "42P01", "relation \"x\" does not exist"],
  ["StoreBroken", undefined, "something new"]
]

describe("fromSqlError", () => {
  it.each(table)("names %s for %s %s", (tag, code, message) => {
    expect(SqlFailure.fromSqlError(error(code, message))._tag).toBe(tag)
  })

  it("finds the code beneath other causes, and in the attempts on several addresses", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED ::1:5432"), { code: "ECONNREFUSED" })
    const both = new SqlError.SqlError({ cause: new AggregateError([refused], ""), message: "Failed to connect" })
    const deep = new SqlError.SqlError({
      cause: new Error("gave up", { cause: refused }),
      message: "Failed to connect"
    })
    expect(SqlFailure.fromSqlError(both)._tag).toBe("StoreUnavailable")
    expect(SqlFailure.fromSqlError(deep)._tag).toBe("StoreUnavailable")
  })

  it("says what to do about a limit that is not ours", () => {
    const many = error("53300", "too many connections for role \"ann\"")
    const slow = error("57014", "canceling statement due to statement timeout")
    expect(SqlFailure.fromSqlError(many).message).toContain("raise the limit of connections")
    expect(SqlFailure.fromSqlError(slow).message).toContain("raise statement_timeout")
  })

  it("says what to do where the server runs and has no such database", () => {
    const failure = SqlFailure.fromSqlError(error("3D000", "database \"x\" does not exist"))
    expect(failure.message).toContain("create it there, or name another in database.url")
  })

  it("shows nothing of a URL before its host", () => {
    const failure = SqlFailure.fromSqlError(error(undefined, "cannot read postgres://ann:s3cret@db.example/x"))
    expect(failure.message).not.toContain("s3cret")
    expect(failure.message).toContain("db.example")
  })

  it.prop(
    "is total, and bounded to what the schema allows",
    [FastCheck.anything(), FastCheck.string()],
    ([cause, message]) => {
      const failure = SqlFailure.fromSqlError(new SqlError.SqlError({ cause, message }))
      expect(isStoreFailure(failure)).toBe(true)
      expect("detail" in failure && failure.detail.length <= 300).toBe(true)
    }
  )
})

describe("renamed", () => {
  it.effect("lets every other error pass as it is", () =>
    Effect.gen(function*() {
      const other = { _tag: "Other" } as const
      expect(yield* Effect.flip(SqlFailure.renamed(Effect.fail(other)))).toBe(other)
      expect(yield* Effect.flip(SqlFailure.renamed(Effect.fail(error("40001", "no"))))).toMatchObject({
        _tag: "StoreConflict"
      })
    }))
})
