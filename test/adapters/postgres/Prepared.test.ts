import { describe, expect, it } from "@effect/vitest"
import { PreparedStatements } from "../../../src/adapters/postgres/Prepared.js"

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

  it("are planned anew after a slow one, once in five seconds, and not after a quick one", () => {
    const statements = new PreparedStatements()
    const after = (began: number, now: number) => {
      statements.ended(null, began, now)
      return statements.ahead(true)
    }
    statements.ahead(true)
    expect(after(0, 19)).toBeUndefined()
    expect(after(100, 120)).toBe("discard plans")
    expect(after(200, 1119)).toBeUndefined()
    expect(after(20_000, 20_001)).toBe("discard plans")
    expect(after(24_000, 25_000)).toBeUndefined()
    expect(after(25_001, 25_021)).toBe("discard plans")
  })

  it("are planned anew after a second, and each time after twice as long", () => {
    const statements = new PreparedStatements()
    statements.ahead(true)
    const planned = Array.from({ length: 1000 }, (_, second) => 500 + second * 100).filter((began) => {
      statements.ended(null, began, began)
      return statements.ahead(true) !== undefined
    })
    expect(planned).toEqual([1500, 2500, 4500, 8500, 16_500, 32_500, 64_500])
  })

  it("have new names once one is gone, and the old ones are removed first", () => {
    const statements = new PreparedStatements()
    const before = statements.nameOf("/* prepared */ select 1")
    statements.ended(null, 0, 1000)
    statements.ended(gone, 1000, 1001)
    expect(statements.nameOf("/* prepared */ select 1")).not.toBe(before)
    expect(statements.ahead(false)).toBeUndefined()
    expect(statements.ahead(true)).toBe("deallocate all; set plan_cache_mode = force_generic_plan")
    expect(statements.ahead(true)).toBeUndefined()
  })

  it("are planned whatever their values are, and others as the server likes", () => {
    const statements = new PreparedStatements()
    const asked = [false, true, true, false, false, true].map((marked) => statements.ahead(marked))
    const [generic, usual] = ["set plan_cache_mode = force_generic_plan", "reset plan_cache_mode"]
    expect(asked).toEqual([undefined, generic, undefined, usual, undefined, generic])
    statements.takenBack()
    expect([statements.ahead(true), statements.ahead(true)]).toEqual([generic, undefined])
    statements.takenBack()
    expect([statements.ahead(false), statements.ahead(false)]).toEqual([usual, undefined])
  })
})
