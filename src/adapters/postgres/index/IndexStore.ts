import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { IndexStore } from "../../../domain/index/IndexStore.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import { equalise } from "./equalise.js"
import { persist } from "./persist.js"
import { forget, refusals } from "./refusals.js"
import * as WorkLeft from "./workLeft.js"
import * as Stray from "./strayVectors.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { transact } from "../driver/transact.js"
import { bound, Tables } from "../driver/Tables.js"

/** The job has ended already: garbage that stays is swept after the next one. */
const sweep = Effect.flatMap(Tenant, Stray.sweep).pipe(
  Effect.catchAll((failure) => Effect.logWarning(`Unused vectors were left for later: ${failure.message}`))
)

/** The stored vectors, on a server and on PGlite alike. */
export const layer = Layer.effect(
  IndexStore,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const withClient = yield* bound

    return IndexStore.of({
      dimensionOf: Effect.fn("IndexStore.dimensionOf")(function*(model) {
        const [row] = yield* WorkLeft.dimensionOf(sql, t, { tenant: yield* Tenant, model })
        return row?.dimension ?? null
      }),
      counts: Effect.fn("IndexStore.counts")((held, space) =>
        Effect.flatMap(Tenant, (tenant) => WorkLeft.counts(sql, t, { tenant, held, space }))
      ),
      pending: Effect.fn("IndexStore.pending")((held, space, after, limit) =>
        Effect.flatMap(Tenant, (tenant) => WorkLeft.pending(sql, t, { tenant, held, space, after, limit }))
      ),
      known: Effect.fn("IndexStore.known")((held, space, hashes) =>
        Effect.flatMap(Tenant, (tenant) => WorkLeft.known(sql, t, { tenant, held, space }, hashes))
      ),
      refusals: Effect.fn("IndexStore.refusals")((source, limit) =>
        Effect.flatMap(Tenant, (tenant) => refusals(tenant, source, limit)).pipe(SqlFailure.renamed, withClient)
      ),
      persist: Effect.fn("IndexStore.persist")((held, space, batch) =>
        Effect.flatMap(Tenant, (tenant) => persist(sql, t, tenant, held, space, batch))
      ),
      equalise: Effect.fn("IndexStore.equalise")((held, space, progress) =>
        transact(Effect.flatMap(Tenant, (tenant) => equalise(tenant, held, space, progress))).pipe(
          Effect.tap(({ stray }) => stray ? sweep : Effect.void),
          Effect.map(({ found }) => found),
          withClient
        )
      ),
      forgetRefusals: Effect.fn("IndexStore.forgetRefusals")((source) =>
        Effect.flatMap(Tenant, (tenant) => forget(tenant, source)).pipe(SqlFailure.renamed, withClient)
      )
    })
  })
)
