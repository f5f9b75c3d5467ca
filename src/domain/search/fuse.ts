import * as Order from "effect/Order"
import { type LegScores, SearchHit } from "./Query.js"
import type { LegHit } from "./SearchIndex.js"

/**
 * Reciprocal rank fusion: a hit gets weight / (k + rank) from each leg that found it. Only ranks count, because the legs'
 * scores are of different kinds. Hits of equal score in a leg share the better rank, so that their order tells nothing.
 */

/** How much each leg counts, and how slowly a leg's contribution falls with the rank (`k`, in ranks). */
export interface Fusion {
  readonly k: number
  readonly weights: { readonly lexical: number; readonly semantic: number }
}

/**
 * Both legs count alike. An item that both legs have at rank r outranks one leg's first hit while r < k + 2: with the
 * customary 60 that holds for every item that both list among 50, with 10 only for those that both rank well.
 */
export const standard: Fusion = { k: 10, weights: { lexical: 1, semantic: 1 } }

export interface Legs {
  readonly lexical: ReadonlyArray<LegHit>
  /** A list for each vector space: cosines of two models do not compare, ranks do. */
  readonly semantic: ReadonlyArray<ReadonlyArray<LegHit>>
}

type Leg = keyof Legs

const bestFirst: Order.Order<SearchHit> = Order.combineAll([
  Order.reverse(Order.mapInput(Order.number, (hit: SearchHit) => hit.score)),
  Order.mapInput(Order.string, (hit: SearchHit) => hit.catalog),
  Order.mapInput(Order.string, (hit: SearchHit) => hit.id)
])

const keyOf = (hit: LegHit): string => JSON.stringify([hit.catalog, hit.id])

const hitOf = (hit: LegHit, score: number, scores: LegScores): SearchHit =>
  SearchHit.make({
    catalog: hit.catalog,
    id: hit.id,
    method: hit.method,
    path: hit.path,
    summary: hit.summary,
    score,
    scores
  })

/** The rank of each score: one more than the number of hits that are better. */
const ranks = (hits: ReadonlyArray<LegHit>): ReadonlyMap<number, number> => {
  const found = new Map<number, number>()
  const descending = hits.map((hit) => hit.score).toSorted((a, b) => b - a)
  for (const [better, score] of descending.entries()) {
    if (!found.has(score)) found.set(score, better + 1)
  }
  return found
}

/** What one leg gives to a hit of this rank, counted from 1. */
export const contribution = (leg: Leg, rank: number, fusion: Fusion = standard): number =>
  fusion.weights[leg] / (fusion.k + rank)

/** Lists of hits in one, best first; of equal scores, by catalog and id. A list names each item at most once. */
const fused = (
  lists: ReadonlyArray<readonly [Leg, ReadonlyArray<LegHit>]>,
  limit: number,
  fusion: Fusion
): ReadonlyArray<SearchHit> => {
  const found = new Map<string, SearchHit>()
  for (const [leg, hits] of lists) {
    const rankOf = ranks(hits)
    for (const hit of hits) {
      const before = found.get(keyOf(hit))
      const given = contribution(leg, rankOf.get(hit.score) ?? hits.length, fusion)
      found.set(keyOf(hit), hitOf(hit, (before?.score ?? 0) + given, { ...before?.scores, [leg]: hit.score }))
    }
  }
  return [...found.values()].toSorted(bestFirst).slice(0, limit)
}

/** Both legs' hits in one list. */
export const fuse = (legs: Legs, limit: number, fusion: Fusion = standard): ReadonlyArray<SearchHit> =>
  fused([["lexical", legs.lexical], ...legs.semantic.map((hits) => ["semantic", hits] as const)], limit, fusion)

/** One leg's hits alone, with the leg's own scores. */
export const single = (leg: Leg, hits: ReadonlyArray<LegHit>): ReadonlyArray<SearchHit> =>
  hits.map((hit) => hitOf(hit, hit.score, { [leg]: hit.score })).toSorted(bestFirst)

/** The hits of all vector spaces: by their cosines where there is one space, by their ranks where there are several. */
export const meant = (spaces: Legs["semantic"], limit: number): ReadonlyArray<SearchHit> =>
  spaces.length > 1 ? fuse({ lexical: [], semantic: spaces }, limit) : single("semantic", spaces[0] ?? [])
