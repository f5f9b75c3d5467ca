import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { VectorSpace } from "../../../domain/embedding/IndexStore.js"
import type { Progress, SourceRef } from "../../../domain/job/Job.js"
import type { Held } from "../../../domain/job/JobQueue.js"
import { complete as completeJob, guard } from "../jobQueue/complete.js"
import * as Source from "./source.js"
import { isIncomplete } from "./standing.js"

/** Items whose vectors went missing lose their chunks, so that they are pending again. */
const dropBroken = Effect.fnUntraced(function*(tenant: string, source: SourceRef, space: VectorSpace) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    delete from chunk c
    where c.tenant = ${tenant} and c.source_kind = ${source.kind} and c.source_id = ${source.id}
      and c.model = ${space.model} and c.dimension = ${space.dimension}
      and c.item_id = any(array(
        select b.item_id from chunk b
        where b.tenant = ${tenant} and b.source_kind = ${source.kind} and b.source_id = ${source.id}
          and b.model = ${space.model} and b.dimension = ${space.dimension}
          and not exists (
            select from embedding e
            where e.tenant = b.tenant and e.model = b.model and e.dimension = b.dimension
              and e.text_hash = b.text_hash offset 0)))`
})

/** What is left is the source's present items with their present texts in one space; the texts given up are noted as stray. */
const equalise = Effect.fnUntraced(function*(tenant: string, source: SourceRef, space: VectorSpace) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    with dropped as (
      delete from chunk c
      where c.tenant = ${tenant} and c.source_kind = ${source.kind} and c.source_id = ${source.id}
        and (c.model <> ${space.model} or c.dimension <> ${space.dimension} or not exists (
          select from item i
          where i.tenant = ${tenant} and i.source_kind = ${source.kind} and i.source_id = ${source.id}
            and i.id = c.item_id and i.text_hash = c.item_hash and not i.removed offset 0))
      returning c.model, c.dimension, c.text_hash
    )
    insert into stray (tenant, model, dimension, text_hash)
    select distinct ${tenant}, d.model, d.dimension, d.text_hash from dropped d
    order by d.model, d.dimension, d.text_hash
    on conflict do nothing`
  yield* sql`
    delete from refusal r
    where r.tenant = ${tenant} and r.source_kind = ${source.kind} and r.source_id = ${source.id}
      and (r.model <> ${space.model} or not exists (
        select from item i
        where i.tenant = ${tenant} and i.source_kind = ${source.kind} and i.source_id = ${source.id}
          and i.id = r.item_id and i.text_hash = r.item_hash and not i.removed offset 0))`
  yield* sql`
    delete from item i
    where i.tenant = ${tenant} and i.source_kind = ${source.kind} and i.source_id = ${source.id} and i.removed`
  yield* sql`
    update source s set model = ${space.model}, dimension = ${space.dimension}, complete = true, updated_at = now()
    where s.tenant = ${tenant} and s.kind = ${source.kind} and s.id = ${source.id}
      and (s.model, s.dimension, s.complete) is distinct from (${space.model}, ${space.dimension}::integer, true)`
})

/** See IndexStore.complete; belongs inside a transaction. While items are missing, whatever served goes on serving. */
export const complete = Effect.fn("complete")(
  function*(tenant: string, held: Held, space: VectorSpace, progress: Progress) {
    const source = held.job.source
    yield* Source.lock(tenant, source)
    yield* guard(tenant, held, progress)
    yield* dropBroken(tenant, source, space)
    const incomplete = yield* isIncomplete(tenant, held, space)
    if (!incomplete) yield* equalise(tenant, source, space)
    return yield* completeJob(tenant, held, progress, incomplete)
  }
)

/** Remove the source with all that belongs to it, and end its open job; belongs inside a transaction. */
export const remove = Effect.fnUntraced(function*(tenant: string, source: SourceRef) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    with dropped as (
      delete from chunk c
      where c.tenant = ${tenant} and c.source_kind = ${source.kind} and c.source_id = ${source.id}
      returning c.model, c.dimension, c.text_hash
    )
    insert into stray (tenant, model, dimension, text_hash)
    select distinct ${tenant}, d.model, d.dimension, d.text_hash from dropped d
    order by d.model, d.dimension, d.text_hash
    on conflict do nothing`
  yield* sql`
    delete from refusal r
    where r.tenant = ${tenant} and r.source_kind = ${source.kind} and r.source_id = ${source.id}`
  const rows = yield* sql`
    delete from source s
    where s.tenant = ${tenant} and s.kind = ${source.kind} and s.id = ${source.id}
    returning s.id`
  return rows.length > 0
})
