import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Port from "../../../domain/index/Reconciler.js"
import { Tenant } from "../../../domain/store/Tenant.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { bound } from "../driver/Tables.js"
import { open } from "./open.js"
import { unmatched } from "./unmatched.js"

/** Sources and their vectors compared in SQL. */
export const layer = Layer.effect(
  Port.Reconciler,
  Effect.map(bound, (withClient) =>
    Port.Reconciler.of({
      unmatched: (space) =>
        Effect.flatMap(Tenant, (tenant) => SqlFailure.renamed(withClient(unmatched(tenant, space)))),
      open: (openings) => Effect.flatMap(Tenant, (tenant) => SqlFailure.renamed(withClient(open(tenant, openings))))
    }))
)
