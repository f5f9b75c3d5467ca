import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { freshPostgres } from "../../../support/Databases.js"

describe("the schema", () => {
  layer(freshPostgres(all), { timeout: "60 seconds", excludeTestServices: true })((it) => {
    it.effect("has the tenant first in every table, and in every unique key, so that it distributes by tenant", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const columns = yield* sql<{ readonly table_name: string; readonly column_name: string }>`
          select c.table_name, c.column_name from information_schema.columns c
          join information_schema.tables t using (table_schema, table_name)
          where c.table_schema = 'holdfast' and t.table_type = 'BASE TABLE' and c.ordinal_position = 1
            and c.table_name <> 'migration'`
        expect(columns.length).toBeGreaterThan(10)
        expect(columns.filter(({ column_name }) => column_name !== "tenant")).toEqual([])
        const without = yield* sql`
          select its.relname from pg_index i
          join pg_class its on its.oid = i.indexrelid
          join pg_class own on own.oid = i.indrelid
          where i.indisunique and own.relkind = 'r' and own.relnamespace = 'holdfast'::regnamespace
            and own.relname <> 'migration'
            and not exists (
              select from pg_attribute a where a.attrelid = own.oid and a.attname = 'tenant' and a.attnum = any(i.indkey)
            )`
        expect(without).toEqual([])
      }))
  })
})
