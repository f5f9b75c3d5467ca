import { describe, expect, it } from "@effect/vitest"
import { FastCheck } from "effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Profile from "../../../src/domain/index/EmbedderProfile.js"
import * as Use from "../../../src/domain/index/EmbedderUse.js"

const make = (provider: string, model: string, dimension: number | null, chunkWords: number) =>
  Profile.EmbedderProfile.make({ provider, model, dimension: Option.fromNullable(dimension), chunkWords })

/** Few of each, so that two often agree. */
const profile = FastCheck.tuple(
  FastCheck.constantFrom("ollama", "openai", "a/b", "a%2Fb"),
  FastCheck.constantFrom("m", "b/m", "n"),
  FastCheck.constantFrom(null, 4, 8),
  FastCheck.constantFrom(100, 256)
).map((parts) => make(...parts))
const whole = profile.filter(({ dimension }) => Option.isSome(dimension))
const wishes = FastCheck.array(whole, { minLength: 1, maxLength: 6 })

const after = (asked: ReadonlyArray<Profile.EmbedderProfile>): Use.EmbedderUse =>
  asked.reduce<Option.Option<Use.EmbedderUse>>((use, to) => Option.some(Use.changed(use, to)), Option.none()).pipe(
    Option.getOrThrow
  )

describe("the embedder that a store uses", () => {
  it.prop("is the one asked for last", { wishes }, ({ wishes }) => {
    const { uses } = after(wishes)
    expect(Profile.matches(uses, wishes.at(-1) ?? uses)).toBe(true)
  })

  it.prop("is not changed by being asked for again", { wishes }, ({ wishes }) => {
    const use = after(wishes)
    expect(Use.changed(Option.some(use), use.uses)).toEqual(use)
  })

  it.prop("leaves each of the others once, whatever the way there", { wishes }, ({ wishes }) => {
    const { leaving, uses } = after(wishes)
    const all = [uses, ...leaving]
    for (const [at, one] of all.entries()) {
      expect(all.slice(at + 1).filter((other) => Profile.matches(one, other))).toEqual([])
      expect(wishes.some((wish) => Profile.matches(wish, one))).toBe(true)
    }
    for (const wish of wishes) expect(all.some((one) => Profile.matches(one, wish))).toBe(true)
  })

  it.prop("lets one of two differing workers do something, at most", { wishes, one: whole, other: whole }, (given) => {
    const use = Option.some(after(given.wishes))
    const works = (came: Profile.EmbedderProfile) => Either.isRight(Use.admitted(use, came))
    expect(works(given.one) && works(given.other)).toBe(
      works(given.one) && Profile.matches(given.one, given.other)
    )
  })

  it.prop("has words for whoever may not work", { wishes, came: profile }, ({ came, wishes }) => {
    const use = after(wishes)
    const answer = Use.admitted(Option.some(use), came)
    expect(Either.isRight(answer)).toBe(Profile.matches(use.uses, came))
    if (Either.isRight(answer)) return
    expect(answer.left.isLeft).toBe(use.leaving.some((one) => Profile.matches(one, came)))
    expect(answer.left.message).toContain(Profile.describe(use.uses))
    expect(answer.left.message).toContain(Profile.describe(came))
  })

  it("keeps the dimension that it has learnt, and learns one from whoever knows it", () => {
    const unknown = make("ollama", "m", null, 100)
    const known = make("ollama", "m", 8, 100)
    expect(Use.changed(Option.some({ uses: known, leaving: [] }), unknown).uses).toEqual(known)
    expect(Use.changed(Option.some({ uses: unknown, leaving: [] }), known).uses).toEqual(known)
    expect(Use.admitted(Option.some({ uses: known, leaving: [] }), unknown)).toEqual(Either.right(known))
    expect(Use.admitted(Option.some({ uses: unknown, leaving: [] }), known)).toEqual(Either.right(known))
    const back = Use.changed(Option.some({ uses: make("openai", "n", 4, 100), leaving: [known] }), unknown)
    expect(back).toEqual({ uses: known, leaving: [make("openai", "n", 4, 100)] })
  })

  it("admits everyone as long as nothing was indexed", () => {
    const came = make("local", "m", 8, 100)
    expect(Use.admitted(Option.none(), came)).toEqual(Either.right(came))
  })

  it("says in one sentence what is stored, what came and what to do", () => {
    const uses = make("ollama", "bge-m3", 1024, 256)
    const came = make("openai", "text-embedding-3-small", null, 100)
    const refused = (use: Use.EmbedderUse) =>
      Either.getOrThrow(Either.flip(Use.admitted(Option.some(use), came))).message
    expect(refused({ uses, leaving: [] })).toBe(
      "This store uses ollama with bge-m3 (1024 dimensions, chunks of 256 words), the settings name openai with " +
        "text-embedding-3-small (chunks of 100 words): set embedder.* as the store has it, or move the store with " +
        "\"holdfast embedder set\"."
    )
    expect(refused({ uses, leaving: [came] })).toMatch(/^This store is moving to ollama with bge-m3/)
  })

  it("is changing until what it left is forgotten", () => {
    const uses = make("ollama", "m", 8, 100)
    expect(Use.isChanging({ uses, leaving: [] })).toBe(false)
    expect(Use.isChanging(Use.changed(Option.some({ uses, leaving: [] }), make("ollama", "n", 8, 100)))).toBe(true)
  })
})

describe("the qualified name of a model", () => {
  const word = FastCheck.stringOf(FastCheck.constantFrom("a", "/", "%", "2", "F", "5", ":"), {
    minLength: 1,
    maxLength: 6
  })

  it.prop("tells provider and model again", { provider: word, model: word }, (pair) => {
    expect(Profile.unqualified(Profile.qualified(pair))).toEqual(Option.some(pair))
  })

  it("is read from nothing else", () => {
    for (const text of ["", "bge-m3", "/bge-m3", "ollama/"]) expect(Profile.unqualified(text)).toEqual(Option.none())
  })

  it("names the space of the vectors, with their length and their texts' chunks", () => {
    expect(Profile.spaceOf(make("ollama", "b/m", null, 100), 8)).toEqual({
      model: "ollama/b/m",
      dimension: 8,
      chunkWords: 100
    })
  })
})
