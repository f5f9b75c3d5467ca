import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Migrate from "../../../../src/adapters/postgres/driver/Migrate.js"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { pglite } from "../../../support/Databases.js"
import { everything, schemas, withoutPath } from "../../suites/schemas.js"

schemas(pglite)

describe("pgvector", () => {
  it.live("is found in whatever schema it stands, also after it moved", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`create schema extensions`
      yield* sql`create extension vector schema extensions`
      yield* withoutPath(Migrate.migrate(all))
      expect(yield* sql`select to_regtype('extensions.vector') is null as absent`).toEqual([{ absent: false }])
      expect(yield* withoutPath(everything)).toEqual(["c", "b"])
      yield* sql`create schema elsewhere`
      yield* sql`alter extension vector set schema elsewhere`
      expect(yield* withoutPath(everything)).toEqual(["c", "b"])
    }).pipe(Effect.provide(pglite.fresh([]))), 120_000)
})
