import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { CatalogItem, NewCatalog } from "../../../domain/catalog/CatalogStore.js"
import type { Source } from "../../../domain/index/IndexJob.js"
import * as Storable from "../../../domain/text/Storable.js"
import * as Serial from "./Serial.js"
import { Tables } from "../driver/Tables.js"

/** Rows a statement. Of 20,000 items with 60 words each, those that did not change cost a sixth of new ones. */
const slice = 1000

const serial = (item: CatalogItem, position: number) => ({
  position,
  id: Storable.storable(item.id),
  content: {
    method: Storable.storable(item.method),
    path: Storable.storable(item.path),
    summary: Storable.storable(item.summary),
    text: Storable.storable(item.text),
    a: Storable.storable(item.lexical.a),
    b: Storable.storable(item.lexical.b),
    c: Storable.storable(item.lexical.c)
  }
})

const upsertSource = Effect.fnUntraced(function*(tenant: string, source: Source, catalog: NewCatalog) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`
    insert into ${t.source} as s (tenant, kind, id, location, title, version, revision)
    values (${tenant}, ${source.kind}, ${source.id}, ${Storable.storable(catalog.location)},
      ${Storable.storable(catalog.title)}, ${Storable.storable(catalog.version)}, ${catalog.revision})
    on conflict (tenant, kind, id) do update set
      location = excluded.location, title = excluded.title, version = excluded.version,
      revision = excluded.revision, updated_at = now()
    where (s.location, s.title, s.version, s.revision)
      is distinct from (excluded.location, excluded.title, excluded.version, excluded.revision)`
})

/**
 * Items whose content differs from the stored one, by its digest, are written; of the others at most the position. The cut
 * keeps a row's lexemes below the limit of a tsvector (1 MiB).
 */
const upsertItems = Effect.fnUntraced(function*(tenant: string, source: Source, items: string) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`
    with given as materialized (
      select g.position, g.id, g.content, encode(sha256(convert_to(g.content::text, 'UTF8')), 'hex') as digest
      from jsonb_to_recordset(${items}::jsonb) as g (position integer, id text, content jsonb)
    ), moved as (
      update ${t.item} i set position = g.position, removed = false
      from given g
      where i.tenant = ${tenant} and i.source_kind = ${source.kind} and i.source_id = ${source.id}
        and i.id = g.id and i.digest = g.digest and (i.position <> g.position or i.removed)
    ), changed as (
      select g.position, g.id, g.digest, f.*
      from given g
      cross join jsonb_to_record(g.content)
        as f (method text, path text, summary text, text text, a text, b text, c text)
      where not exists (
        select from ${t.item} i
        where i.tenant = ${tenant} and i.source_kind = ${source.kind} and i.source_id = ${source.id}
          and i.id = g.id and i.digest = g.digest)
    ), written as (
      insert into ${t.item}
        (tenant, source_kind, source_id, id, position, method, path, summary, text, text_hash, lexical, digest)
      select ${tenant}, ${source.kind}, ${source.id}, n.id, n.position, n.method, n.path, n.summary, n.text,
        encode(sha256(convert_to(n.text, 'UTF8')), 'hex'),
        setweight(to_tsvector('english', left(n.a, 80000)), 'A')
          || setweight(to_tsvector('english', left(n.b, 80000)), 'B')
          || setweight(to_tsvector('english', left(n.c, 80000)), 'C'),
        n.digest
      from changed n
      on conflict (tenant, source_kind, source_id, id) do update set
        position = excluded.position, method = excluded.method, path = excluded.path, summary = excluded.summary,
        text = excluded.text, text_hash = excluded.text_hash, lexical = excluded.lexical, digest = excluded.digest,
        removed = false
      returning id
    )
    update ${t.source} s set complete = false
    where s.tenant = ${tenant} and s.kind = ${source.kind} and s.id = ${source.id} and s.complete
      and exists (select from written)`
})

/** Items that the document has no more. They are found until the job that follows is complete. */
const markRemoved = Effect.fnUntraced(function*(tenant: string, source: Source, ids: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`
    update ${t.item} i set removed = true
    where i.tenant = ${tenant} and i.source_kind = ${source.kind} and i.source_id = ${source.id} and not i.removed
      and i.id not in (select kept from jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) as kept)`
})

/** Make the stored items those of the catalog, writing only what differs. Belongs inside a transaction. */
export const put = Effect.fn("put")(function*(tenant: string, source: Source, catalog: NewCatalog) {
  yield* upsertSource(tenant, source, catalog)
  for (const [part, items] of Serial.slices(catalog.items, slice).entries()) {
    const rows = items.map((item, index) => serial(item, part * slice + index))
    yield* upsertItems(tenant, source, JSON.stringify(rows))
  }
  yield* markRemoved(tenant, source, catalog.items.map((item) => Storable.storable(item.id)))
})

/** Items from which on a plan without statistics is felt. */
const many = 1000

/**
 * Statistics of the keys right after a large write: PGlite never gathers any by itself, and a server a minute later. They are
 * a help only, so that a failure is logged.
 */
export const teachPlanner = Effect.fnUntraced(function*(items: number) {
  if (items < many) return
  const sql = yield* SqlClient.SqlClient
  const t = yield* Tables
  yield* sql`analyze ${t.item} (tenant, source_kind, source_id, id, position)`.pipe(
    Effect.catchTag("SqlError", (error) => Effect.logWarning("Statistics were not gathered", error))
  )
})
