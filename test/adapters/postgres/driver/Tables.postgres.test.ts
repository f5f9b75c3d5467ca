import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Client from "../../../../src/adapters/postgres/driver/Client.js"
import * as Migrate from "../../../../src/adapters/postgres/driver/Migrate.js"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { freshUrl, postgres, tables } from "../../../support/Databases.js"
import { everything, schemas } from "../../suites/schemas.js"

schemas(postgres)

/** A role that may create nothing in the database, and its way in. It goes before the database does. */
const powerless = (url: Redacted.Redacted) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const role = `powerless_${randomUUID().slice(0, 8)}`
    yield* Effect.acquireRelease(
      sql.unsafe(`create role ${role} login password 'pw'`),
      () => Effect.ignore(sql.unsafe(`drop owned by ${role} cascade; drop role ${role}`))
    )
    const own = new URL(Redacted.value(url))
    own.username = role
    own.password = "pw"
    return { role, way: [Client.layer(Client.settings(Redacted.make(own.href))), tables] as const }
  })

describe("a role that may not create schemas", () => {
  it.live("is told so in words, and works in one that is its own", () =>
    Effect.scoped(Effect.gen(function*() {
      const url = yield* freshUrl
      yield* Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const { role, way } = yield* powerless(url)
        const refused = yield* Effect.flip(Effect.provide(Migrate.migrate(all), way))
        expect(refused).toMatchObject({ _tag: "SchemaNotCreatable", schema: "holdfast" })
        yield* sql.unsafe(`create schema holdfast authorization ${role}`)
        expect(yield* Effect.provide(Effect.zipRight(Migrate.migrate(all), everything), way)).toEqual(["c", "b"])
      }).pipe(Effect.scoped, Effect.provide(Client.layer(Client.settings(url))))
    })), 60_000)
})
