import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { all } from "../../../src/adapters/postgres/migrations/all.js"
import type { CatalogItem, NewCatalog } from "../../../src/domain/catalog/CatalogStore.js"
import { SearchIndex } from "../../../src/domain/search/SearchIndex.js"
import type { Backend } from "../../support/Databases.js"
import * as Indexing from "../../support/Indexing.js"

const { begin, catalog, embedSome, finish, indexed, inTenant, persist, put, sha, space } = Indexing

const pets = catalog("pets", { list: "list all pets", add: "add a pet", feed: "feed a hungry animal" })

const item = (id: string, lexical: Partial<CatalogItem["lexical"]>): CatalogItem => ({
  id,
  method: "POST",
  path: `/${id}`,
  summary: `About ${id}`,
  text: id,
  lexical: { a: "", b: "", c: "", ...lexical }
})

const withItems = (name: string, ...items: ReadonlyArray<CatalogItem>): NewCatalog => ({ ...catalog(name, {}), items })

const lexical = (words: string, filter: { readonly catalog?: string } = {}, limit = 10) =>
  Effect.flatMap(SearchIndex, (index) => index.lexical(words, filter, limit))

const found = (words: string, filter: { readonly catalog?: string } = {}, limit = 10) =>
  Effect.map(lexical(words, filter, limit), (hits) => hits.map((hit) => hit.id))

const semantic = (vector: ReadonlyArray<number>, filter: { readonly catalog?: string } = {}, limit = 10) =>
  Effect.flatMap(SearchIndex, (index) => index.semantic(vector, space, filter, limit))

const served = (filter: { readonly catalog?: string } = {}, filling = space) =>
  Effect.flatMap(SearchIndex, (index) => index.served(filling, filter))

const unfinished = (filter: { readonly catalog?: string } = {}, filling = space) =>
  Effect.map(served(filter, filling), (all) => all.filter(({ isWhole }) => !isWhole).map(({ catalog }) => catalog))

/** What every search index does. */
export const searchIndex = (backend: Backend) =>
  layer(backend.fresh(all), { timeout: "1 minute" })(`SearchIndex on ${backend.name}`, (it) => {
    it.effect("finds items by any of the question's words, whatever their form", () =>
      Effect.gen(function*() {
        yield* put(pets)
        expect((yield* found("How do I list the pet?")).toSorted()).toEqual(["add", "list"])
        expect(yield* found("feeding animals")).toEqual(["feed"])
        const [hit] = yield* lexical("feeding")
        expect(hit).toMatchObject({ catalog: "pets", method: "GET", path: "/feed", summary: "About feed" })
        expect(hit?.score).toBeGreaterThan(0)
      }).pipe(inTenant))

    it.effect("weighs a rare word more than a common one", () =>
      Effect.gen(function*() {
        const common = Array.from({ length: 9 }, (_, n) => item(`common${n}`, { a: "repository" }))
        yield* put(withItems("code", ...common, item("rare", { a: "webhook" })))
        expect((yield* found("repository webhook"))[0]).toBe("rare")
      }).pipe(inTenant))

    it.effect("weighs a word of the summary more than one of the path, and that more than one of the description", () =>
      Effect.gen(function*() {
        yield* put(
          withItems("code", item("c", { c: "webhook" }), item("b", { b: "webhook" }), item("a", { a: "webhook" }))
        )
        expect(yield* found("webhook")).toEqual(["a", "b", "c"])
      }).pipe(inTenant))

    it.effect("prefers the shorter of two items that hold the word alike", () =>
      Effect.gen(function*() {
        const padding = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda"
        yield* put(withItems("code", item("long", { a: "webhook", c: padding }), item("short", { a: "webhook" })))
        expect(yield* found("webhook")).toEqual(["short", "long"])
      }).pipe(inTenant))

    it.effect("finds an apt summary first, also where a long description goes with it", () =>
      Effect.gen(function*() {
        const tale = Array.from({ length: 60 }, (_, n) => `tale${n}`).join(" ")
        yield* put(
          withItems("code", item("aside", { a: "door", b: "webhook" }), item("apt", { a: "webhook", c: tale }))
        )
        expect(yield* found("webhook")).toEqual(["apt", "aside"])
      }).pipe(inTenant))

    it.effect("orders hits of equal score by catalog and id, and keeps to the limit", () =>
      Effect.gen(function*() {
        yield* put(withItems("b", item("y", { a: "webhook" }), item("x", { a: "webhook" })))
        yield* put(withItems("a", item("z", { a: "webhook" })))
        expect(yield* found("webhook")).toEqual(["z", "x", "y"])
        expect(yield* found("webhook", {}, 2)).toEqual(["z", "x"])
      }).pipe(inTenant))

    it.effect("answers nothing, and no error, to a question without words", () =>
      Effect.gen(function*() {
        yield* put(pets)
        for (const question of ["", "   ", "the of and", "?!…", "🦄", "\0", "'", "\\", "& | !", "(:*"]) {
          expect(yield* found(question)).toEqual([])
        }
      }).pipe(inTenant))

    it.effect("takes a question with operators, quotes, backslashes, emoji and null bytes for its words", () =>
      Effect.gen(function*() {
        yield* put(pets)
        for (
          const question of [
            "feed' or 1=1 --",
            "feed & !animal | (",
            "'feed':*A <-> \\'x",
            "fe\0ed",
            "🍖 feed \ud800",
            "C:\\feed\\animal's <feed> \"hungry\"",
            "/feed?x=%27&y=\\\\"
          ]
        ) {
          expect(yield* found(question)).toEqual(["feed"])
        }
      }).pipe(inTenant))

    it.effect("takes a question of a million words", () =>
      Effect.gen(function*() {
        yield* put(pets)
        expect(yield* found(`feed ${"hungry ".repeat(1_000_000)}`)).toEqual(["feed"])
      }).pipe(inTenant))

    it.effect("finds a text that holds null bytes and half a surrogate pair", () =>
      Effect.gen(function*() {
        yield* indexed(catalog("pets", { a: "strange\0 \ud800 animal" }))
        expect(yield* found("strange")).toEqual(["a"])
      }).pipe(inTenant))

    it.effect("ranks by cosine, whatever the length of the question's vector", () =>
      Effect.gen(function*() {
        const held = yield* begin(catalog("pets", { a: "east", b: "north", c: "west" }))
        const vectors = { a: [1, 0, 0, 0], b: [1, 1, 0, 0], c: [-1, 0, 0, 0] }
        yield* persist(held, {
          vectors: [
            { hash: sha("east"), vector: vectors.a },
            { hash: sha("north"), vector: vectors.b },
            { hash: sha("west"), vector: vectors.c }
          ],
          items: Object.entries({ a: "east", b: "north", c: "west" }).map(([id, text]) => ({
            id,
            hash: sha(text),
            chunks: [sha(text)]
          }))
        })
        const hits = yield* semantic([500, 0, 0, 0])
        expect(hits.map((hit) => hit.id)).toEqual(["a", "b", "c"])
        expect(hits[0]?.score).toBeCloseTo(1, 6)
        expect(hits[1]?.score).toBeCloseTo(Math.SQRT1_2, 6)
        expect(hits[2]?.score).toBeCloseTo(-1, 6)
        expect(yield* semantic([500, 0, 0, 0], {}, 1)).toEqual(hits.slice(0, 1))
      }).pipe(inTenant))

    it.effect("counts an item once, by its best chunk", () =>
      Effect.gen(function*() {
        const held = yield* begin(catalog("pets", { long: "a text of two chunks" }))
        yield* persist(held, {
          vectors: [{ hash: sha("one"), vector: [1, 0, 0, 0] }, { hash: sha("two"), vector: [0, 1, 0, 0] }],
          items: [{ id: "long", hash: sha("a text of two chunks"), chunks: [sha("one"), sha("two")] }]
        })
        const hits = yield* semantic([0, 3, 0, 0])
        expect(hits).toHaveLength(1)
        expect(hits[0]?.score).toBeCloseTo(1, 6)
      }).pipe(inTenant))

    it.effect("names every item that shares a text, in each catalog", () =>
      Effect.gen(function*() {
        yield* indexed(catalog("pets", { b: "same", a: "same" }))
        yield* indexed(catalog("animals", { x: "same" }))
        const hits = yield* semantic(Indexing.vectorOf("same"))
        expect(hits.map((hit) => [hit.catalog, hit.id])).toEqual([["animals", "x"], ["pets", "a"], ["pets", "b"]])
      }).pipe(inTenant))

    it.effect("keeps both legs within the filter", () =>
      Effect.gen(function*() {
        yield* indexed(catalog("pets", { a: "feed" }))
        yield* indexed(catalog("animals", { x: "feed", y: "sell" }))
        expect(yield* found("feed", { catalog: "animals" })).toEqual(["x"])
        expect(yield* found("feed", { catalog: "none" })).toEqual([])
        const hits = yield* semantic(Indexing.vectorOf("feed"), { catalog: "animals" })
        expect(hits.map((hit) => hit.id)).toEqual(["x", "y"])
        expect(yield* semantic(Indexing.vectorOf("feed"), { catalog: "none" })).toEqual([])
      }).pipe(inTenant))

    it.effect("finds the words of a new text at once, and of a removed item until its job is complete", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const held = yield* begin(catalog("pets", { list: "enumerate all pets", add: "add a pet" }))
        expect(yield* found("enumerate")).toEqual(["list"])
        expect(yield* found("hungry")).toEqual(["feed"])
        yield* embedSome(held)
        yield* finish(held)
        expect(yield* found("hungry")).toEqual([])
      }).pipe(inTenant))

    it.effect("tells which catalogs lack vectors in the space that serves or fills them", () =>
      Effect.gen(function*() {
        yield* indexed(pets)
        const held = yield* begin(catalog("animals", { x: "feed", y: "sell" }))
        yield* put(catalog("none", { z: "zero" }))
        expect(yield* unfinished()).toEqual(["animals", "none"])
        yield* embedSome(held, 1)
        expect(yield* unfinished()).toEqual(["animals", "none"])
        yield* Indexing.refuseAll(held)
        expect(yield* unfinished()).toEqual(["none"])
        expect(yield* unfinished({ catalog: "pets" })).toEqual([])
        expect(yield* unfinished({ catalog: "none" })).toEqual(["none"])
        yield* put(catalog("pets", { list: "list all pets", add: "add a dog" }))
        expect(yield* unfinished({ catalog: "pets" })).toEqual(["pets"])
      }).pipe(inTenant))

    it.effect("asks each catalog in the space that serves it, and a new one in that which fills it", () =>
      Effect.gen(function*() {
        const other = { ...space, model: "fake/other", dimension: 8 }
        const cut = { ...space, chunkWords: 50 }
        yield* indexed(catalog("old", { x: "feed" }))
        yield* indexed(catalog("moved", { x: "feed" }), Indexing.plain, other)
        yield* indexed(catalog("cut", { x: "feed" }), Indexing.plain, cut)
        yield* put(catalog("new", { x: "feed" }))
        expect(
          (yield* served({}, other)).map(({ catalog, isWhole, space }) => [catalog, Option.getOrNull(space), isWhole])
        )
          .toEqual([["cut", cut, true], ["moved", other, true], ["new", null, false], ["old", space, true]])
        const found = (within: typeof space) =>
          Effect.map(
            Effect.flatMap(SearchIndex, (index) =>
              index.semantic(Indexing.vectorOf("feed", within.dimension), within, {}, 10)),
            (hits) =>
              hits.map((hit) => hit.catalog)
          )
        expect([yield* found(space), yield* found(other), yield* found(cut)]).toEqual([["old"], ["moved"], ["cut"]])
        const held = yield* Indexing.claim
        yield* embedSome(held, 10, other)
        expect(yield* found(other)).toEqual(["moved", "new"])
        // A set that is being filled beside the one that serves is not asked yet.
        const moving = yield* begin(catalog("old", { x: "feed" }))
        yield* embedSome(moving, 10, other)
        expect([yield* found(space), yield* found(other)]).toEqual([["old"], ["moved", "new"]])
      }).pipe(inTenant))

    it.effect("finds nothing of another tenant", () =>
      Effect.gen(function*() {
        yield* inTenant(indexed(pets))
        expect(yield* inTenant(found("feed pets list"))).toEqual([])
        expect(yield* inTenant(semantic(Indexing.vectorOf("add a pet")))).toEqual([])
        expect(yield* inTenant(served({}, { ...space, model: "x" }))).toEqual([])
      }))
  })
