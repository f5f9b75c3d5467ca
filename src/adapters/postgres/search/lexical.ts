import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { LegHit, SearchFilter } from "../../../domain/search/SearchIndex.js"
import * as Storable from "../../../domain/text/Storable.js"
import { Tables } from "../driver/Tables.js"

/** Characters of a question that count. */
const longest = 4000

/** The question as it stands, and once more in bare words: the parser takes a path, a tag or a host for one word. */
const spoken = (words: string): string => {
  const question = Storable.storable(words.slice(0, longest))
  return `${question}\n${question.replaceAll(/[^\p{L}\p{N}]+/gu, " ")}`
}

/**
 * Items that have any of the question's words, stop words aside, ranked as BM25 does: a rare word weighs more than a common
 * one (idf), the first occurrences more than the later ones, and an occurrence in an item that is short among those found more.
 * ts_rank of a single word is its weighted frequency (A 1, B 0.4, C 0.2). An item's size counts each of its words by the same
 * weights, so that a long description does not make an apt summary weigh little. The question is never read as a query: its words
 * come out of the parser as data and are quoted, whatever they hold.
 */
export const lexical = Effect.fnUntraced(
  function*(tenant: string, words: string, filter: SearchFilter, limit: number) {
    const sql = yield* SqlClient.SqlClient
    const t = yield* Tables
    const admitted = filter.catalog === undefined ? sql`` : sql`and i.source_id = ${filter.catalog}`
    return yield* sql<LegHit>`
      with asked as materialized (
        select ('''' || replace(replace(w.lexeme, chr(92), repeat(chr(92), 2)), '''', '''''') || '''')::tsquery as word
        from unnest(to_tsvector('english', ${spoken(words)})) as w
      ), found as materialized (
        select i.source_id, i.id, a.word::text as word,
          (0.2 * length(i.lexical) + 0.2 * length(ts_filter(i.lexical, '{a,b}')) + 0.6 * length(ts_filter(i.lexical, '{a}')))
            ::double precision as size,
          ts_rank('{0, 0.2, 0.4, 1}', i.lexical, a.word)::double precision as rank
        from asked a
        join ${t.item} i on i.lexical @@ a.word
        where i.tenant = ${tenant} and i.source_kind = 'catalog' ${admitted}
      ), rarity as materialized (
        select f.word, ln(1 + (c.items - count(*) + 0.5) / (count(*) + 0.5))::double precision as idf
        from found f
        cross join (
          select count(*) as items from ${t.item} i where i.tenant = ${tenant} and i.source_kind = 'catalog' ${admitted}
        ) c
        group by f.word, c.items
      ), best as (
        select f.source_id, f.id,
          sum(r.idf * f.rank / (f.rank + 0.3 * (0.5 + 0.5 * f.size / (select avg(size) from found)))) as score
        from found f
        join rarity r on r.word = f.word
        group by f.source_id, f.id
        order by score desc, f.source_id, f.id
        limit ${limit}
      )
      select b.source_id as catalog, b.id, i.method, i.path, i.summary, b.score
      from best b
      join ${t.item} i on i.tenant = ${tenant} and i.source_kind = 'catalog' and i.source_id = b.source_id and i.id = b.id
      order by b.score desc, b.source_id, b.id`
  }
)
