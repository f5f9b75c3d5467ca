import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { HeldSource } from "../../../domain/index/IndexJob.js"
import type { Batch, IndexedItem, VectorSpace } from "../../../domain/index/IndexStore.js"
import { Refusal } from "../../../domain/index/SourceRef.js"
import type { Progress } from "../../../domain/job/Job.js"
import type { LeaseLost } from "../../../domain/lease/Lease.js"
import type { StoreFailure } from "../../../domain/store/StoreFailure.js"
import * as SqlFailure from "../driver/SqlFailure.js"
import type { Names } from "../driver/Tables.js"
import { guarding } from "../jobs/guard.js"
import { refuse } from "../jobs/staleWrite.js"
import { forcedAt } from "./forcedAt.js"
import * as BatchParameters from "./BatchParameters.js"
import { replacing, sending, storing } from "./batchSql.js"

interface Given {
  readonly tenant: string
  readonly held: HeldSource
  readonly space: VectorSpace
  readonly progress: Progress
  /** None where a batch brings none. */
  readonly vectors: Option.Option<BatchParameters.Vectors>
  /** The chunks of the items, as JSON. */
  readonly chunks: string
  readonly refusals: string
}

interface Written {
  readonly guarded: boolean
  /** Items one of whose vectors was not there. */
  readonly missed: ReadonlyArray<string>
}

/**
 * A whole batch by one statement, which is its own transaction: the guard's row is locked before anything is written. A vector that
 * the batch does not bring stands in the store already, and is locked, so that it cannot be swept until the transaction ends (see
 * strayVectors.ts).
 */
const write = SqlFailure.statement((
  sql,
  t,
  { chunks, held, progress, refusals, space, tenant, vectors }: Given
) =>
  sql<Written>`
    with guarded as (${guarding(sql, t, held, Option.some(progress))}),
    stored as (${
    Option.match(vectors, {
      onNone: () => sql`select null::text as hash where false`,
      onSome: (brought) => storing(sql, t, tenant, held, space, brought, sql`guarded`)
    })
  }),
    sent as materialized (${sending(sql, chunks)}),
    kept as materialized (
      select e.text_hash as hash from ${t.embedding} e
      where e.tenant = ${tenant} and e.model = ${space.model} and e.dimension = ${space.dimension}::integer
        and e.text_hash = any(array(select g.chunk from sent g except select s.hash from stored s))
        and e.written_at >= ${forcedAt(sql, t, tenant, held)}
      for key share
    ),
    missed as materialized (
      select distinct g.item from sent g
      where g.chunk not in (select s.hash from stored s union all select k.hash from kept k)
    ),
    given as materialized (
      select g.* from sent g, guarded where g.item not in (select m.item from missed m)
    ),
    ${replacing(sql, t, tenant, held, space)},
    refused as (
      insert into ${t.refusal} (tenant, source_kind, source_id, item_id, model, chunk_words, item_hash, failure)
      select ${tenant}, ${held.source.kind}, ${held.source.id}, n.item, ${space.model}, ${space.chunkWords}::integer,
        n."itemHash", n.failure
      from guarded, jsonb_to_recordset(${refusals}::jsonb) as n (item text, "itemHash" text, failure jsonb)
      on conflict (tenant, source_kind, source_id, item_id, model, chunk_words)
        do update set item_hash = excluded.item_hash, failure = excluded.failure, refused_at = excluded.refused_at
    )
    select exists (select from guarded) as guarded, array(select m.item from missed m) as missed`
)

const encoded = (refusals: ReadonlyArray<Refusal>): string =>
  JSON.stringify(refusals.map((refusal) => Schema.encodeSync(Refusal)(refusal)))

const written = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  t: Names,
  tenant: string,
  held: HeldSource,
  space: VectorSpace,
  { items, progress, refusals, vectors }: Batch
): Effect.fn.Return<ReadonlyArray<IndexedItem>, StoreFailure | LeaseLost> {
  const [row] = yield* write(sql, t, {
    tenant,
    held,
    space,
    progress,
    vectors: vectors.length === 0 ? Option.none() : Option.some(BatchParameters.vectors(vectors)),
    chunks: BatchParameters.chunks(items),
    refusals: encoded(refusals)
  })
  if (row?.guarded !== true) return yield* refuse(held)
  const missed = new Set(row.missed)
  return items.filter((item) => missed.has(item.id))
})

/**
 * Write a batch under the fence. A vector of it that somebody else stored in the very same moment is seen by a second look only. An
 * item one of whose vectors is not there then is left as it was, and so stays pending.
 */
export const persist = Effect.fn("persist")(function*(
  sql: SqlClient.SqlClient,
  t: Names,
  tenant: string,
  held: HeldSource,
  space: VectorSpace,
  batch: Batch
): Effect.fn.Return<void, StoreFailure | LeaseLost> {
  const missed = yield* written(sql, t, tenant, held, space, batch)
  if (missed.length > 0 && batch.vectors.length > 0) {
    yield* written(sql, t, tenant, held, space, { ...batch, vectors: [], refusals: [], items: missed })
  }
})
