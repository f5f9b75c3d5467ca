import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { Batch, VectorSpace } from "../../../domain/index/IndexStore.js"
import type { Progress } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import { guarding } from "../jobs/complete.js"
import { refuse } from "../jobs/staleWrite.js"
import * as Sent from "./sent.js"
import { replacing, sending, storing } from "./written.js"
import type { Names } from "../driver/Tables.js"

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

const write = SqlFailure.statement((sql, t, { chunks, held, progress, space, tenant, vectors }: {
  readonly tenant: string
  readonly held: Held
  readonly space: VectorSpace
  readonly progress: Progress
  readonly vectors: Sent.Vectors
  readonly chunks: string
}) =>
  sql<Written>`
    with guarded as (${guarding(sql, t, tenant, held, progress)}),
    stored as (${storing(sql, t, tenant, held, space, vectors, sql`guarded`)}),
    sent as materialized (${sending(sql, chunks)}),
    missed as materialized (
      select distinct g.item from sent g where g.chunk not in (select s.hash from stored s)
    ),
    given as materialized (select * from sent g where g.item not in (select m.item from missed m)),
    ${replacing(sql, t, tenant, held, space)}
    select exists (select from guarded) as guarded,
      array(select m.item from missed m) as missed`
)

/**
 * Write a whole batch by one statement, which is its own transaction: the guard's row is locked before anything is written.
 * Answers the items that were left out, because one of their vectors stood in the store already and was not locked here.
 */
export const persistAtOnce = Effect.fn("persistAtOnce")(
  function*(sql: SqlClient.SqlClient, t: Names, tenant: string, held: Held, space: VectorSpace, batch: Batch) {
    const { items, progress } = batch
    const [row] = yield* write(sql, t, {
      tenant,
      held,
      space,
      progress,
      vectors: Sent.vectors(batch.vectors),
      chunks: Sent.chunks(items)
    })
    if (row?.guarded !== true) return yield* refuse(held)
    const missed = new Set(row.missed)
    return items.filter((item) => missed.has(item.id))
  }
)
