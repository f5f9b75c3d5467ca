import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type { LegHit, SearchFilter } from "../../../domain/search/SearchIndex.js"
import * as Serial from "../index/Serial.js"

/** Characters of a question that count. */
const longest = 4000

/** The question as it stands, and once more in bare words: the parser takes a path, a tag or a host for one word. */
const spoken = (words: string): string => {
  const question = Serial.storable(words.slice(0, longest))
  return `${question}\n${question.replaceAll(/[^\p{L}\p{N}]+/gu, " ")}`
}

/**
 * Items that have any of the question's words, stop words aside, ranked as BM25 does: a rare word weighs more than a common
 * one (idf), the first occurrences more than the later ones, and an occurrence in a short item more than in a long one.
 * ts_rank of a single word is its weighted frequency (A 1, B 0.4, C 0.2). The question is never read as a query: its words
 * come out of the parser as data and are quoted, whatever they hold.
 */
export const lexical = Effect.fnUntraced(
  function*(tenant: string, words: string, filter: SearchFilter, limit: number) {
    const sql = yield* SqlClient.SqlClient
    const admitted = filter.catalog === undefined ? sql`` : sql`and i.source_id = ${filter.catalog}`
    return yield* sql<LegHit>`
      with asked as materialized (
        select ('''' || replace(replace(w.lexeme, chr(92), repeat(chr(92), 2)), '''', '''''') || '''')::tsquery as word
        from unnest(to_tsvector('english', ${spoken(words)})) as w
      ), corpus as materialized (
        select count(*)::double precision as items, avg(length(i.lexical)) as words
        from item i where i.tenant = ${tenant} and i.source_kind = 'catalog' ${admitted}
      ), found as (
        select i.source_id, i.id, length(i.lexical) / c.words as size,
          ts_rank('{0, 0.2, 0.4, 1}', i.lexical, a.word) as rank,
          count(*) over (partition by a.word) as holders, c.items
        from asked a
        cross join corpus c
        join item i on i.lexical @@ a.word
        where i.tenant = ${tenant} and i.source_kind = 'catalog' ${admitted}
      ), best as (
        select f.source_id, f.id,
          sum(ln(1 + (f.items - f.holders + 0.5) / (f.holders + 0.5)) * f.rank / (f.rank + 0.3 * (0.5 + 0.5 * f.size)))
            as score
        from found f
        group by f.source_id, f.id
        order by score desc, f.source_id, f.id
        limit ${limit}
      )
      select b.source_id as catalog, b.id, i.method, i.path, i.summary, b.score
      from best b
      join item i on i.tenant = ${tenant} and i.source_kind = 'catalog' and i.source_id = b.source_id and i.id = b.id
      order by b.score desc, b.source_id, b.id`
  }
)
