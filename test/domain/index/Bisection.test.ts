import { describe, expect, it } from "@effect/vitest"
import { FastCheck, Option } from "effect"
import * as Bisection from "../../../src/domain/index/Bisection.js"
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

  it.prop("names a size that was too much, and no call as large fails again", {
    count: FastCheck.integer({ min: 1, max: 64 }),
    most: FastCheck.integer({ min: 1, max: 64 })
  }, ({ count, most }) => {
    let state = Bisection.start(texts(count))
    let limit = count
    const failed: Array<number> = []
    for (let step = Bisection.next(state, limit); Option.isSome(step); step = Bisection.next(state, limit)) {
      const { rest, slice } = step.value
      if (slice.length > most) {
        failed.push(slice.length)
        state = Bisection.halved(rest, slice)
      } else {
        const found = Bisection.tooMuch(Bisection.served(rest, slice))
        limit = Option.match(found, {
          onNone: () => limit,
          onSome: ({ texts }) => Math.min(limit, Math.ceil(texts / 2))
        })
        state = Option.match(found, { onNone: () => Bisection.served(rest, slice), onSome: (one) => one.rest })
      }
    }
    expect(state.served).toBe(count)
    expect(failed.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count / most + 1)) + 1)
    expect(failed.length === 0 || limit <= most).toBe(true)
  })

  it.prop("finds no size at fault where a guilty text explains every failure", {
    count: FastCheck.integer({ min: 2, max: 64 }),
    at: FastCheck.nat(63)
  }, ({ at, count }) => {
    const { state } = drive(count, new Set([`h${at % count}`]), count)
    expect(state.failed.length).toBeGreaterThan(0)
    expect(Bisection.tooMuch(state)).toEqual(Option.none())
  })

  it("blames a text that was too long, and not the size of its batch", () => {
    const started = Bisection.start(texts(2))
    const first = Option.getOrThrow(Bisection.next(started, 2))
    const one = Option.getOrThrow(Bisection.next(Bisection.halved(first.rest, first.slice), 2))
    const shorter = Option.getOrThrow(Bisection.next(Bisection.shortened(one.rest, one.slice), 2))
    const two = Option.getOrThrow(Bisection.next(Bisection.served(shorter.rest, shorter.slice), 2))
    expect(Bisection.tooMuch(Bisection.served(two.rest, two.slice))).toEqual(Option.none())
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
