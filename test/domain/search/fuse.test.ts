import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { contribution, fuse as fuseAll, meant, single, standard } from "../../../src/domain/search/fuse.js"
import { SearchAnswer } from "../../../src/domain/search/Query.js"
import type { LegHit } from "../../../src/domain/search/SearchIndex.js"

/** Both legs, with one vector space. */
const fuse = (
  { lexical, semantic }: { readonly lexical: ReadonlyArray<LegHit>; readonly semantic: ReadonlyArray<LegHit> },
  limit: number,
  fusion = standard
) => fuseAll({ lexical, semantic: [semantic] }, limit, fusion)

const hit = (id: string, score: number, catalog = "c"): LegHit => ({
  catalog,
  id,
  method: "GET",
  path: `/${id}`,
  summary: `About ${id}`,
  score
})

const ids = (hits: ReadonlyArray<{ readonly id: string }>) => hits.map((one) => one.id)

/** A leg with few distinct scores, so that ties are common. */
const leg = FastCheck.uniqueArray(
  FastCheck.record({ id: FastCheck.constantFrom(..."abcdefghij"), score: FastCheck.integer({ min: 1, max: 4 }) }),
  { selector: (one) => one.id, maxLength: 10 }
).map((all) => all.map(({ id, score }) => hit(id, score)))

const shuffled = (hits: ReadonlyArray<LegHit>) =>
  FastCheck.shuffledSubarray([...hits], { minLength: hits.length, maxLength: hits.length })

describe("fuse", () => {
  it.prop(
    "does not depend on the order in which a leg lists its hits",
    [
      FastCheck.tuple(leg, leg).chain(([a, b]) =>
        FastCheck.tuple(FastCheck.constant({ lexical: a, semantic: b }), shuffled(a), shuffled(b))
      )
    ],
    ([[legs, lexical, semantic]]) => {
      expect(fuse({ lexical, semantic }, 20)).toEqual(fuse(legs, 20))
    }
  )

  it.prop("names every item of either leg once, best first", [leg, leg], ([lexical, semantic]) => {
    const hits = fuse({ lexical, semantic }, 20)
    expect(new Set(ids(hits))).toEqual(new Set([...ids(lexical), ...ids(semantic)]))
    expect(new Set(ids(hits)).size).toBe(hits.length)
    const scores = hits.map((one) => one.score)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
  })

  it.prop("keeps each leg's own score with the hit", [leg, leg], ([lexical, semantic]) => {
    for (const found of fuse({ lexical, semantic }, 20)) {
      expect(found.scores.lexical).toBe(lexical.find((one) => one.id === found.id)?.score)
      expect(found.scores.semantic).toBe(semantic.find((one) => one.id === found.id)?.score)
    }
  })

  it.prop(
    "gives more to a hit of both legs than to a hit that one leg alone has at the same rank",
    [FastCheck.integer({ min: 1, max: 500 }), FastCheck.integer({ min: 1, max: 500 })],
    ([a, b]) => {
      expect(contribution("lexical", a) + contribution("semantic", b)).toBeGreaterThan(contribution("lexical", a))
      expect(contribution("lexical", a) + contribution("semantic", b)).toBeGreaterThan(contribution("semantic", b))
    }
  )

  it.prop("never ranks an item lower for a better score in a leg", [leg, leg], ([lexical, semantic]) => {
    const [first, ...others] = lexical
    if (first === undefined) return
    const better = [{ ...first, score: first.score + 1 }, ...others]
    const place = (hits: ReadonlyArray<{ readonly id: string }>) => ids(hits).indexOf(first.id)
    expect(place(fuse({ lexical: better, semantic }, 20))).toBeLessThanOrEqual(place(fuse({ lexical, semantic }, 20)))
  })

  it("puts the hit of both legs before those of one leg at the same ranks", () => {
    const hits = fuse({
      lexical: [hit("words", 9), hit("both", 8)],
      semantic: [hit("sense", 0.9), hit("both", 0.8)]
    }, 10)
    expect(ids(hits)).toEqual(["both", "sense", "words"])
    expect(hits[0]?.score).toBeCloseTo(2 / (standard.k + 2), 12)
  })

  it("puts one leg's first hit before one that both legs list far below, and after one that both rank well", () => {
    const others = (leg: string, count: number) => Array.from({ length: count }, (_, n) => hit(`${leg}${n}`, 50 - n))
    const both = (rank: number) =>
      fuse({
        lexical: [...others("word", rank - 1), hit("both", 1)],
        semantic: [...others("sense", rank - 1), hit("both", 1)]
      }, 100)
    expect(ids(both(10))[0]).toBe("both")
    expect(ids(both(40)).slice(0, 2)).toEqual(["sense0", "word0"])
  })

  it("weighs the legs as it is told", () => {
    const legs = { lexical: [hit("words", 9)], semantic: [hit("sense", 0.9)] }
    const heavy = { ...standard, weights: { lexical: 2, semantic: 1 } }
    expect(ids(fuse(legs, 10, heavy))).toEqual(["words", "sense"])
    expect(ids(fuse(legs, 1, heavy))).toEqual(["words"])
  })

  it("keeps items of the same id in different catalogs apart", () => {
    const hits = fuse({ lexical: [hit("x", 2, "b")], semantic: [hit("x", 1, "a")] }, 10)
    expect(hits.map((one) => one.catalog)).toEqual(["a", "b"])
  })

  it("answers one leg alone with the leg's own scores", () => {
    const hits = single("semantic", [hit("b", 0.5), hit("a", 0.7), hit("c", 0.5)])
    expect(ids(hits)).toEqual(["a", "b", "c"])
    expect(hits[0]?.scores).toEqual({ semantic: 0.7 })
  })
})

describe("the hits of several vector spaces", () => {
  const spaces = FastCheck.array(leg, { minLength: 2, maxLength: 4 })
    .map((all) => all.map((hits, at) => hits.map((one) => ({ ...one, catalog: `catalog ${at}` }))))

  it.prop("come all, and in each space's own order", [spaces], ([spaces]) => {
    const hits = meant(spaces, 100)
    expect(hits).toHaveLength(spaces.flat().length)
    for (const [at, space] of spaces.entries()) {
      const own = hits.filter(({ catalog }) => catalog === `catalog ${at}`)
      expect(own.map(({ scores }) => scores.semantic)).toEqual(
        space.map(({ score }) => score).toSorted((a, b) => b - a)
      )
    }
  })

  it("compare by rank, because one model's cosines are all higher than another's", () => {
    const high = [hit("a", 0.91), hit("b", 0.9)]
    const low = [hit("c", 0.3, "d"), hit("e", 0.2, "d")]
    expect(ids(meant([high, low], 2))).toEqual(["a", "c"])
    expect(ids(fuseAll({ lexical: [], semantic: [high, low] }, 10))).toEqual(["a", "c", "b", "e"])
  })

  it("compare by cosine where there is one space", () => {
    expect(meant([[hit("a", 0.1), hit("b", 0.9)]], 10)).toEqual(single("semantic", [hit("a", 0.1), hit("b", 0.9)]))
    expect(meant([], 10)).toEqual([])
  })
})

describe("SearchAnswer", () => {
  it("is written as the wire form that the programs print", () => {
    const answer = SearchAnswer.make({ hits: [...single("lexical", [hit("a", 1)])], mode: "lexical", degraded: null })
    expect(Schema.encodeSync(SearchAnswer)(answer)).toEqual({
      hits: [{ ...hit("a", 1), scores: { lexical: 1 } }],
      mode: "lexical",
      degraded: null
    })
  })
})
