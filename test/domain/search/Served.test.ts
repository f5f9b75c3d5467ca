import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Option from "effect/Option"
import { chunkSizes, groups } from "../../../src/domain/search/Served.js"
import type { Served } from "../../../src/domain/search/Served.js"

const served = (catalog: string, space: readonly [string, number, number] | null): Served => ({
  catalog,
  space: Option.map(Option.fromNullable(space), ([model, dimension, chunkWords]) => ({ model, dimension, chunkWords })),
  isWhole: true
})

const space = FastCheck.option(FastCheck.tuple(
  FastCheck.constantFrom("own/m", "other/m", "other/n"),
  FastCheck.constantFrom(4, 8),
  FastCheck.constantFrom(100, 256)
))
const all = FastCheck.array(space, { maxLength: 8 }).map((spaces) => spaces.map((one, at) => served(`c${at}`, one)))

describe("catalogs by who is asked for them", () => {
  it.prop("stand in one group each, with those of their model and dimension alone", { all }, ({ all }) => {
    const found = groups(all, "own/m")
    expect(found.flatMap(({ catalogs }) => catalogs).map(({ catalog }) => catalog).toSorted())
      .toEqual(all.map(({ catalog }) => catalog).toSorted())
    expect(new Set(found.map(({ dimension, model }) => `${dimension} ${model}`)).size).toBe(found.length)
    for (const { catalogs, dimension, model } of found) {
      for (const one of catalogs) {
        const own = Option.getOrElse(one.space, () => ({ model: "own/m", dimension }))
        expect([own.model, own.dimension]).toEqual([model, dimension])
      }
    }
  })

  it.prop("come with every size of chunks that they have, once", { all }, ({ all }) => {
    for (const group of groups(all, "own/m")) {
      const sizes = chunkSizes(group, 50)
      expect(new Set(sizes).size).toBe(sizes.length)
      for (const { space } of group.catalogs) {
        expect(sizes).toContain(Option.match(space, { onNone: () => 50, onSome: (one) => one.chunkWords }))
      }
    }
  })

  it("puts a catalog without a complete run to those of the asker's embedder, which fills it", () => {
    const found = groups(
      [served("new", null), served("old", ["other/m", 4, 100]), served("done", ["own/m", 8, 100])],
      "own/m"
    )
    expect(found.map(({ catalogs, dimension, model }) => [model, dimension, catalogs.map(({ catalog }) => catalog)]))
      .toEqual([["own/m", 8, ["new", "done"]], ["other/m", 4, ["old"]]])
    expect(groups([served("new", null)], "own/m")[0]?.dimension).toBeNull()
  })
})
