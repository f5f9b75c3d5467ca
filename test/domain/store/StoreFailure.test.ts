import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Store from "../../../src/domain/store/StoreFailure.js"

const all: ReadonlyArray<readonly [Store.StoreFailure, 1 | 7, boolean, string]> = [
  [new Store.StoreUnavailable({ detail: "refused" }), 7, true, "database.url"],
  [new Store.StoreAccessDenied({ detail: "password" }), 1, false, "Check the user"],
  [new Store.StoreReadOnly({ detail: "standby" }), 7, true, "primary"],
  [new Store.StoreFull({ detail: "ENOSPC" }), 7, true, "Free some space"],
  [new Store.StoreFull({ detail: "EFBIG", limit: "file-size" }), 7, true, "ulimit -f"],
  [new Store.SchemaTooOld({ found: 1, needed: 2 }), 1, false, "holdfast migrate"],
  [new Store.SchemaTooNew({ found: 3, known: 2 }), 1, false, "Upgrade holdfast"],
  [new Store.SchemaNotCreatable({ schema: "jobs" }), 1, false, "create schema jobs"],
  [new Store.ServerTooOld({ found: "14.2", needed: 15 }), 1, false, "Upgrade the server"],
  [new Store.EncodingUnfit({ found: "LATIN1" }), 1, false, "encoding is LATIN1, holdfast needs UTF8"],
  [new Store.ConnectionsTooFew({ limit: 2, needed: 3 }), 1, false, "2 connections at once, holdfast needs at least 3"],
  [new Store.StoreMissing({ directory: ".holdfast" }), 1, false, "no store in .holdfast yet"],
  [
    new Store.DataDirectoryHeld({ directory: ".holdfast", pid: 7, host: "box", since: "2026-01-01T00:00:00.000Z" }),
    7,
    false,
    "process 7 on box since 2026-01-01"
  ],
  [
    new Store.DataDirectoryUnusable({ directory: ".holdfast", reason: "not-ours", detail: "no PG_VERSION" }),
    1,
    false,
    "HOLDFAST_DATA_DIR"
  ],
  [new Store.EngineStopped({ detail: "the thread ended" }), 7, false, "Start the program again"],
  [new Store.StoreConflict({ detail: "deadlock" }), 1, true, "Try again"],
  [
    new Store.StoreRejectedData({ sqlState: "22021", detail: "invalid byte sequence" }),
    1,
    false,
    "cannot store a value (invalid byte sequence, SQLSTATE 22021)"
  ],
  [new Store.StoreBroken({ sqlState: "42P01", detail: "no such table" }), 1, false, "SQLSTATE 42P01"]
]

describe("a store failure", () => {
  it.each(all)("%s ends the program with its exit code, says what to do, and is stored and read back", (...row) => {
    const [failure, code, passing, words] = row
    expect(Store.exitCode(failure)).toBe(code)
    expect(Store.isPassing(failure)).toBe(passing)
    expect(failure.message).toContain(words)
    expect(failure.message).not.toContain("\n")
    expect(Schema.decodeUnknownSync(Store.StoreFailure)(Schema.encodeSync(Store.StoreFailure)(failure))).toEqual(
      failure
    )
  })

  it("is listed here with every tag of the union", () => {
    const tags = Store.StoreFailure.members.map((member) => member._tag)
    expect([...new Set(all.map(([failure]) => failure._tag))]).toEqual(tags)
  })
})
