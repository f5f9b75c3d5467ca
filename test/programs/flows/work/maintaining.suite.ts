import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { all } from "../../../../src/adapters/postgres/migrations/all.js"
import * as JobKind from "../../../../src/domain/job/JobKind.js"
import { Tenant } from "../../../../src/domain/store/Tenant.js"
import * as Jobs from "../../../../src/programs/flows/work/Jobs.js"
import { prune } from "../../../../src/programs/flows/work/Maintain.js"
import { work } from "../../../../src/programs/flows/work/Worker.js"
import * as Schema from "effect/Schema"
import type { Backend } from "../../../support/Databases.js"
import { house, settings } from "../../../support/House.js"
import { freshTenant } from "../../../support/Indexing.js"
import { script } from "../../../support/ScriptedEmbedder.js"

const Task = JobKind.make("task", { payload: Schema.Struct({ name: Schema.String }), key: ({ name }) => name })

const own = () => house(script(), {}, freshTenant(), settings({ pollInterval: Duration.millis(200) }))

/** What a worker does for the queue beside its jobs. */
export const maintaining = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute", excludeTestServices: true })(
    `The maintenance by a worker on ${backend.name}`,
    (it) => {
      it.effect("prunes history in slices until none is left", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const tenant = yield* Tenant
          yield* sql`insert into holdfast.job (tenant, kind, key, payload, status, max_attempts, finished_at)
            select ${tenant}, 'task', 'old ' || n, '{}', 'succeeded', 5, now() - interval '15 days'
            from generate_series(1, 1200) n`
          yield* sql`with older as (delete from holdfast.job where tenant = ${tenant} and id % 2 = 0 returning *)
            insert into holdfast.job_history select * from older`
          expect(yield* prune()).toBe(1200)
          expect(yield* prune()).toBe(0)
        }).pipe(Effect.provide(own())))

      it.effect("runs a job that every claim had overlooked as soon as it starts", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const { id } = yield* Task.enqueue({ name: "overlooked" })
          yield* sql`delete from holdfast.pending where tenant = ${yield* Tenant}`
          const working = yield* Effect.fork(Effect.provide(work(), Task.toLayer(() => Effect.void)))
          expect((yield* Jobs.await(id)).status).toBe("succeeded")
          yield* Fiber.interrupt(working)
        }).pipe(Effect.provide(own())))
    }
  )
