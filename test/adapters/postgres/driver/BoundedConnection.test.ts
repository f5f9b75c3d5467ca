import { afterEach, describe, expect, it, vi } from "@effect/vitest"
import * as Pg from "pg"
import { BoundedConnection } from "../../../../src/adapters/postgres/driver/BoundedConnection.js"

/** A connection to the server itself whose statements all go without an answer; counts how often it says that it is silent. */
const silent = () => {
  const connection = new BoundedConnection()
  Object.assign(connection, { processID: 7 })
  connection.answeredBy(7)
  const inner = connection as unknown as { readonly connection: { readonly stream: NodeJS.EventEmitter } } // not in its types
  inner.connection.stream.on("error", () => {})
  const sent: Array<unknown> = []
  vi.spyOn(Pg.Client.prototype, "query").mockImplementation((...args: ReadonlyArray<unknown>) => {
    sent.push(args[0])
    const told = args.at(-1)
    if (typeof told === "function") told(new Error("Query read timeout"))
  })
  let times = 0
  connection.on("silent" as "end", () => times += 1) // its types know the driver's own events alone
  return { connection, sent, times: () => times }
}

describe("a bounded connection", () => {
  afterEach(() => vi.restoreAllMocks())

  const name: unknown = expect.stringMatching(/^holdfast_/)
  for (
    const [text, statement] of [
      ["select 1", "select 1"],
      ["/* prepared */ select 1", { name, text: "/* prepared */ select 1" }]
    ]
  ) {
    it(`is given up where a statement has no answer: ${text}`, () => {
      const { connection, sent, times } = silent()
      const told = vi.fn()
      const query = connection.query as (...args: ReadonlyArray<unknown>) => void // as the pool's client calls it
      query.call(connection, text, [], told)
      expect(sent).toEqual([statement])
      expect(times()).toBe(1)
      expect(told.mock.calls.map(([error]) => error)).toEqual([new Error("Query read timeout")])
    })
  }
})
