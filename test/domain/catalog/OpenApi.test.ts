import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { readFileSync } from "node:fs"
import { parse } from "yaml"
import type { CatalogProblem } from "../../../src/domain/catalog/CatalogProblem.js"
import type { Description } from "../../../src/domain/catalog/Description.js"
import type { Repeated } from "../../../src/domain/catalog/Document.js"
import { Document } from "../../../src/domain/catalog/Document.js"
import * as ExternalReference from "../../../src/domain/catalog/ExternalReference.js"
import * as OpenApi from "../../../src/domain/catalog/OpenApi.js"
import * as Operation from "../../../src/domain/catalog/Operation.js"

const operations = (root: unknown) => OpenApi.operations(new Document(root), "api.json")
const read = (root: unknown): Description => Either.getOrThrow(operations(root))
const problem = (root: unknown): CatalogProblem => Either.getOrThrow(Either.flip(operations(root)))
const ids = (description: Description): ReadonlyArray<string> => description.operations.map(({ id }) => id)

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8")
const rclone = (name: string) =>
  readFileSync(new URL(`../../../node_modules/rclone-openapi/${name}`, import.meta.url), "utf8")

const spec = (paths: unknown, more: object = {}) => ({
  openapi: "3.1.0",
  info: { title: "t", version: "1" },
  paths,
  ...more
})

describe("a real description", () => {
  it("gives the same 101 operations from its JSON and its YAML", () => {
    const json = read(JSON.parse(rclone("openapi.json")))
    const yaml = read(parse(rclone("openapi.yaml")))
    expect(json.operations.length).toBe(101)
    expect(yaml.operations).toEqual(json.operations)
    expect(json.title).toBe("Rclone RC API")
    expect(json.version).toBe("1.75.0")
    expect(json.warnings).toEqual([])
  })
})

describe("the corners of OpenAPI 3.1", () => {
  const corners = read(parse(fixture("corners.yaml")))
  const byId = (id: string) => corners.operations.find((operation) => operation.id === id)

  it("come in the document's order, webhooks last, each with an id of its own", () => {
    expect(ids(corners)).toEqual([
      "getOrder",
      "DELETE /orders/{orderId}",
      "GET /copies",
      "sharedGet",
      "POST /shared/a",
      "ownGet",
      "POST /shared/b",
      "escaped",
      "shipped"
    ])
  })

  it("merge the path's parameters with the operation's, each name once", () => {
    expect(byId("getOrder")?.parameters).toEqual(["orderId", "locale", "expand"])
    expect(byId("DELETE /orders/{orderId}")?.parameters).toEqual(["orderId", "locale"])
  })

  it("let an operation without words of its own speak with the path's", () => {
    expect(byId("DELETE /orders/{orderId}")).toMatchObject({
      summary: "One order",
      description: "What the path says for all of its operations."
    })
  })

  it("keep webhooks, marked as such", () => {
    expect(byId("shipped")).toMatchObject({ webhook: true, method: "POST", path: "orderShipped" })
    expect(byId("getOrder")?.webhook).toBe(false)
  })

  it("read escaped pointers, numbers among tags, and parameters beside broken ones", () => {
    expect(byId("escaped")?.path).toBe("/pointer")
    expect(byId("sharedGet")?.tags).toEqual(["stock", "7"])
    expect(byId("POST /shared/a")?.parameters).toEqual(["everywhere", "kept"])
    expect(byId("ownGet")?.parameters).toEqual(["everywhere"])
  })

  it("say what was left out and renamed, in sentences", () => {
    expect(corners.version).toBe("1")
    expect(corners.warnings).toEqual([
      "A parameter of POST /shared/a refers to \"#/components/parameters/loop\", which leads back to itself; that part was left out.",
      "A parameter of POST /shared/a is not described by an object and was left out.",
      "The path /loop refers to \"#/components/pathItems/loopOne\", which leads back to itself; that part was left out.",
      "The path /nowhere refers to \"#/components/pathItems/missing\", which the document does not have; that part was left out.",
      "The path /null is not described by an object and was left out.",
      "The operationId \"getOrder\" stands more than once; one of them is known as \"GET /copies\"."
    ])
  })
})

describe("other versions", () => {
  it("Swagger 2.0 is read, and knows no webhooks", () => {
    const old = read(JSON.parse(fixture("swagger2.json")))
    expect(ids(old)).toEqual(["listItems", "POST /items"])
    expect(old.operations[0]?.parameters).toEqual(["limit"])
  })

  it("a version that YAML took for a number is what its author wrote", () => {
    expect(ids(read({ swagger: 2, paths: { "/a": { get: {} } } }))).toEqual(["GET /a"])
    expect(ids(read({ openapi: 3.1, paths: { "/a": { get: {} } } }))).toEqual(["GET /a"])
  })

  it("OpenAPI 3.2 adds the query method and methods of one's own; before, they are no operations", () => {
    const paths = { "/a": { query: {}, additionalOperations: { PURGE: { operationId: "purge" } } } }
    expect(ids(read({ openapi: "3.2.0", paths }))).toEqual(["QUERY /a", "purge"])
    expect(problem({ openapi: "3.1.0", paths })._tag).toBe("NoOperations")
    const older = read({ openapi: "3.1.0", paths: { ...paths, "/b": { get: {} } } })
    expect(older.warnings).toEqual([
      "The path /a has the method \"query\", which came with OpenAPI 3.2; it was left out.",
      "The path /a has \"additionalOperations\", which came with OpenAPI 3.2; they were left out."
    ])
  })

  it.each([
    [{ openapi: "4.0.0", paths: {} }, "openapi: 4.0.0"],
    [{ openapi: "3.10.0", paths: {} }, "openapi: 3.10.0"],
    [{ swagger: "1.2", paths: {} }, "swagger: 1.2"],
    [{ swaggerVersion: "1.2", apis: [] }, "swaggerVersion: 1.2"],
    [{ openapi: "three", paths: {} }, "openapi: three"]
  ])("%j cannot be read, and the message names its version", (document, said) => {
    expect(problem(document)._tag).toBe("UnsupportedVersion")
    expect(problem(document).message).toContain(said)
  })
})

describe("something else than a description is named for what it looks like", () => {
  it.each([
    [null, "an empty document"],
    [undefined, "an empty document"],
    [[1, 2], "a list of 2 elements"],
    [[{}], "a list of 1 element"],
    ["<!DOCTYPE html><p>", "an HTML page"],
    ["<rss/>", "an XML document"],
    ["hello", "plain text"],
    [7, "a single number"],
    [true, "a single boolean"],
    [{}, "an empty object"],
    [{ a: 1 }, "an object with the key \"a\""],
    [{ a: 1, b: 1, c: 1, d: 1 }, "an object with the keys \"a\", \"b\", \"c\", ..."],
    [{ asyncapi: "2.6.0" }, "an AsyncAPI description"],
    [{ info: { schema: "https://schema.getpostman.com/json/collection/v2.1.0/" } }, "a Postman collection"],
    [{ data: { __schema: {} } }, "a GraphQL schema"],
    [{ __schema: {} }, "a GraphQL schema"],
    [{ $schema: "https://json-schema.org/draft/2020-12/schema" }, "a JSON Schema"],
    [{ paths: {} }, "an API description that lacks its \"openapi\" or \"swagger\" version"],
    [{ openapi: {}, paths: {} }, "an API description that lacks its \"openapi\" or \"swagger\" version"]
  ])("%j looks like %s", (document, looksLike) => {
    expect(problem(document)).toMatchObject({ _tag: "NotASpec", looksLike })
  })
})

describe("keys that stand more than once", () => {
  const repeat = (within: object, key: string, value: unknown) => ({ within, key, value, line: 7, column: 3 })
  const again = (key: string) => `The key "${key}" stands more than once in one object, again at line 7, column 3`
  const withRepeated = (root: unknown, repeated: ReadonlyArray<Repeated>) =>
    Either.getOrThrow(OpenApi.operations(new Document(root, { repeated, addresses: [] }), "api.json"))

  it("lose no operation: a path, a method, all paths", () => {
    const item = { post: { operationId: "createPet" }, get: { operationId: "petsAgain" } }
    const paths = { "/pets": item }
    const root = spec(paths)
    const description = withRepeated(root, [
      repeat(root, "paths", { "/early": { get: {} } }),
      repeat(paths, "/pets", { get: { operationId: "listPets" } }),
      repeat(item, "get", { summary: "another" })
    ])
    expect(ids(description)).toEqual(["GET /early", "listPets", "createPet", "GET /pets", "petsAgain"])
    expect(description.warnings).toEqual(
      ["paths", "/pets", "get"].map((key) => `${again(key)}; all of its values are read.`)
    )
  })

  it("of a method of one's own lose no operation, and a reference finds what stands in an earlier value", () => {
    const additional = { COPY: { operationId: "second" } }
    const root = {
      openapi: "3.2.0",
      paths: {
        "/a": { additionalOperations: additional, get: { parameters: [{ $ref: "#/components/parameters/p" }] } }
      },
      components: {}
    }
    const description = withRepeated(root, [
      repeat(additional, "COPY", { operationId: "first" }),
      repeat(root, "components", { parameters: { p: { name: "early" } } })
    ])
    expect(ids(description)).toEqual(["GET /a", "first", "second"])
    expect(description.operations[0]?.parameters).toEqual(["early"])
  })

  it("are said to be lost where only one value can count, and said once for all where nobody reads them", () => {
    const operation = { summary: "last" }
    const schema = {}
    const root = spec({ "/a": { get: operation } }, { components: { schemas: { schema } } })
    const description = withRepeated(root, [
      repeat(operation, "summary", "first"),
      repeat(schema, "type", "object"),
      repeat(schema, "title", "a")
    ])
    expect(description.operations[0]?.summary).toBe("last")
    expect(description.warnings).toEqual([
      `${again("summary")}; only the last of its values is read.`,
      `${again("type")}, and 1 more keys likewise.`
    ])
  })
})

describe("a document that refers to itself by name", () => {
  const at = "https://h.example/v1/my%20spec.json?token=1"
  const described = (ref: string, more: object = {}) =>
    OpenApi.operations(
      new Document(
        spec({ "/a": { $ref: `${ref}#/components/pathItems/a` } }, {
          components: { pathItems: { a: { get: { operationId: "found" } } }, schemas: {} },
          ...more
        }),
        { repeated: [], addresses: [at] }
      ),
      at
    )

  it.each([
    ["its file name", "my%20spec.json", {}],
    ["its file name, written otherwise", "./my spec.json", {}],
    ["the way around", "../v1/m%79%20spec.json", {}],
    ["its URL", "https://h.example/v1/my%20spec.json", {}],
    ["its URL with the query", at, {}],
    ["its $self", "https://api.example/openapi.yaml", { $self: "https://api.example/openapi.yaml" }],
    ["a name beside its $self", "openapi.yaml", { $self: "https://api.example/openapi.yaml" }],
    ["its file name beside a $self", "my%20spec.json", { $self: "https://api.example/openapi.yaml" }],
    ["a $self that is relative", "https://h.example/canonical", { $self: "/canonical" }],
    ["a URN", "urn:example:api", { $self: "urn:example:api" }],
    ["the $id at its root", "https://id.example/a", { $id: "https://id.example/a" }]
  ])("%s: is found", (_, ref, more) => {
    expect(ids(Either.getOrThrow(described(ref, more)))).toEqual(["found"])
  })

  it.each(["spec.json", "https://h.example/my%20spec.json", "http://h.example/v1/my%20spec.json", "urn:x", "http://["])(
    "%s is another document",
    (ref) => {
      expect(Either.getOrThrow(Either.flip(described(ref)))).toMatchObject({ _tag: "ExternalRef" })
    }
  )

  it("has parts with an $id, which names within them are relative to", () => {
    const schemas = {
      a: { $id: "https://s.example/a", properties: { b: { $ref: "b#/x" }, self: { $ref: "#" } } },
      b: { $id: "https://s.example/b" }
    }
    const inside = { components: { schemas, pathItems: { a: { get: {} } } } }
    expect(ids(read(spec({ "/a": { get: {} } }, inside)))).toEqual(["GET /a"])
    expect(problem(spec({ "/a": { get: {}, parameters: [{ $ref: "b" }] } }, inside))).toMatchObject({ ref: "b" })
  })
})

describe("what stands where a text belongs", () => {
  it("is that text, also when a parser made a number or a boolean of it", () => {
    const operation = {
      operationId: true,
      summary: 404,
      tags: [2024, false, null, {}],
      parameters: [{ name: 1.5 }, { name: false }, { name: null }]
    }
    const { operations, version } = read({
      openapi: "3.1.0",
      info: { version: 2 },
      paths: { "/a": { get: operation } }
    })
    expect(operations[0]).toMatchObject({
      id: "true",
      summary: "404",
      tags: ["2024", "false"],
      parameters: ["1.5", "false"]
    })
    expect(version).toBe("2")
  })
})

describe("no operations", () => {
  it.each([
    ["paths that are empty", spec({})],
    ["paths that are missing", { openapi: "3.1.0", info: { title: "t" }, components: {} }],
    ["a path without methods", spec({ "/a": { parameters: [] } })],
    ["paths that are a list", spec([{ get: {} }])],
    ["extensions alone", spec({ "x-a": { get: {} } })]
  ])("%s: the title is named", (_, document) => {
    expect(problem(document)).toMatchObject({ _tag: "NoOperations", title: "t" })
  })
})

describe("a reference out of the document", () => {
  it.each([
    ["a path item", spec({ "/a": { $ref: "paths/a.yaml" } }), "paths/a.yaml", "#/paths/~1a"],
    [
      "a response called default",
      spec({ "/a": { get: { responses: { default: { $ref: "errors.json#/any" } } } } }),
      "errors.json#/any",
      "#/paths/~1a/get/responses/default"
    ],
    [
      "a parameter",
      spec({ "/a": { get: { parameters: [{ name: "x" }, { $ref: "https://e.org/p.json" }] } } }),
      "https://e.org/p.json",
      "#/paths/~1a/get/parameters/1"
    ],
    [
      "a property called example",
      spec({ "/a": { get: {} } }, { components: { schemas: { a: { properties: { example: { $ref: "b.json" } } } } } }),
      "b.json",
      "#/components/schemas/a/properties/example"
    ]
  ])("in %s is refused, with its place", (_, document, ref, where) => {
    expect(problem(document)).toMatchObject({ _tag: "ExternalRef", ref, where })
  })

  it("is the first in the document's order, where there are many", () => {
    const document = spec({ "/a": { get: { parameters: [{ $ref: "first" }] } }, "/b": { $ref: "second" } })
    expect(problem(document)).toMatchObject({ ref: "first" })
  })

  it.each([
    ["in an example", { example: { $ref: "elsewhere.json" } }],
    ["in an extension", { "x-links": [{ $ref: "elsewhere.json" }] }],
    ["that is no string", { responses: { "200": { $ref: 7 } } }],
    ["to a schema's own $id", {
      responses: { "200": { $id: "https://e.org/s", other: { $ref: "https://e.org/s#/a" } } }
    }]
  ])("%s is none", (_, operation) => {
    expect(ids(read(spec({ "/a": { get: operation } })))).toEqual(["GET /a"])
  })
})

describe("hostile documents", () => {
  it("keys of the prototype are names like any other", () => {
    const paths: unknown = JSON.parse(
      "{\"/a\":{\"get\":{\"operationId\":\"constructor\"},\"__proto__\":{\"post\":{}}},\"__proto__\":{\"get\":{\"operationId\":\"__proto__\"}},\"/b\":{\"$ref\":\"#/constructor/prototype\"}}"
    )
    const description = read(spec(paths))
    expect(ids(description)).toEqual(["constructor", "__proto__"])
    expect(description.warnings[0]).toContain("#/constructor/prototype")
  })

  it("nesting as deep as a parser allows is walked", () => {
    let deep: unknown = { $ref: "deep.json" }
    for (let level = 0; level < 200_000; level++) deep = [deep]
    expect(problem(spec({ "/a": { get: { responses: deep } } }))).toMatchObject({ ref: "deep.json" })
  })

  it("objects that contain themselves are visited once", () => {
    const self: Record<string, unknown> = { get: {} }
    self["parameters"] = [self]
    self["again"] = self
    expect(ids(read(spec({ "/a": self })))).toEqual(["GET /a"])
  })

  it("references that repeat one large path item without end are refused in bounded time", () => {
    const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
    const operation = { parameters: Array.from({ length: 5_000 }, (_, index) => ({ name: `p${index}` })) }
    const document = spec(
      Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`/p${index}`, { $ref: "#/components/x" }])),
      { components: { x: Object.fromEntries(methods.map((method) => [method, operation])) } }
    )
    expect(problem(document)).toMatchObject({ _tag: "TooManyOperations", limit: 100_000 })
  })

  it("nothing that is no object refers to anything", () => {
    expect(Option.isNone(ExternalReference.first(new Document("$ref")))).toBe(true)
  })

  it("a reference too long to mean anything leads nowhere", () => {
    const key = "k".repeat(5_000)
    expect(problem(spec({ "/a": { $ref: `#/${key}` } }, { [key]: { get: {} } }))._tag).toBe("NoOperations")
  })

  it("a list, a number in a pointer and a reference to the whole document lead where they say", () => {
    const description = read(
      spec({ "/a": { $ref: "#/x/items/1" }, "/b": { $ref: "#" }, "/c": { $ref: "#/x/items/01234567890" } }, {
        x: { items: [{}, { get: { parameters: [{ $ref: "#/x/items/-" }] } }] }
      })
    )
    expect(ids(description)).toEqual(["GET /a"])
    expect(description.warnings.length).toBe(2)
  })

  it("a thousand operations with one id are all kept, and warnings stay few", () => {
    const document = spec(
      Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`/p${index}`, { get: { operationId: "same" } }]))
    )
    const description = read(document)
    expect(new Set(ids(description)).size).toBe(1_000)
    expect(ids(description).slice(0, 2)).toEqual(["same", "GET /p1"])
    expect(description.warnings.length).toBe(51)
    expect(description.warnings.at(-1)).toBe("There are 949 more warnings.")
  })

  it("an id that another operation's place would get leaves both their own", () => {
    const description = read(spec({ "/a": { get: {} }, "/b": { get: { operationId: "GET /a" } } }))
    expect(ids(description)).toEqual(["GET /a (2)", "GET /a"])
  })

  it("texts without end, and characters that no database takes, are cut and cleaned", () => {
    const description = read(
      spec({
        [`/${"p".repeat(5_000)}`]: { get: { operationId: "i".repeat(400), description: "d".repeat(40_000) } },
        "/b": { get: { operationId: "a\u0000b\ud800\n c", summary: 7, tags: "no", parameters: {} } }
      })
    )
    const [long, odd] = description.operations
    expect(long?.path.length).toBe(2_000)
    expect(long?.id.length).toBe(300)
    expect(long?.description.length).toBe(32_768)
    expect(description.warnings[0]).toContain("was cut there")
    expect(odd).toMatchObject({ id: "ab\ufffd c", summary: "7", tags: [], parameters: [] })
  })
})

/** Documents that look like descriptions, and go wrong anywhere. */
const arbitraryKey = FastCheck.oneof(
  FastCheck.constantFrom(
    "$ref",
    "parameters",
    "name",
    "get",
    "post",
    "summary",
    "operationId",
    "tags",
    "__proto__",
    "x-a",
    "$id"
  ),
  FastCheck.string({ maxLength: 5 })
)
const arbitraryRef = FastCheck.constantFrom(
  "#",
  "#/paths",
  "#/paths/~1a",
  "#/paths/~1a/get",
  "#/%",
  "#/%ff",
  "#x",
  "",
  "#/paths/0"
)
const arbitraryValue = FastCheck.letrec<{ value: unknown }>((tie) => ({
  value: FastCheck.oneof(
    { maxDepth: 4 },
    FastCheck.oneof(arbitraryRef, FastCheck.jsonValue(), FastCheck.constant(null)),
    FastCheck.dictionary(arbitraryKey, tie("value"), { maxKeys: 5 }),
    FastCheck.array(tie("value"), { maxLength: 4 })
  )
})).value
const arbitrarySpec = FastCheck.record({
  openapi: FastCheck.oneof(FastCheck.constantFrom("3.0.3", "3.1.0", "3.2.0"), arbitraryValue),
  info: arbitraryValue,
  paths: FastCheck.oneof(
    FastCheck.dictionary(FastCheck.constantFrom("/a", "/b", "/{c}", "", "d"), arbitraryValue),
    arbitraryValue
  ),
  webhooks: arbitraryValue,
  components: arbitraryValue
}, { requiredKeys: [] })

/** Operations with few ids to share among them. */
const arbitraryPaths = FastCheck.dictionary(
  FastCheck.constantFrom("/a", "/b", "/c", "/d", "e", "GET /a", ""),
  FastCheck.dictionary(
    FastCheck.constantFrom("get", "post", "put"),
    FastCheck.record({
      operationId: FastCheck.constantFrom("one", "two", "GET /a", "POST /b (2)", "GET /a (2)", " ")
    }, { requiredKeys: [] })
  )
)

describe("laws", () => {
  it.prop("whatever JSON comes, it ends in a description or a problem with a message", [
    FastCheck.oneof(FastCheck.jsonValue(), arbitrarySpec, arbitraryValue)
  ], ([document]) => {
    const result = operations(document)
    if (Either.isLeft(result)) expect(result.left.message.length).toBeGreaterThan(20)
    else {
      expect(new Set(ids(result.right)).size).toBe(result.right.operations.length)
      for (const operation of result.right.operations) {
        expect(Operation.text(operation).trim()).not.toBe("")
        expect(operation.id.length).toBeLessThanOrEqual(300)
      }
    }
  }, { fastCheck: { numRuns: 2_000 } })

  it.prop(
    "duplicate ids lose no operation, ids are unique, and the first who wants one keeps it",
    [arbitraryPaths],
    ([paths]) => {
      const declared = Object.entries(paths).flatMap(([path, item]) =>
        Object.entries(item).map(([method, { operationId }]) => ({
          place: `${method.toUpperCase()} ${path === "" ? "/" : path}`,
          wanted: operationId?.trim() ?? ""
        }))
      )
      const result = OpenApi.operations(new Document(spec(paths)), "api.json")
      if (Either.isLeft(result)) {
        expect(declared).toEqual([])
        return
      }
      const { operations } = result.right
      expect(operations.map(({ method, path }) => `${method} ${path}`)).toEqual(declared.map(({ place }) => place))
      expect(new Set(operations.map(({ id }) => id)).size).toBe(declared.length)
      declared.forEach(({ wanted }, index) => {
        if (wanted !== "" && declared.findIndex((other) => other.wanted === wanted) === index) {
          expect(operations[index]?.id).toBe(wanted)
        }
      })
    },
    { fastCheck: { numRuns: 1_000 } }
  )

  it.prop(
    "the same document gives the same description, also after a trip through JSON",
    [arbitrarySpec],
    ([document]) => {
      const once = operations(document)
      const again = operations(JSON.parse(JSON.stringify(document)))
      expect(again).toEqual(once)
    },
    { fastCheck: { numRuns: 500 } }
  )
})
