import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { findable } from "../../../src/domain/text/Findable.js"

const anyText = FastCheck.string({ unit: "binary", maxLength: 40 })

describe("a text that is to be found", () => {
  it("is the same however its letters were typed", () => {
    expect(findable("Cre\u0301e\u0301 a\u0308")).toBe("Cr\u00e9\u00e9 \u00e4")
  })

  it.prop("is one for all normal forms of a text", [anyText], ([text]) => {
    expect(findable(text.normalize("NFD"))).toBe(findable(text.normalize("NFC")))
  })

  it.prop("is storable, and stays what it is", [anyText], ([text]) => {
    expect(findable(text)).not.toMatch(/[\0\p{Surrogate}]/u)
    expect(findable(findable(text))).toBe(findable(text))
  })
})
