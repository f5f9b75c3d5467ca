import { describe, expect, it } from "@effect/vitest"
import { PreparedStatements } from "../../../../src/adapters/postgres/driver/Prepared.js"

const gone = Object.assign(new Error("prepared statement \"x\" does not exist"), { code: "26000" })

describe("the prepared statements of a connection", () => {
  it("have a name of at most 63 characters that follows from the text, and others have none", () => {
    const [here, there] = [new PreparedStatements(), new PreparedStatements()]
    const text = `/* prepared */ select ${"1, ".repeat(1000)} 1`
    expect(here.nameOf(text)).toBe(there.nameOf(text))
    expect(here.nameOf(text)?.length).toBeLessThanOrEqual(63)
    expect(here.nameOf(`${text}, 2`)).not.toBe(here.nameOf(text))
    expect(here.nameOf("select 1 /* prepared */")).toBeUndefined()
    expect(here.nameOf({ text })).toBeUndefined()
  })

  it("have new names once one is gone, and the server is to forget the old ones", () => {
    const statements = new PreparedStatements()
    const before = statements.nameOf("/* prepared */ select 1")
    expect(statements.ended(null)).toBe(false)
    expect(statements.ended(new Error("connection lost"))).toBe(false)
    expect(statements.nameOf("/* prepared */ select 1")).toBe(before)
    expect(statements.ended(gone)).toBe(true)
    expect(statements.nameOf("/* prepared */ select 1")).not.toBe(before)
  })
})
