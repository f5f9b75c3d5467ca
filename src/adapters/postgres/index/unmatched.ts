import * as SqlClient from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import type { SourceKind } from "../../../domain/index/SourceRef.js"
import { JobId } from "../../../domain/job/Job.js"
import type { JobStatus } from "../../../domain/job/Job.js"
import type { LastJob, Unmatched } from "../../../domain/index/Reconciliation.js"
import type { ServedSpace } from "../../../domain/index/Reconciler.js"
import { storedDimension } from "./workLeft.js"
import { Tables } from "../driver/Tables.js"

interface Row {
  readonly kind: SourceKind
  readonly id: string
  readonly job: number | null
  readonly status: JobStatus | null
  readonly ended_ms: number | null
  readonly max_attempts: number | null
  readonly failures: number
}

const lastOf = (row: Row): Option.Option<LastJob> =>
  row.job === null || row.status === null || row.max_attempts === null ? Option.none() : Option.some({
    id: JobId.make(row.job),
    status: row.status,
    failures: row.failures,
    endedFor: Duration.millis(row.ended_ms ?? 0),
    maxAttempts: row.max_attempts
  })

/**
 * Sources that stand in the wrong space are known by their own row; of the others the items are passed until one is found
 * that has neither a chunk of its present text nor a refusal. A dimension that the embedder does not name is read by the same
 * statement: read before, it may be that of an empty store, and the first source completed meanwhile would stand elsewhere.
 */
export const unmatched = Effect.fn("Reconciler.unmatched")(
  function*(tenant: string, { chunkWords, dimension, model }: ServedSpace) {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const rows = yield* sql<Row>`
    with served as materialized (
      select coalesce(${dimension}::integer, ${storedDimension(sql, t, tenant, model)}) as dimension
    ),
    idle as materialized (
      select s.kind, s.id,
        (s.model, s.dimension, s.chunk_words)
          is distinct from (${model}, (select served.dimension from served), ${chunkWords}::integer) as elsewhere,
        last.id as job, last.status, last.max_attempts, last.finished_at
      from ${t.source} s
      left join ${t.job} last on last.tenant = s.tenant and last.kind = ${IndexJob.kind} and last.key = s.kind || '/' || s.id
      where s.tenant = ${tenant} and coalesce(last.status not in ('pending', 'running'), true)
    )
    select idle.kind, idle.id, idle.job, idle.status, idle.max_attempts,
      extract(epoch from now() - idle.finished_at)::float8 * 1000 as ended_ms,
      case when idle.status = 'failed' then 1 + (
        select count(*) from ${t.jobHistory} failed
        where failed.tenant = ${tenant} and failed.kind = ${IndexJob.kind} and failed.key = idle.kind || '/' || idle.id
          and failed.status = 'failed' and failed.id > coalesce((
            select max(other.id) from ${t.jobHistory} other
            where other.tenant = ${tenant} and other.kind = ${IndexJob.kind} and other.key = idle.kind || '/' || idle.id
              and other.status <> 'failed'), 0)
      ) else 0 end::integer as failures
    from idle
    where idle.elsewhere or exists (
      select from ${t.item} i
      where i.tenant = ${tenant} and i.source_kind = idle.kind and i.source_id = idle.id and (i.removed or (
        not exists (
          select from ${t.chunk} c
          where c.tenant = ${tenant} and c.source_kind = i.source_kind and c.source_id = i.source_id
            and c.model = ${model} and c.dimension = (select served.dimension from served)
            and c.chunk_words = ${chunkWords}::integer
            and c.item_id = i.id and c.ordinal = 0 and c.item_hash = i.text_hash)
        and not exists (
          select from ${t.refusal} r
          where r.tenant = ${tenant} and r.source_kind = i.source_kind and r.source_id = i.source_id
            and r.item_id = i.id and r.model = ${model} and r.chunk_words = ${chunkWords}::integer
            and r.item_hash = i.text_hash))))
    order by idle.kind, idle.id`
    return rows.map((row): Unmatched => ({
      source: { kind: row.kind, id: row.id },
      last: lastOf(row)
    }))
  }
)
