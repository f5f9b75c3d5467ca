import { describe, expect, it } from "@effect/vitest"
import type * as Pg from "pg"
import { BoundedConnection } from "../../../src/adapters/postgres/BoundedConnection.js"
import * as KeptConnection from "../../../src/adapters/postgres/KeptConnection.js"
import type { Lent } from "../../../src/adapters/postgres/KeptConnection.js"

/** A connection that is never opened, and what became of its loans. */
interface Known {
  readonly client: BoundedConnection
  readonly released: Array<boolean>
}

/** A pool that makes a connection for everyone who asks, or has none. */
const poolOf = (refusal?: Error) => {
  const made: Array<Known> = []
  const connect = (
    heard: (error: Error | undefined, client?: Pg.Client, release?: (broken: boolean) => void) => void
  ) => {
    if (refusal !== undefined) return heard(refusal)
    const known: Known = { client: new BoundedConnection(), released: [] }
    made.push(known)
    heard(undefined, known.client, (broken) => known.released.push(broken))
  }
  return { made, kept: KeptConnection.make({ connect } as unknown as Pg.Pool) } // all that is used of it
}

/** Borrows now; fails the test where nothing is lent in the call. */
const lentBy = (kept: KeptConnection.KeptConnection): Lent => {
  const lent: Array<Lent> = []
  kept.lend((_, one) => one !== undefined && lent.push(one))
  const [one] = lent
  if (one === undefined) throw new Error("nothing was lent")
  return one
}

const listeners = (made: ReadonlyArray<Known>) => made.map(({ client }) => client.listenerCount("error"))

describe("a kept connection", () => {
  it("is lent again and again, and the pool is asked once", () => {
    const { kept, made } = poolOf()
    for (let times = 0; times < 3; times += 1) lentBy(kept).giveBack(false)
    expect(made.map(({ released }) => released)).toEqual([[]])
    expect(listeners(made)).toEqual([1])
  })

  it("is one: whoever asks while it is lent has another, and the last to end goes back to the pool", () => {
    const { kept, made } = poolOf()
    const [first, second] = [lentBy(kept), lentBy(kept)]
    second.giveBack(false)
    first.giveBack(false)
    expect(made.map(({ released }) => released)).toEqual([[false], []])
    expect(listeners(made)).toEqual([0, 1])
    lentBy(kept)
    expect(made.length).toBe(2)
  })

  it("is given up where its statement broke it, and where it was heard to fail meanwhile", () => {
    const { kept, made } = poolOf()
    lentBy(kept).giveBack(true)
    const second = lentBy(kept)
    made[1]?.client.emit("error", new Error("gone"))
    second.giveBack(false)
    expect(made.map(({ released }) => released)).toEqual([[true], [true]])
    expect(listeners(made)).toEqual([0, 0])
  })

  it("is given up when it fails while nobody has it", () => {
    const { kept, made } = poolOf()
    lentBy(kept).giveBack(false)
    made[0]?.client.emit("error", new Error("gone"))
    lentBy(kept)
    expect(made.map(({ released }) => released)).toEqual([[true], []])
  })

  it("is given up when all are suspect, lent or not; those of later are kept again", () => {
    const { kept, made } = poolOf()
    const [first, second] = [lentBy(kept), lentBy(kept)]
    first.giveBack(false)
    kept.renew()
    second.giveBack(false)
    expect(made.map(({ released }) => released)).toEqual([[true], [true]])
    lentBy(kept).giveBack(false)
    lentBy(kept)
    expect(made.length).toBe(3)
  })

  it("goes back to the pool when that is to end, and so does what is lent", () => {
    const { kept, made } = poolOf()
    const [first, second] = [lentBy(kept), lentBy(kept)]
    first.giveBack(false)
    kept.close()
    second.giveBack(false)
    expect(made.map(({ released }) => released)).toEqual([[false], [false]])
  })

  it("is none where the pool has none, and the error says why", () => {
    const refusal = new Error("timeout exceeded when trying to connect")
    const told: Array<unknown> = []
    poolOf(refusal).kept.lend((...all) => told.push(all))
    expect(told).toEqual([[refusal, undefined]])
  })
})
