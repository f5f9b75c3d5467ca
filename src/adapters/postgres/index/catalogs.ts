import * as SqlClient from "@effect/sql/SqlClient"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Catalog, CatalogName } from "../../../domain/catalog/CatalogStore.js"
import * as IndexJob from "../../../domain/index/IndexJob.js"
import * as JobRow from "../jobs/JobRow.js"
import { Tables } from "../driver/Tables.js"

interface CatalogRow {
  readonly name: string
  readonly location: string
  readonly title: string
  readonly version: string
  readonly revision: string
  readonly model: string | null
  readonly dimension: number | null
  readonly updated_at: Date
  readonly items: number
  readonly indexed: number
  readonly refused: number
}

type Row = CatalogRow & { readonly [K in keyof JobRow.JobRow as `job_${K}`]: JobRow.JobRow[K] | null }

const jobColumns = JobRow.columns.split(", ").map((column) => `${column} as ${column.replace(".", "_")}`).join(", ")

const jobOf = (row: Row): Option.Option<JobRow.JobRow> =>
  row.job_id === null
    ? Option.none()
    : Option.some(
      // The columns of one row of the queue under their prefix: each is the row's where the id is.
      Object.fromEntries(
        Object.entries(row).filter(([key]) => key.startsWith("job_")).map(([key, value]) => [key.slice(4), value])
      ) as unknown as JobRow.JobRow
    )

const toCatalog = (row: Row): Catalog =>
  new Catalog({
    name: CatalogName.make(row.name, { disableValidation: true }),
    location: row.location,
    title: row.title,
    version: row.version,
    revision: row.revision,
    items: row.items,
    indexed: row.indexed,
    refused: row.refused,
    model: Option.fromNullable(row.model),
    dimension: Option.fromNullable(row.dimension),
    updatedAt: DateTime.unsafeFromDate(row.updated_at),
    job: Option.map(jobOf(row), JobRow.toJob)
  })

/**
 * All catalogs by name, or the one of this name, each with its counts and its newest job, in one statement. The space that
 * counts is the one that serves, or the one that the first run is filling.
 */
export const catalogs = Effect.fnUntraced(function*(tenant: string, name?: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const only = name === undefined ? sql`` : sql`and s.id = ${name}`
  const rows = yield* sql<Row>`
    with space as materialized (
      select s.id as source_id,
        coalesce(s.model, n.model) as model, coalesce(s.dimension, n.dimension) as dimension,
        coalesce(s.chunk_words, n.chunk_words) as chunk_words
      from ${t.source} s
      left join lateral (
        select c.model, c.dimension, c.chunk_words from ${t.chunk} c
        where c.tenant = s.tenant and c.source_kind = s.kind and c.source_id = s.id
        order by c.written_at desc limit 1
      ) n on s.model is null
      where s.tenant = ${tenant} and s.kind = 'catalog' ${only}
    ), judged as (
      select i.source_id,
        exists (
          select from ${t.chunk} c
          where c.tenant = ${tenant} and c.source_kind = 'catalog' and c.source_id = i.source_id and c.model = p.model
            and c.dimension = p.dimension and c.chunk_words = p.chunk_words and c.item_id = i.id and c.ordinal = 0 and c.item_hash = i.text_hash offset 0
        ) as indexed,
        exists (
          select from ${t.refusal} r
          where r.tenant = ${tenant} and r.source_kind = 'catalog' and r.source_id = i.source_id and r.item_id = i.id
            and r.item_hash = i.text_hash and r.model = coalesce(p.model, r.model)
            and r.chunk_words = coalesce(p.chunk_words, r.chunk_words) offset 0
        ) as refused
      from ${t.item} i join space p on p.source_id = i.source_id
      where i.tenant = ${tenant} and i.source_kind = 'catalog' and not i.removed
    ), counts as (
      select j.source_id, count(*) as items, count(*) filter (where j.indexed) as indexed,
        count(*) filter (where j.refused and not j.indexed) as refused
      from judged j group by j.source_id
    )
    select s.id as name, s.location, s.title, s.version, s.revision, s.model, s.dimension, s.updated_at,
      coalesce(t.items, 0) as items, coalesce(t.indexed, 0) as indexed, coalesce(t.refused, 0) as refused,
      ${sql.literal(jobColumns)}
    from ${t.source} s
    left join counts t on t.source_id = s.id
    left join ${JobRow.withLease(sql, t, t.job)} as job
      on job.tenant = s.tenant and job.kind = ${IndexJob.kind} and job.key = s.kind || '/' || s.id
    where s.tenant = ${tenant} and s.kind = 'catalog' ${only}
    order by s.id`
  return rows.map(toCatalog)
})

/** What the catalogs are called. */
export const names = Effect.fnUntraced(function*(tenant: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  const rows = yield* sql<{ readonly name: string }>`
    select s.id as name from ${t.source} s where s.tenant = ${tenant} and s.kind = 'catalog' order by s.id`
  return rows.map(({ name }) => name)
})
