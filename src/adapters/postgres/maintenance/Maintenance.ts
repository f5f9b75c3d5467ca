import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Port from "../../../domain/job/Maintenance.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { prune } from "./prune.js"
import { repairPending } from "./repairPending.js"
import { bound, Tables } from "../driver/Tables.js"

/** Of many that ask at once the row's lock lets one through; the others then see that it was taken. */
const claimTask = Effect.fn("Maintenance.claimTask")(function*(tenant: string, task: string, every: Duration.Duration) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql`
    insert into ${t.maintenance} as last (tenant, task, done_at) values (${tenant}, ${task}, now())
    on conflict (tenant, task) do update set done_at = now()
    where last.done_at <= now() - ${Duration.toMillis(every)}::float8 * interval '1 millisecond'
    returning task`
  return rows.length > 0
})

/** The maintenance in SQL: every operation is one statement, or two that need no transaction around them. */
export const layer: Layer.Layer<Port.Maintenance, never, SqlClient.SqlClient | Tables> = Layer.effect(
  Port.Maintenance,
  Effect.gen(function*() {
    const withClient = yield* bound
    const run = <A>(
      asked: (tenant: string) => Effect.Effect<A, SqlError, SqlClient.SqlClient | Tables>
    ): Effect.Effect<A, StoreFailure, Tenant> =>
      Effect.flatMap(Tenant, (tenant) => SqlFailure.renamed(withClient(asked(tenant))))
    return Port.Maintenance.of({
      claimTask: (task, every) => run((tenant) => claimTask(tenant, task, every)),
      repairPending: run(repairPending),
      prune: (olderThan, limit) => run((tenant) => prune(tenant, olderThan, limit))
    })
  })
)
