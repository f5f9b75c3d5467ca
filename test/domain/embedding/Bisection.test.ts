import { describe, expect, it } from "@effect/vitest"
import { FastCheck, Option } from "effect"
import * as Bisection from "../../../src/domain/embedding/Bisection.js"
import { InvalidRequest } from "../../../src/domain/failure/Failure.js"

const refusal = new InvalidRequest({ provider: "p", detail: "no" })
const texts = (count: number) => Array.from({ length: count }, (_, n) => ({ hash: `h${n}`, text: `text ${n}` }))

/** Drive a bisection against a server that refuses every call with a guilty text in it. */
const drive = (count: number, guilty: ReadonlySet<string>, limit: number) => {
  let state = Bisection.start(texts(count))
  const served: Array<string> = []
  let calls = 0
  for (let step = Bisection.next(state, limit); Option.isSome(step); step = Bisection.next(state, limit)) {
    const { rest, slice } = step.value
    calls++
    if (slice.every((one) => !guilty.has(one.planned.hash))) {
      served.push(...slice.map((one) => one.planned.hash))
      state = Bisection.served(rest, slice)
    } else {
      state = slice.length > 1 ? Bisection.halved(rest, slice) : Bisection.refused(rest, slice, refusal)
    }
  }
  return { state, served, calls }
}

describe("a bisection", () => {
  it.prop("serves exactly the innocent, refuses exactly the guilty, and asks in order", {
    count: FastCheck.integer({ min: 0, max: 64 }),
    guilty: FastCheck.uniqueArray(FastCheck.integer({ min: 0, max: 63 }), { maxLength: 64 }),
    limit: FastCheck.integer({ min: 1, max: 64 })
  }, ({ count, guilty, limit }) => {
    const bad = new Set(guilty.map((n) => `h${n}`))
    const { served, state } = drive(count, bad, limit)
    const all = texts(count).map((text) => text.hash)
    expect(served).toEqual(all.filter((hash) => !bad.has(hash)))
    expect(state.refused.map(({ planned }) => planned.hash)).toEqual(all.filter((hash) => bad.has(hash)))
    expect(state.served).toBe(served.length)
  })

  it.prop("finds one guilty text of n in at most 2 log2 n + 1 calls", {
    exponent: FastCheck.integer({ min: 0, max: 6 }),
    at: FastCheck.integer({ min: 0, max: 63 })
  }, ({ at, exponent }) => {
    const count = 2 ** exponent
    expect(drive(count, new Set([`h${at % count}`]), count).calls).toBeLessThanOrEqual(2 * exponent + 1)
  })

  it("blames nobody when every text of a batch is refused by itself", () => {
    const all = new Set(texts(4).map((text) => text.hash))
    expect(Bisection.allRefused(drive(4, all, 4).state)).toEqual(Option.some(refusal))
    expect(Bisection.allRefused(drive(4, new Set(["h1"]), 4).state)).toEqual(Option.none())
    expect(Bisection.allRefused(drive(1, new Set(["h0"]), 4).state)).toEqual(Option.none())
  })

  it("asks a shortened text again under its own hash", () => {
    const started = Bisection.start([{ hash: "h", text: "one two three four" }])
    const first = Option.getOrThrow(Bisection.next(started, 1))
    const again = Option.getOrThrow(Bisection.next(Bisection.shortened(first.rest, first.slice), 1))
    expect(again.slice).toEqual([{ planned: { hash: "h", text: "one two three four" }, asked: "one two" }])
  })
})
