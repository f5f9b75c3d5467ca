import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { Batch, VectorSpace } from "../../../domain/embedding/IndexStore.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { guarding } from "../jobQueue/complete.js"
import { refuse } from "../jobQueue/refused.js"
import { replacing, sending, storing } from "./written.js"

/** Whether each item of the batch has all of its vectors with it, as a batch of new texts does. */
export const isWhole = (batch: Batch): boolean => {
  const brought = new Set(batch.vectors.map(({ hash }) => hash))
  return batch.refusals.length === 0 && batch.vectors.length > 0 &&
    batch.items.every((item) => item.chunks.every((chunk) => brought.has(chunk)))
}

interface Written {
  readonly guarded: boolean
  readonly missed: ReadonlyArray<string>
}

/**
 * Write a whole batch by one statement, which is its own transaction: the guard's row is locked before anything is written.
 * Answers the items that were left out, because one of their vectors stood in the store already and was not locked here.
 */
export const persistAtOnce = Effect.fn("persistAtOnce")(
  function*(tenant: string, held: Held, space: VectorSpace, batch: Batch) {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<Written>`
      with guarded as (${guarding(sql, tenant, held, batch.progress)}),
      stored as (${storing(sql, tenant, held, space, batch.vectors, sql`guarded`)}),
      sent as materialized (${sending(sql, batch.items)}),
      missed as materialized (
        select distinct g.item from sent g where g.chunk not in (select s.hash from stored s)
      ),
      given as materialized (select * from sent g where g.item not in (select m.item from missed m)),
      ${replacing(sql, tenant, held, space)}
      select exists (select from guarded) as guarded,
        array(select m.item from missed m) as missed`
    if (row?.guarded !== true) return yield* refuse(held)
    const missed = new Set(row.missed)
    return batch.items.filter((item) => missed.has(item.id))
  }
)
