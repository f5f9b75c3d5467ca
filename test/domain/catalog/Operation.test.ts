import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { lexical, Operation, OperationId, text } from "../../../src/domain/catalog/Operation.js"
import * as Prose from "../../../src/domain/catalog/Prose.js"

const operation = (fields: Partial<Omit<Operation, "id">> & { readonly id?: string }): Operation =>
  new Operation({
    method: "GET",
    path: "/",
    summary: "",
    description: "",
    tags: [],
    parameters: [],
    webhook: false,
    ...fields,
    id: OperationId.make(fields.id ?? "GET /")
  })

describe("the text that is embedded", () => {
  it("says what the operation does, then its path, then the rest, each thing once", () => {
    expect(text(operation({
      id: "users/list-keys",
      path: "/users/{userId}/api_keys",
      summary: "List the keys of a user",
      description:
        "<p>Lists <b>all</b> keys.</p>\n\nSee [the docs](https://docs.example/keys) first.\n\n```sh\ncurl x\n```",
      tags: ["users", "accessControl"],
      parameters: ["userId", "per_page", "page"]
    }))).toBe(
      "List the keys of a user. users user id api keys.\nLists all keys.\nSee the docs first.\naccess control, per page"
    )
  })

  it("takes the description's first sentence for a summary that is missing, so that the path stays near the top", () => {
    expect(text(operation({ path: "/a/{b}", description: "Opens a door. It may squeak." })))
      .toBe("Opens a door. a b.\nIt may squeak.")
  })

  it("does not repeat a summary that the description begins with", () => {
    expect(text(operation({ path: "/keys", summary: "List keys", description: "List keys. In order." })))
      .toBe("List keys. keys.\nIn order.")
  })

  it("speaks method, id and path where the author wrote nothing else", () => {
    expect(text(operation({ id: "purgeAllCaches", method: "DELETE", path: "/caches" })))
      .toBe("delete purge all caches. caches.")
    expect(text(operation({ id: "DELETE /caches", method: "DELETE", path: "/caches" }))).toBe("delete. caches.")
  })

  it.prop("is never empty and never longer than its parts allow", [
    FastCheck.string({ unit: "binary", maxLength: 60 }),
    FastCheck.string({ unit: "grapheme", maxLength: 60 }),
    FastCheck.array(FastCheck.string())
  ], ([summary, description, tags]) => {
    const said = text(operation({ summary, description, tags }))
    expect(said.trim()).not.toBe("")
    expect(said.length).toBeLessThan(
      2 * (summary.length + description.length) + tags.join("").length * 2 + 40 + tags.length * 4
    )
  }, { fastCheck: { numRuns: 500 } })
})

describe("the fields of full-text search", () => {
  it("weigh the summary and the id most, then path and tags, then the rest; names are found whole and by their words", () => {
    expect(lexical(operation({
      id: "createPetNow",
      path: "/pets/{petId}",
      summary: "Add a `pet`",
      description: "At once.",
      tags: ["petStore"],
      parameters: ["dryRun"]
    }))).toEqual({
      a: "Add a pet\ncreate pet now\ncreatePetNow",
      b: "pets pet id\npet store",
      c: "At once.\ndry run\ndryRun"
    })
  })

  it("leave out an id that only repeats method and path", () => {
    expect(lexical(operation({ id: "GET /pets", path: "/pets" }))).toEqual({ a: "", b: "pets", c: "" })
  })
})

describe("words", () => {
  it.each([
    ["/users/{userId}/api_keys", "users user id api keys"],
    ["getHTTPServerByID", "get http server by id"],
    ["listISOs", "list isos"],
    ["oauth2Token", "oauth2 token"],
    ["größeÄndern", "größe ändern"],
    ["/", ""]
  ])("of %s are \"%s\"", (identifier, words) => {
    expect(Prose.words(identifier)).toBe(words)
  })
})

describe("plain text", () => {
  it.each([
    ["a mark-down list", "Do:\n- one\n- *two*\n3. three", "Do:\none\ntwo\nthree"],
    ["a note", "> [!NOTE]\n> Take care.", "Take care."],
    ["a table", "| a | b |\n|---|---|\n| 1 | 2 |", "a b\n1 2"],
    ["emphasis, but no identifier's underscores", "_so_ **bold** `per_page` __all__", "so bold per_page all"],
    ["an image and a bare address", "![logo](x.png) at https://e.org/a?b=c now", "logo at now"],
    ["entities", "a &lt; b &amp;&nbsp;c &foo; d", "a < b & c &foo; d"],
    ["an identifier between underscores", "(_a_b_) _", "(a_b)"],
    ["a comparison is no tag", "if a < b and c > d", "if a < b and c > d"],
    ["nothing but marks", "***\n---\n", ""]
  ])("of %s", (_, text, plain) => {
    expect(Prose.plain(text)).toBe(plain)
  })

  it.each([
    "<".repeat(200_000),
    "[".repeat(200_000),
    "[a](".repeat(50_000),
    "`".repeat(200_000),
    "```a".repeat(50_000),
    " ".repeat(200_000),
    "_ ".repeat(100_000),
    "a_".repeat(100_000),
    "| ".repeat(100_000),
    "\n ".repeat(100_000),
    "#".repeat(200_000),
    "http://".repeat(30_000),
    "A".repeat(200_000),
    "&#x".repeat(60_000)
  ])("of a text made to be slow takes time in proportion to its length (%#)", (text) => {
    const begin = performance.now()
    Prose.plain(text)
    Prose.words(text)
    expect(performance.now() - begin).toBeLessThan(5_000)
  })
})

describe("a brief form", () => {
  it.prop("is one line, within its length, well-formed, and the text itself where that is short", [
    FastCheck.string({ unit: "binary" }),
    FastCheck.integer({ min: 1, max: 30 })
  ], ([text, length]) => {
    const brief = Prose.brief(text, length)
    expect(brief.length).toBeLessThanOrEqual(length)
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    expect(brief).not.toMatch(/[\u0000-\u001f\u007f]|\p{Surrogate}/u)
    if (/^[a-z]*$/.test(text) && text.length <= length) expect(brief).toBe(text)
  }, { fastCheck: { numRuns: 1_000 } })
})
