import * as Schema from "effect/Schema"

/** Which legs of a search are asked: full text, vectors, or both fused. */
export const SearchMode = Schema.Literal("hybrid", "lexical", "semantic")
export type SearchMode = typeof SearchMode.Type

/** What each leg that found the item gave it: a full-text score, a cosine. */
export const LegScores = Schema.Struct({
  lexical: Schema.optional(Schema.Number),
  semantic: Schema.optional(Schema.Number)
})
export type LegScores = typeof LegScores.Type

/** One item found. `score` orders the hits of one answer; it does not compare between answers of different modes. */
export class SearchHit extends Schema.Class<SearchHit>("SearchHit")({
  catalog: Schema.String,
  id: Schema.String,
  method: Schema.String,
  path: Schema.String,
  summary: Schema.String,
  score: Schema.Number,
  scores: LegScores
}) {}

/** The answer to a question, best hit first. `degraded` says why a leg that was asked is missing or incomplete. */
export class SearchAnswer extends Schema.Class<SearchAnswer>("SearchAnswer")({
  hits: Schema.Array(SearchHit),
  mode: SearchMode,
  degraded: Schema.NullOr(Schema.Struct({ reason: Schema.String }))
}) {}
