import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Client from "../../../../src/adapters/postgres/driver/Client.js"
import { enqueueInTransaction } from "../../../../src/adapters/postgres/index/enqueueInTransaction.js"
import * as Migrate from "../../../../src/adapters/postgres/driver/Migrate.js"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import { named, Tables } from "../../../../src/adapters/postgres/driver/Tables.js"
import { JobQueue } from "../../../../src/domain/job/JobQueue.js"
import { Tenant } from "../../../../src/domain/store/Tenant.js"
import { freshUrl, postgres } from "../../../support/Databases.js"
import { enqueuing } from "../../suites/enqueueInTransaction.js"
import * as Indexing from "../../../support/Indexing.js"
import * as Kit from "../../suites/queueKit.js"
import { withoutPath } from "../../suites/schemas.js"

enqueuing(postgres)

const request = { source: Indexing.source("pets"), provider: "ollama" }

describe("a job enqueued by a caller's own client", () => {
  it.live("has its number as a number, whatever the search_path, in the schema and for the tenant that are given", () =>
    Effect.gen(function*() {
      const url = yield* freshUrl
      const schema = Layer.succeed(Tables, named("jobs"))
      const ours = Layer.merge(Client.layer(Client.settings(url)), schema)
      // As an application makes it: the types and the search_path are the driver's and the server's.
      const own = Layer.merge(PgClient.layer({ url, maxConnections: 2 }), schema)
      yield* Effect.provide(Migrate.migrate(all), ours)
      const [alone, inside] = yield* Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        expect(yield* sql`select 1::int8 as n`).toEqual([{ n: "1" }])
        return [
          yield* enqueueInTransaction(request),
          yield* withoutPath(enqueueInTransaction({ ...request, source: Indexing.source("cars") }))
        ] as const
      }).pipe(Effect.provideService(Tenant, "acme"), Effect.provide(own))
      expect([typeof alone.id, typeof inside.id]).toEqual(["number", "number"])
      const jobs = (tenant: string) =>
        Effect.flatMap(JobQueue, (queue) => queue.list({ limit: 10 })).pipe(
          Effect.provide(Layer.provide(Kit.queueOf(tenant), ours)),
          Effect.map((found) => found.map(({ id }) => id))
        )
      expect(yield* jobs("acme")).toEqual([inside.id, alone.id])
      expect(yield* jobs("default")).toEqual([])
    }).pipe(Effect.scoped))

  it("cannot do without a client, a tenant and the names of the tables", () => {
    type Needs = Effect.Effect.Context<ReturnType<typeof enqueueInTransaction>>
    expectTypeOf<Needs>().toEqualTypeOf<SqlClient.SqlClient | Tables | Tenant>()
  })
})
