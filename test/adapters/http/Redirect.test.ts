import { describe, expect, it } from "@effect/vitest"
import * as Redirect from "../../../src/adapters/http/Redirect.js"

const redirect = (base: string, route: string, location: string | undefined, status = 307) => {
  const address = new URL(base)
  const found = Redirect.of(
    { status, headers: location === undefined ? {} : { location }, body: "" },
    address,
    new URL(`${address.origin}${address.pathname.replace(/\/$/u, "")}${route}`)
  )
  return found === null ? null : Redirect.describe(found, "embedder.url")
}

describe("a redirect", () => {
  const cases: ReadonlyArray<readonly [base: string, route: string, location: string | undefined, words: string]> = [
    [
      "http://a.example",
      "/embed",
      "https://a.example/embed",
      "redirects to https://a.example/embed: set it to https://a.example"
    ],
    [
      "http://a.example/v1/",
      "/embeddings",
      "https://b.example/api/v1/embeddings",
      "redirects to https://b.example/api/v1/embeddings: set it to https://b.example/api/v1"
    ],
    [
      "http://a.example",
      "/embed",
      "/v2/embed",
      "redirects to http://a.example/v2/embed: set it to http://a.example/v2"
    ],
    [
      "http://a.example",
      "/embed",
      "https://login.example/start?next=secret",
      "redirects to https://login.example/start: set it to the address where the service itself answers"
    ],
    [
      "http://a.example",
      "/embed",
      "https://ann:secret@b.example/embed?key=secret",
      "redirects to https://b.example/embed: set it to https://b.example"
    ],
    ["http://a.example", "/embed", "/embed", "redirects to itself (http://a.example/embed)"],
    ["http://a.example", "/embed", undefined, "redirects and does not say where to"],
    ["http://a.example", "/embed", "http://[", "redirects and does not say where to"]
  ]
  for (const [base, route, location, words] of cases) {
    it(`says where ${base}${route} sends us by ${location}, and no secret`, () => {
      const told = redirect(base, route, location)
      expect(told).toContain(`embedder.url ${words}`)
      expect(told).not.toContain("secret")
    })
  }

  it("is no answer of another status", () => {
    expect(redirect("http://a.example", "/embed", "/elsewhere", 200)).toBeNull()
    expect(redirect("http://a.example", "/embed", "/elsewhere", 304)).toBeNull()
    expect(redirect("http://a.example", "/embed", "/elsewhere", 404)).toBeNull()
  })
})
