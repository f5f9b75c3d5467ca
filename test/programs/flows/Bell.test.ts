import { describe, expect, it } from "@effect/vitest"
import * as Bell from "../../../src/programs/flows/Bell.js"

const heard = () => {
  const bell = Bell.make<string>()
  const rings: Array<string> = []
  return { bell, rings, listen: (who: string) => bell.listen((sound) => rings.push(`${who} ${sound}`)) }
}

describe("a bell", () => {
  it("calls its listener once, in the call that rings", () => {
    const { bell, listen, rings } = heard()
    listen("a")
    expect(rings).toEqual([])
    bell.ring("ding")
    bell.ring("ding")
    expect(rings).toEqual(["a ding"])
  })

  it("remembers what rang while nobody listened, until it is silenced", () => {
    const { bell, listen, rings } = heard()
    bell.ring("ding")
    listen("a")
    expect(rings).toEqual(["a ding"])
    bell.silence()
    listen("b")
    expect(rings).toEqual(["a ding"])
    bell.ring("ding")
    expect(rings).toEqual(["a ding", "b ding"])
  })

  it("calls nobody who listens no longer", () => {
    const { bell, listen, rings } = heard()
    const stop = listen("a")
    stop()
    bell.ring("ding")
    expect(rings).toEqual([])
  })

  it("keeps the next listener when an earlier one stops late", () => {
    const { bell, listen, rings } = heard()
    const stop = listen("a")
    bell.ring("ding")
    bell.silence()
    listen("b")
    stop()
    bell.ring("ding")
    expect(rings).toEqual(["a ding", "b ding"])
  })

  it("may be silenced and listened to by the one it calls", () => {
    const { bell, listen, rings } = heard()
    bell.listen(() => {
      bell.silence()
      listen("again")
    })
    bell.ring("ding")
    expect(rings).toEqual([])
    bell.ring("ding")
    expect(rings).toEqual(["again ding"])
  })
})
