import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "@effect/vitest"
import { once } from "node:events"
import { Client } from "pg"
import { buildProgram, lasting } from "../../support/BuiltProgram.js"
import type { BuiltProgram } from "../../support/BuiltProgram.js"
import { startDense } from "../../support/DenseServer.js"
import { ownDatabase } from "../../support/OwnDatabase.js"

let program: BuiltProgram

beforeAll(async () => {
  program = await buildProgram()
})

afterAll(() => program.remove())

const description = (name: string) =>
  program.write(
    `${name}.json`,
    JSON.stringify({
      openapi: "3.1.0",
      info: { title: name, version: "1" },
      paths: Object.fromEntries(
        ["alpha", "beta", "gamma"].map((word) => [`/${name}/${word}`, { get: { summary: `Reads ${name} ${word}` } }])
      )
    })
  )

/** A side of the house: its embedder, its settings, and a worker that may or may not be let in. */
const side = async (database: Record<string, string>, model: string, dimension: number) => {
  const embedder = await startDense({ model, dimension })
  onTestFinished(() => embedder.close())
  const env = {
    ...database,
    HOLDFAST_EMBEDDER_KIND: "http",
    HOLDFAST_EMBEDDER_URL: embedder.url,
    HOLDFAST_EMBEDDER_MODEL: model,
    HOLDFAST_POLL_INTERVAL: "200ms"
  }
  const worker = () => {
    const child = program.start(["worker"], env)
    onTestFinished(() => void child.kill("SIGKILL"))
    let stdout = ""
    let stderr = ""
    child.stdout?.on("data", (text) => stdout += text)
    const said = (words: string) =>
      new Promise<void>((done) => {
        const look = () => stderr.includes(words) ? done() : undefined
        child.stderr?.on("data", look)
        look()
      })
    child.stderr?.on("data", (text) => stderr += text)
    const ended = once(child, "close").then(([code]) => ({ code, stdout, stderr }))
    return { child, ended, said }
  }
  const texts = () => embedder.seen().calls.flatMap(({ texts }) => texts)
  return {
    env,
    model,
    texts,
    worker,
    index: (name: string, ...more: ReadonlyArray<string>) =>
      program.run(["index", description(name), "--name", name, "--json", ...more], env)
  }
}

const spaces = async (database: Record<string, string>) => {
  const client = new Client({ connectionString: database["HOLDFAST_DATABASE_URL"] })
  await client.connect()
  const { rows } = await client.query("select distinct model, dimension from holdfast.embedding")
  await client.end()
  return rows
}

const sentence = (used: string, came: string) =>
  new RegExp(
    `^✗ error This store uses [^\\n]*${used}[^\\n]*, the settings name [^\\n]*${came}[^\\n]*"holdfast embedder set"\\.$`
  )

describe("two processes with different embedders on one store", { timeout: 120_000 }, () => {
  it("that index at once: one decides, the other is told in one sentence and asks its embedder nothing", async () => {
    const database = await ownDatabase("two_embedders")
    const both = [await side(database, "bge-m3", 8), await side(database, "newer", 12)] as const
    expect((await program.run(["migrate"], both[0].env)).code).toBe(0)
    const ended = await Promise.all([both[0].index("first"), both[1].index("second")])
    expect(ended.map(({ code }) => code).toSorted()).toEqual([0, 2])
    const [winner, loser] = ended[0].code === 0 ? both : [both[1], both[0]]
    const refused = ended.find(({ code }) => code === 2)
    expect(JSON.parse(refused?.stdout ?? "")).toMatchObject({ error: { tag: "EmbedderMismatch" } })
    expect(loser.texts()).toEqual([])
    expect(winner.texts().length).toBeGreaterThan(2)
    expect(await spaces(database)).toEqual([expect.objectContaining({ model: expect.stringContaining(winner.model) })])
  })

  it("that work at once: whoever the store is not of ends with one sentence, and no vector of it is stored", async () => {
    const database = await ownDatabase("two_workers")
    const [ours, other] = [await side(database, "bge-m3", 8), await side(database, "newer", 12)]
    expect((await program.run(["migrate"], ours.env)).code).toBe(0)
    // Nothing decides yet, so both are let in.
    const [at, left] = [ours.worker(), other.worker()]
    await Promise.all([at.said("ready"), left.said("ready")])
    expect((await ours.index("first", "--detach")).code).toBe(0)
    const told = await left.ended
    expect([told.code, told.stdout]).toEqual([2, ""])
    expect(lasting(told.stderr).at(-1)).toMatch(sentence("bge-m3", "newer"))
    await at.said("Indexed catalog first")

    const late = await other.worker().ended
    expect([late.code, late.stdout, lasting(late.stderr).length]).toEqual([2, "", 1])
    expect(lasting(late.stderr)[0]).toMatch(sentence("bge-m3", "newer"))
    at.child.kill("SIGTERM")
    expect((await at.ended).code).toBe(0)
    expect(other.texts()).toEqual([])
    expect(ours.texts().length).toBeGreaterThan(2)
    expect(await spaces(database)).toEqual([expect.objectContaining({ model: expect.stringContaining("bge-m3") })])
  })
})
