import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash } from "node:crypto"
import { relative } from "node:path"
import { pathToFileURL } from "node:url"
import * as Reader from "../../../src/adapters/source/SourceReader.js"
import { SourceReader } from "../../../src/domain/catalog/SourceReader.js"

const layer = Layer.provideMerge(Reader.layer, NodeContext.layer)

const readAll = (location: string) => Effect.flatMap(SourceReader, (reader) => reader.read(location))
const read = (location: string) =>
  Effect.map(readAll(location), ({ document, ...source }) => ({ ...source, document: document.root }))
const problem = (location: string) => Effect.flip(read(location))

const write = Effect.fnUntraced(function*(name: string, content: string | Uint8Array) {
  const files = yield* FileSystem.FileSystem
  const path = `${yield* files.makeTempDirectoryScoped()}/${name}`
  yield* files.writeFile(path, typeof content === "string" ? Buffer.from(content) : content)
  return path
})

/** Work done as a user who may not read everything: root may, whatever a file's mode says. */
const asNobody = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  process.geteuid?.() !== 0 ? work : Effect.acquireUseRelease(
    Effect.sync(() => process.seteuid?.(65_534)),
    () => work,
    () => Effect.sync(() => process.seteuid?.(0))
  )

describe("a file that can be read", () => {
  it.scoped("is known by its absolute path, its size and the hash of its bytes", () =>
    Effect.gen(function*() {
      const text = "{\"openapi\": \"3.1.0\"}\n"
      const path = yield* write("spec.json", text)
      const source = yield* read(relative(process.cwd(), path))
      expect({ ...source }).toEqual({
        location: path,
        kind: "file",
        document: { openapi: "3.1.0" },
        bytes: 21,
        revision: createHash("sha256").update(text).digest("hex")
      })
    }).pipe(Effect.provide(layer)))

  for (
    const [what, name, content] of [
      ["JSON that is called YAML", "spec.yaml", "{\"a\": [1]}"],
      ["YAML that is called JSON", "spec.json", "a:\n  - 1\n"],
      ["YAML in one line, which begins like JSON", "spec.yml", "{a: [1]}"],
      ["JSON without a name's ending", "spec", "\n\t{\"a\":[1]}"],
      ["a byte order mark", "spec.json", "\ufeff{\"a\":[1]}"],
      ["a byte order mark before YAML with Windows line ends", "spec.yaml", "\ufeffa:\r\n- 1\r\n"],
      ["UTF-16 with its mark", "spec.json", Buffer.from("\ufeff{\"a\":[1]}", "utf16le")],
      ["an alias", "spec.yaml", "x: &one 1\na: [*one]"],
      ["a merge key", "spec.yaml", "x: &all\n  a: [1]\n<<: *all"]
    ] as const
  ) {
    it.scoped(`${what}: is read for what it is`, () =>
      Effect.gen(function*() {
        const { document } = yield* read(yield* write(name, content))
        expect(document).toMatchObject({ a: ["1"] })
      }).pipe(Effect.provide(layer)))
  }

  it.scoped("may use one anchor many times, and its keys may be those of a prototype", () =>
    Effect.gen(function*() {
      const path = yield* write("spec.yaml", `a: &a {b: 1}\n__proto__: {c: 2}\nall: [${"*a, ".repeat(5_000)}]`)
      const { document } = yield* read(path)
      expect(Object.keys(Object(document))).toEqual(["a", "__proto__", "all"])
      expect(document).not.toHaveProperty("c")
    }).pipe(Effect.provide(layer)))

  it.scoped("may have aliases by the ten thousand: each is found at once", () =>
    Effect.gen(function*() {
      const { document } = yield* read(yield* write("spec.yaml", `a: &a 1\nb: [${"*a,".repeat(50_000)}]`))
      expect(document).toMatchObject({ a: "1", b: { length: 50_000 } })
    }).pipe(Effect.provide(layer)))

  it.scoped("has bare numbers, booleans, dates and words as texts, as they are written", () =>
    Effect.gen(function*() {
      const path = yield* write(
        "spec.yaml",
        [
          "%YAML 1.1",
          "---",
          "a: [1.10, 0x1F, 2024-01-01, yes, No, on, 12345678901234567890, 1e3, .inf, 0o17, !!int 7, \"null\"]",
          "b: [null, ~, ]",
          "c:",
          "1.0: x",
          "on: {404: y}",
          "null: z"
        ].join("\n")
      )
      const { document } = yield* read(path)
      expect(document).toEqual({
        a: "1.10 0x1F 2024-01-01 yes No on 12345678901234567890 1e3 .inf 0o17 7 null".split(" "),
        b: [null, null],
        c: null,
        "1.0": "x",
        on: { "404": "y" },
        null: "z"
      })
      const json = yield* read(yield* write("spec.json", "{\"a\": [1.10, 12345678901234567890, true, null]}"))
      expect(json.document).toEqual({ a: ["1.10", "12345678901234567890", "true", null] })
    }).pipe(Effect.provide(layer)))

  it.scoped("keeps the earlier values of keys that stand more than once, and says where they stand again", () =>
    Effect.gen(function*() {
      for (
        const [name, text] of [
          ["spec.yaml", "paths:\n  /a: 1\n  /b: 2\n  /a: 3\n"],
          ["spec.json", "{\"paths\":\n {\"/a\": 1,\n  \"/b\": 2,\n  \"/a\": 3}}"]
        ] as const
      ) {
        const { document } = yield* readAll(yield* write(name, text))
        const paths = Object(document.root).paths
        expect(paths).toEqual({ "/a": "3", "/b": "2" })
        expect(document.repeated).toEqual([{ within: paths, key: "/a", value: "1", line: 4, column: 3 }])
      }
    }).pipe(Effect.provide(layer)))

  it.scoped("takes what a merge key brings for less than what stands there, and for no repetition", () =>
    Effect.gen(function*() {
      const text = "one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\n" +
        "all: {a: 0, <<: [*one, *two], c: 3}\nquoted: {\"<<\": {a: 1}}\n"
      const { document } = yield* readAll(yield* write("spec.yaml", text))
      expect(document.root).toMatchObject({ all: { a: "0", b: "1", c: "3" }, quoted: { "<<": { a: "1" } } })
      expect(document.repeated).toEqual([])
    }).pipe(Effect.provide(layer)))

  it.scoped("is known by the URI of its path, and of the file that a link leads to", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const path = yield* write("my spec.json", "{\"a\":1}")
      yield* files.symlink(path, `${path}.link`)
      const { document } = yield* readAll(`${path}.link`)
      expect(document.addresses).toEqual([`${path}.link`, path].map((one) => pathToFileURL(one).href))
      expect(document.self.fragment("./my%20spec.json#/a")).toBe("/a")
      expect(document.self.fragment("my spec.json.link#/a")).toBe("/a")
      expect(document.self.fragment("other.json#/a")).toBeUndefined()
    }).pipe(Effect.provide(layer)))

  it.scoped("may be a link to a file", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const path = yield* write("spec.json", "{\"a\":1}")
      yield* files.symlink(path, `${path}.link`)
      const { document } = yield* read(`${path}.link`)
      expect(document).toEqual({ a: "1" })
    }).pipe(Effect.provide(layer)))
})

describe("a location without a file to read", () => {
  it.scoped("that is not there, or lies below a file, is not found", () =>
    Effect.gen(function*() {
      const path = yield* write("spec.json", "{}")
      expect((yield* problem(`${path}x`)).message).toBe(`There is no file ${path}x; check the path.`)
      expect((yield* problem(`${path}/x`))._tag).toBe("FileNotFound")
    }).pipe(Effect.provide(layer)))

  it.scoped("that is a link to nothing says where it leads", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const directory = yield* files.makeTempDirectoryScoped()
      yield* files.symlink("gone.json", `${directory}/spec.json`)
      const dangling = yield* problem(`${directory}/spec.json`)
      expect(dangling).toMatchObject({ _tag: "DanglingLink", target: "gone.json" })
      expect(dangling.message).toContain("is a link to gone.json, which is not there")
    }).pipe(Effect.provide(layer)))

  it.scoped("that is a directory or a device is named as such", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      expect(yield* problem(yield* files.makeTempDirectoryScoped())).toMatchObject({
        _tag: "NotAFile",
        kind: "a directory"
      })
      expect(yield* problem("/dev/null")).toMatchObject({ _tag: "NotAFile", kind: "a device" })
    }).pipe(Effect.provide(layer)))

  it.scoped("that may not be read says so", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const directory = yield* files.makeTempDirectoryScoped()
      yield* files.chmod(directory, 0o755)
      yield* files.writeFileString(`${directory}/spec.json`, "{}")
      yield* files.chmod(`${directory}/spec.json`, 0o000)
      expect(yield* asNobody(problem(`${directory}/spec.json`))).toMatchObject({
        _tag: "NoPermission",
        location: `${directory}/spec.json`
      })
    }).pipe(Effect.provide(layer)))

  it.scoped("that loops is unreadable, and is said to loop", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const directory = yield* files.makeTempDirectoryScoped()
      yield* files.symlink(`${directory}/a`, `${directory}/b`)
      yield* files.symlink(`${directory}/b`, `${directory}/a`)
      expect(yield* problem(`${directory}/a`)).toMatchObject({
        _tag: "FileUnreadable",
        why: "its symbolic links lead back to each other"
      })
    }).pipe(Effect.provide(layer)))

  for (const location of ["", "  ", "a\0b"]) {
    it.effect(`${JSON.stringify(location)} names no file`, () =>
      Effect.gen(function*() {
        expect((yield* problem(location))._tag).toBe("BadLocation")
      }).pipe(Effect.provide(layer)))
  }
})

describe("content that is no JSON or YAML", () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${
    [..."bcdefghi"].map((name, index) => `${name}: &${name} [${`*${"abcdefgh"[index]},`.repeat(10)}]\n`).join("")
  }`
  const mergeBomb = `a: &a {k: 1}\n${
    [..."bcdefghi"].map((name, index) => `${name}: &${name}\n  <<: [${`*${"abcdefgh"[index]},`.repeat(10)}]\n`).join("")
  }`
  for (
    const [what, content, expected] of [
      ["nothing", "", { _tag: "EmptySource" }],
      ["white space", "\ufeff \n\t", { _tag: "EmptySource" }],
      ["gzip", new Uint8Array([0x1f, 0x8b, 8, 0]), { _tag: "BinarySource", looksLike: "gzip-compressed data" }],
      ["a PDF", "%PDF-1.7", { _tag: "BinarySource", looksLike: "a PDF file" }],
      ["bytes with zeros", new Uint8Array([1, 2, 0, 4]), { _tag: "BinarySource", looksLike: "binary data" }],
      ["Latin-1", Buffer.from("a: \xfc\xe4", "latin1"), {
        _tag: "BinarySource",
        looksLike: "bytes that are not UTF-8 text"
      }],
      ["a web page", "\n<!DOCTYPE html>\n<html>", { _tag: "MarkupSource", looksLike: "an HTML page" }],
      ["a page after a comment", "<!-- hi -->\n<html lang=en>", { _tag: "MarkupSource", looksLike: "an HTML page" }],
      ["a feed", "<?xml version=\"1.0\"?><rss/>", { _tag: "MarkupSource", looksLike: "an XML document" }],
      ["JSON with a fault", "{\n  \"a\": 1,\n  b\n}", {
        _tag: "BrokenJson",
        line: 3,
        column: 3,
        why: "a key in double quotes belongs here, not \"b\""
      }],
      ["JSON that was cut off", "{\"a\": [1, 2", { _tag: "BrokenJson", line: 1, column: 12 }],
      ["YAML with a fault", "a: 1\nb: c: d\n", { _tag: "BrokenYaml", line: 2, column: 4 }],
      ["YAML with a tab", "a:\n\tb: 1\n", { _tag: "BrokenYaml", line: 2, column: 1 }],
      ["an alias of nothing", "a: 1\nb: *c\n", {
        _tag: "BrokenYaml",
        line: 2,
        column: 4,
        why: "the alias *c has no anchor before it"
      }],
      ["an alias of itself", "a: &a\n  b: *a\n", {
        _tag: "BrokenYaml",
        line: 2,
        why: "the alias *a stands within what it repeats"
      }],
      ["a merge of no map", "a: &a 1\n<<: *a\n", {
        _tag: "BrokenYaml",
        line: 2,
        column: 1,
        why: "the merge key << takes a map, an alias of one, or a list of these"
      }],
      ["a list for a key", "a: 1\n? [b]\n: 2\n", { _tag: "BrokenYaml", line: 2, column: 3 }],
      ["two documents", "a: 1\n---\nb: 2\n", { _tag: "BrokenYaml", line: 2, why: "a second YAML document begins" }],
      ["aliases that unfold without end", bomb, { _tag: "AliasBomb" }],
      ["merge keys that unfold without end", mergeBomb, { _tag: "AliasBomb" }],
      ["YAML nested beyond measure", `a: ${"[".repeat(100_000)}`, { _tag: "TooDeep" }]
    ] as const
  ) {
    it.scoped(`${what}: has a problem of its own`, () =>
      Effect.gen(function*() {
        const path = yield* write("spec", content)
        expect(yield* problem(path)).toMatchObject({ ...expected, location: path })
      }).pipe(Effect.provide(layer)))
  }

  it.scoped("plain text of many megabytes is handed on unparsed, at once", () =>
    Effect.gen(function*() {
      const text = "a line of a log: with: colons\n".repeat(200_000)
      const { document } = yield* read(yield* write("big.log", text))
      expect(document).toBe(text)
    }).pipe(Effect.provide(layer)))

  it.scoped("a file over 64 MiB is not read", () =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const path = yield* write("big.json", "{")
      yield* files.truncate(path, 64 * 1024 * 1024 + 1)
      expect((yield* problem(path)).message).toContain("is larger than 64 MiB")
    }).pipe(Effect.provide(layer)))
})
