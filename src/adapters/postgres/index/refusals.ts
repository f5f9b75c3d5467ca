import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Refusal } from "../../../domain/index/SourceRef.js"
import type { Source } from "../../../domain/index/IndexJob.js"
import { Tables } from "../driver/Tables.js"

/** The source's refusals are forgotten: what was refused is pending again. Answers how many items that are. */
export const forget = Effect.fnUntraced(function*(tenant: string, source: Source) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql`
    delete from ${t.refusal} r
    where r.tenant = ${tenant} and r.source_kind = ${source.kind} and r.source_id = ${source.id}
    returning r.item_id`
  return rows.length
})

const Rows = Schema.Array(Refusal)

/** The source's items that are left out as they stand now, by position; a refusal of an older text does not count. */
export const refusals = Effect.fnUntraced(function*(tenant: string, source: Source, limit: number) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql`
    select r.item_id as item, r.item_hash as "itemHash", r.failure
    from ${t.refusal} r
    join ${t.item} i on i.tenant = r.tenant and i.source_kind = r.source_kind and i.source_id = r.source_id
      and i.id = r.item_id and i.text_hash = r.item_hash and not i.removed
    where r.tenant = ${tenant} and r.source_kind = ${source.kind} and r.source_id = ${source.id}
    order by i.position
    limit ${limit}`
  // What stands there was written by `persist` from the same schema.
  return yield* Effect.catchAll(Schema.decodeUnknown(Rows)(rows), Effect.die)
})
