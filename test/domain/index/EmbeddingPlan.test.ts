import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Assembly from "../../../src/domain/index/Assembly.js"
import * as EmbeddingPlan from "../../../src/domain/index/EmbeddingPlan.js"
import { InvalidRequest } from "../../../src/domain/failure/Failure.js"

const item = (id: string, ...chunks: ReadonlyArray<string>): EmbeddingPlan.ChunkedItem => ({
  id,
  position: 0,
  hash: `item ${id}`,
  chunks: chunks.map((hash) => ({ hash, text: `text of ${hash}` }))
})

const hash = FastCheck.constantFrom("a", "b", "c", "d", "e", "f")
const items = FastCheck.array(FastCheck.array(hash, { maxLength: 4 }), { maxLength: 12 })
  .map((all) => all.map((chunks, n) => item(`i${n}`, ...chunks)))

describe("plan", () => {
  it("cuts an item into hashed chunks", () => {
    const cut = EmbeddingPlan.chunked(
      { id: "x", position: 3, hash: "h", text: "One two. Three four." },
      2,
      (text) => `#${text}`
    )
    expect(cut.chunks).toEqual([{ hash: "#One two.", text: "One two." }, { hash: "#Three four.", text: "Three four." }])
    expect(EmbeddingPlan.indexed(cut)).toEqual({ id: "x", hash: "h", chunks: ["#One two.", "#Three four."] })
  })

  it.prop("asks for each unknown text once and for no known one, and sorts every item into one place", {
    items,
    known: FastCheck.uniqueArray(hash)
  }, ({ items, known }) => {
    const plan = EmbeddingPlan.plan(items, new Set(known))
    const asked = plan.texts.map((text) => text.hash)
    expect(new Set(asked).size).toBe(asked.length)
    expect(new Set(asked)).toEqual(
      new Set(items.flatMap((one) => one.chunks.map((chunk) => chunk.hash)).filter((one) => !known.includes(one)))
    )
    expect([...plan.reusable, ...plan.blank, ...plan.waiting].map((one) => one.id).toSorted()).toEqual(
      items.map((one) => one.id).toSorted()
    )
  })
})

describe("an assembly", () => {
  it.prop("completes every item exactly once, whatever the order and the size of the answers", {
    items,
    order: FastCheck.shuffledSubarray(["a", "b", "c", "d", "e", "f"], { minLength: 6 }),
    size: FastCheck.integer({ min: 1, max: 6 })
  }, ({ items, order, size }) => {
    const assembly = Assembly.make()
    const waiting = EmbeddingPlan.plan(items, new Set()).waiting
    for (const one of waiting) Assembly.expect(assembly, one, new Set())
    const completed: Array<string> = []
    for (let at = 0; at < order.length; at += size) {
      const hashes = order.slice(at, at + size)
      completed.push(...Assembly.completedBy(assembly, hashes).map((one) => one.id))
      Assembly.arrived(assembly, hashes)
    }
    expect(completed.toSorted()).toEqual(waiting.map((one) => one.id).toSorted())
    expect(assembly.missing.size + assembly.waiting.size).toBe(0)
  })

  it("refuses every item that needs a refused text, also one that comes later", () => {
    const assembly = Assembly.make()
    const failure = new InvalidRequest({ provider: "p", detail: "" })
    Assembly.expect(assembly, item("1", "a", "b"), new Set())
    expect(Assembly.neededBy(assembly, ["a"]).map((one) => one.id)).toEqual(["1"])
    Assembly.refuse(assembly, "a", failure)
    expect(Assembly.completedBy(assembly, ["b"])).toEqual([])
    expect(Assembly.isUnderWay(assembly, "a")).toBe(false)
    expect(Assembly.refusalOf(assembly, item("2", "c", "a"))).toBe(failure)
    expect(Assembly.refusalOf(assembly, item("3", "c"))).toBeUndefined()
  })
})
