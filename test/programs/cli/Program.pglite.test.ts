import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { buildProgram, lasting, rclone } from "../../support/BuiltProgram.js"
import type { BuiltProgram, Ended } from "../../support/BuiltProgram.js"
import { prepare } from "../../support/Databases.js"
import { startDense } from "../../support/DenseServer.js"

/** The built program, as a person runs it: its own process, its own data directory, a fake embedder over a real socket. */

let program: BuiltProgram
let embedder: Awaited<ReturnType<typeof startDense>>

const environment = (more: Record<string, string> = {}) => ({
  HOLDFAST_DATA_DIR: join(program.folder, "data"),
  HOLDFAST_EMBEDDER_KIND: "http",
  HOLDFAST_EMBEDDER_URL: embedder.url,
  ...more
})

const holdfast = (args: ReadonlyArray<string>, more: Record<string, string> = {}) =>
  program.run(args, environment(more))

/** Everything on stdout must be this one object. */
const object = ({ stdout }: Ended): Record<string, unknown> => JSON.parse(stdout)

beforeAll(async () => {
  program = await buildProgram()
  embedder = await startDense()
  await Effect.runPromise(prepare(join(program.folder, "data")))
})

afterAll(async () => {
  await embedder.close()
  program.remove()
})

describe("the program", { timeout: 180_000 }, () => {
  it("indexes a description, then finds, lists and shows what it indexed, one JSON object each", async () => {
    const indexed = await holdfast(["index", rclone, "--name", "rclone", "--json"])
    expect(indexed.stderr).toMatch(/rclone {2}101\/101 {2}100%/)
    expect(object(indexed)).toEqual({
      catalog: "rclone",
      job: 1,
      status: "succeeded",
      items: 101,
      embedded: 101,
      reused: 0,
      refused: 0
    })
    expect(indexed.code).toBe(0)

    const calls = embedder.seen().calls.length
    const again = await holdfast(["index", rclone, "--name", "rclone", "--json"])
    expect(object(again)).toMatchObject({ status: "succeeded", embedded: 0, reused: 101 })
    expect(embedder.seen().calls).toHaveLength(calls)

    const found = object(await holdfast(["search", "copy", "a", "folder", "--limit", "3", "--json"]))
    expect(found).toMatchObject({ mode: "hybrid", degraded: null })
    expect(found["hits"]).toHaveLength(3)
    expect(Object.keys((found["hits"] as ReadonlyArray<object>)[0] ?? {}).toSorted()).toEqual(
      ["catalog", "id", "method", "path", "score", "scores", "summary"]
    )

    const status = await holdfast(["status"])
    expect(status.stdout).toBe("rclone  ✓ indexed 101/101\n")
    expect(object(await holdfast(["jobs", "show", "1", "--json"]))).toMatchObject({ job: { id: 1, waiting: null } })
    expect((await holdfast(["catalogs", "remove", "rclone"])).code).toBe(0)
    expect((await holdfast(["status"])).stdout).toContain("There are no catalogs yet.")
    const nothing = await holdfast(["search", "copy", "--json"])
    expect([nothing.code, object(nothing)]).toMatchObject([1, { error: { tag: "NoCatalogs" } }])
  })

  it("leaves a detached job to the worker, which a SIGTERM ends well", async () => {
    const queued = object(await holdfast(["index", rclone, "--name", "later", "--detach", "--json"]))
    expect(queued).toMatchObject({ catalog: "later", status: "pending", items: 101 })
    const worker = program.start(["worker"], environment())
    onTestFinished(() => void worker.kill("SIGKILL"))
    const code = await new Promise((done) => {
      let log = ""
      worker.stderr?.on("data", (text) => {
        log += text
        if (log.includes("Indexed catalog later: 101 items, 101 embedded, 0 reused, 0 refused")) worker.kill("SIGTERM")
      })
      worker.on("close", done)
    })
    expect(code).toBe(0)
    expect(object(await holdfast(["status", "--json"]))).toMatchObject({ catalogs: [{ state: "Indexed" }] })
  })

  it("says on one line what is wrong with each bad input, with its exit code, and stores nothing of it", async () => {
    mkdirSync(join(program.folder, "a-directory"))
    const cases: ReadonlyArray<readonly [string, number, RegExp]> = [
      ["missing.json", 1, /There is no file .*missing\.json/],
      ["a-directory", 1, /is a directory, not a file/],
      [program.write("empty.json", ""), 1, /is empty/],
      [program.write("page.html", "<!doctype html><html><body>hi</body></html>"), 1, /instead of JSON or YAML/],
      [program.write("broken.yaml", "openapi: 3.0.0\npaths: {a: ["), 1, /broken YAML at line 2/],
      [program.write("binary.json", new Uint8Array([0, 1, 2, 3, 255, 254])), 1, /is not JSON or YAML text/],
      [program.write("other.json", "{\"name\":\"package\"}"), 1, /other\.json is not an API description/],
      [
        program.write("none.json", "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"T\",\"version\":\"1\"},\"paths\":{}}"),
        1,
        /none\.json, "T", has no operations/
      ],
      ["http://127.0.0.1:1/openapi.json", 7, /127\.0\.0\.1/]
    ]
    for (const [location, code, message] of cases) {
      const ended = await holdfast(["index", location])
      expect(ended.stderr).toMatch(message)
      expect([location, ended.code, ended.stdout, lasting(ended.stderr).length]).toEqual([
        location,
        code,
        "",
        1
      ])
    }
    const names = object(await holdfast(["catalogs", "list", "--json"]))["catalogs"] as ReadonlyArray<{ name: string }>
    expect(names.map(({ name }) => name)).toEqual(["later"])
  })

  it("tells errors as one JSON object too, with nothing beside it", async () => {
    for (
      const [args, code, tag] of [
        [["jobs", "show", "999999", "--json"], 1, "JobNotFound"],
        [["search", "x", "--catalog", "nobody", "--json"], 1, "CatalogNotFound"],
        [["jobs", "show", "one", "--json"], 2, "UsageProblem"],
        [["nonsense", "--json"], 2, "UsageProblem"],
        [["status", "--workers", "none", "--json"], 2, "SettingsProblem"],
        [["status", "--database-url", "postgres://u:planted@127.0.0.1:1/x", "--json"], 7, "StoreUnavailable"]
      ] as const
    ) {
      const ended = await holdfast(args)
      expect(object(ended)).toMatchObject({ error: { tag } })
      expect([args, ended.code]).toEqual([args, code])
      expect(ended.stdout + ended.stderr).not.toContain("planted")
    }
  })

  it("answers by full text alone where the embedder is down, and says so", async () => {
    const down = { HOLDFAST_EMBEDDER_URL: "http://127.0.0.1:1" }
    const answer = object(await holdfast(["search", "copy a file", "--json"], down))
    expect(answer["degraded"]).toMatchObject({ reason: expect.stringContaining("cannot be reached") })
    expect((answer["hits"] as ReadonlyArray<unknown>).length).toBeGreaterThan(0)
    expect((await holdfast(["search", "copy a file", "--mode", "semantic"], down)).code).toBe(7)
    const doctor = await holdfast(["doctor", "--json"], down)
    expect(doctor.code).toBe(7)
    expect(object(doctor)["checks"]).toContainEqual(expect.objectContaining({ check: "embedder", level: "fail" }))
  })

  it("shows every setting with its place, secrets hidden, and writes no colour into a pipe", async () => {
    const shown = await holdfast(["config", "show", "--batch-size", "8"], {
      HOLDFAST_EMBEDDER_API_KEY: "planted-token-0123456"
    })
    expect(shown.stdout).toMatch(/batch_size +8 +--batch-size/)
    expect(shown.stdout).toMatch(/api_key +\(hidden\) +HOLDFAST_EMBEDDER_API_KEY/)
    expect(shown.stdout).not.toContain("planted")
    expect(shown.stdout).not.toContain("\u001b[")
  })

  it("reads a settings file, an empty one too, and says where a broken one is wrong", async () => {
    const shown = (text: string) => holdfast(["config", "show", "--json", "--config", program.write("own.yaml", text)])
    expect(object(await shown(""))["settings"]).toMatchObject({ workers: { value: "1", from: "default" } })
    expect(object(await shown("workers: 3\n"))["settings"]).toMatchObject({ workers: { value: "3" } })
    expect(await shown("workers: [")).toMatchObject({ code: 2, stdout: expect.stringMatching(/broken YAML at line 1/) })
  })
})
