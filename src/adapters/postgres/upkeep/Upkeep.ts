import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Port from "../../../domain/job/Upkeep.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { lineUp } from "./lineUp.js"
import { open } from "./open.js"
import { prune } from "./prune.js"
import { unmatched } from "./unmatched.js"
import { bound, Tables } from "../driver/Tables.js"

/** Of many that ask at once the row's lock lets one through; the others then see that it was taken. */
const isTurn = Effect.fn("Upkeep.isTurn")(function*(tenant: string, task: string, every: Duration.Duration) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql`
    insert into ${t.upkeep} as last (tenant, task, done_at) values (${tenant}, ${task}, now())
    on conflict (tenant, task) do update set done_at = now()
    where last.done_at <= now() - ${Duration.toMillis(every)}::float8 * interval '1 millisecond'
    returning task`
  return rows.length > 0
})

/** The upkeep in SQL: every operation is one statement, or two that need no transaction around them. */
export const layer: Layer.Layer<Port.Upkeep, never, SqlClient.SqlClient | Tables> = Layer.effect(
  Port.Upkeep,
  Effect.gen(function*() {
    const withClient = yield* bound
    const run = <A>(
      asked: (tenant: string) => Effect.Effect<A, SqlError, SqlClient.SqlClient | Tables>
    ): Effect.Effect<A, StoreFailure, Tenant> =>
      Effect.flatMap(Tenant, (tenant) => SqlFailure.renamed(withClient(asked(tenant))))
    return Port.Upkeep.of({
      isTurn: (task, every) => run((tenant) => isTurn(tenant, task, every)),
      unmatched: (space) => run((tenant) => unmatched(tenant, space)),
      lineUp: run(lineUp),
      open: (openings) => run((tenant) => open(tenant, openings)),
      prune: (olderThan, limit) => run((tenant) => prune(tenant, olderThan, limit))
    })
  })
)
