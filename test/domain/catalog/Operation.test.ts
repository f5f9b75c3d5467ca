import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { lexical, Operation, OperationId, text } from "../../../src/domain/catalog/Operation.js"
import * as Prose from "../../../src/domain/catalog/Prose.js"
import * as Text from "../../../src/domain/index/Text.js"

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

it("letters typed as two characters are found by the one, in every field", () => {
  const [typed, usual] = ["Cafe\u0301", "Caf\u00e9"]
  const [one, other] = [typed, usual].map((word = "") =>
    operation({ id: word, path: `/${word}`, summary: word, description: word, tags: [word], parameters: [word] })
  )
  expect(lexical(one ?? operation({}))).toEqual(lexical(other ?? operation({})))
  expect(text(one ?? operation({}))).toBe(text(other ?? operation({})))
  expect(one?.path).toBe(`/${typed}`)
})

describe("the text that is embedded", () => {
  /** The chunks as an embedder gets them. */
  const chunks = (fields: Parameters<typeof operation>[0]) => Text.chunks(text(operation(fields)), 80)

  it("says what the operation does and where it stands, each word once, and what it does in two sentences", () => {
    expect(chunks({
      id: "users/list-keys",
      path: "/users/{userId}/api_keys",
      summary: "List the keys of a user",
      description:
        "<p>Lists <b>all</b> keys, e.g. expired ones.</p>\n\nSee [the docs](https://docs.example/keys).\n\n```sh\ncurl x\n```",
      tags: ["users", "accessControl"],
      parameters: ["userId", "per_page", "page"]
    })).toEqual([
      "List the keys of a user. users api keys, access control, per page.",
      "List the keys of a user. Lists all keys, e.g. expired ones."
    ])
  })

  it("says what it does without the path too where the description adds nothing", () => {
    expect(chunks({ path: "/keys", summary: "List keys" })).toEqual(["List keys. keys.", "List keys."])
    expect(chunks({ path: "/keys", summary: "List keys", description: "List keys." })[1]).toBe("List keys.")
    expect(chunks({ path: "/", summary: "List keys" })).toEqual(["List keys."])
  })

  it("takes the description's first sentence for a summary that is missing", () => {
    expect(chunks({ path: "/a/{b}", description: "Opens a door. It may squeak. Oil it." }))
      .toEqual(["Opens a door. a.", "Opens a door. It may squeak."])
  })

  it("does not repeat a summary that the description begins with, and takes no word apart", () => {
    expect(chunks({ path: "/keys", summary: "List keys", description: "List keys. In order." })[1])
      .toBe("List keys. In order.")
    expect(chunks({ path: "/keys", summary: "List", description: "Lists keys." })[1]).toBe("List. Lists keys.")
  })

  it.each([
    ["a new one begins", "It runs v1.2 of e.g. this! Then more.", "It runs v1.2 of e.g. this!"],
    ["its paragraph ends", "One line\n\nAnother.", "One line."],
    ["the script says so", "鍵を一覧する。次の文。", "鍵を一覧する。"]
  ])("ends a sentence where %s", (_, description, first) => {
    expect(chunks({ summary: "Do", description })[1]).toBe(`Do. ${first}`)
  })

  it("names a path's variables only where the path has no other words", () => {
    expect(chunks({ path: "/{owner}/{repo}", summary: "Get" })).toEqual(["Get. owner repo.", "Get."])
  })

  it("speaks method, id and path where the author wrote nothing else", () => {
    expect(chunks({ id: "purgeAllCaches", method: "DELETE", path: "/caches" }))
      .toEqual(["delete purge all caches. caches.", "delete purge all caches."])
    expect(chunks({ id: "DELETE /caches", method: "DELETE", path: "/caches" })).toEqual(["delete. caches."])
  })

  it.prop("is never empty and never longer than its parts allow", [
    FastCheck.string({ unit: "binary", maxLength: 60 }),
    FastCheck.string({ unit: "grapheme", maxLength: 60 }),
    FastCheck.array(FastCheck.string())
  ], ([summary, description, tags]) => {
    const said = text(operation({ summary, description, tags }))
    expect(said.trim()).not.toBe("")
    expect(said.split(Text.border).length).toBeLessThanOrEqual(2)
    expect(said.length).toBeLessThan(
      2 * (2 * summary.length + 2 * description.length) + tags.join("").length * 2 + 40 + tags.length * 4
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
