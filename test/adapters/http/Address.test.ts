import { describe, expect, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Address from "../../../src/adapters/http/Address.js"

const authorization = (url: string, key?: string) =>
  Option.getOrNull(Option.map(
    Address.make(new URL(url), Option.map(Option.fromNullable(key), Redacted.make)).authorization,
    Redacted.value
  ))

const below = (base: string, path: string) => Address.below(new URL(base), path).href

describe("the address of a server", () => {
  it("loses its user and password, which become a header that prints as nothing", () => {
    const address = Address.make(new URL("https://ann:p%40ss@host.example/base?x=1#top"), Option.none())
    expect(address.base.href).toBe("https://host.example/base?x=1")
    expect(authorization("https://ann:p%40ss@host.example")).toBe(`Basic ${btoa("ann:p@ss")}`)
    expect(JSON.stringify(address)).not.toContain("ann")
  })

  it("bears a percent sign that escapes nothing", () => {
    expect(authorization("https://ann:50%25%zz@host.example")).toBe(`Basic ${btoa("ann:50%25%zz")}`)
  })

  it("needs no credentials, and a key goes before those of the address", () => {
    expect(authorization("https://host.example")).toBeNull()
    expect(authorization("https://ann:x@host.example", "sk-key")).toBe("Bearer sk-key")
  })

  it("has its routes below its own path, and keeps its query", () => {
    expect(below("http://host.example", "/embed")).toBe("http://host.example/embed")
    expect(below("http://host.example/a/", "/embed")).toBe("http://host.example/a/embed")
    expect(below("http://host.example/a?version=2", "/embed")).toBe("http://host.example/a/embed?version=2")
    expect(below("http://host.example/a/embed", "/../health")).toBe("http://host.example/a/health")
  })
})
