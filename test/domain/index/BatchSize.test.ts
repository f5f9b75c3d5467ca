import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as BatchSize from "../../../src/domain/index/BatchSize.js"

const steps = FastCheck.array(
  FastCheck.record({ served: FastCheck.boolean(), texts: FastCheck.integer({ min: 1, max: 64 }) }),
  { maxLength: 30 }
)

describe("the size of batches", () => {
  it.prop("stays between one text and the size that was set, whatever happens", {
    batchSize: FastCheck.integer({ min: 1, max: 64 }),
    attempt: FastCheck.integer({ min: 1, max: 9 }),
    steps
  }, ({ attempt, batchSize, steps }) => {
    let size = BatchSize.start(batchSize, attempt)
    for (const { served, texts } of steps) {
      const before = size
      size = served ? BatchSize.served(size, texts) : BatchSize.lowered(size, texts)
      expect(size.now).toBeGreaterThanOrEqual(1)
      expect(size.now).toBeLessThanOrEqual(size.most)
      expect(size.most).toBeLessThanOrEqual(before.most)
      if (!served && texts > 1) expect(size.most).toBeLessThan(texts)
    }
  })

  it("begins smaller after each failed attempt", () => {
    expect([1, 2, 3, 4, 5].map((attempt) => BatchSize.start(32, attempt).now)).toEqual([32, 8, 2, 1, 1])
  })

  it("doubles with each full call that is served, up to what did not prove too much", () => {
    const grown = BatchSize.served(BatchSize.served(BatchSize.start(32, 2), 8), 16)
    expect(grown).toEqual({ now: 32, most: 32 })
    expect(BatchSize.served(grown, 32)).toEqual(grown)
    expect(BatchSize.served(BatchSize.start(32, 2), 7)).toEqual({ now: 8, most: 32 })
    expect(BatchSize.served(BatchSize.lowered(BatchSize.start(32, 1), 32), 16)).toEqual({ now: 16, most: 16 })
  })
})
