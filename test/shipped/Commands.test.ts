import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest"
import { table } from "../../src/programs/cli/commands.js"
import { lasting } from "../support/BuiltProgram.js"
import { startDense } from "../support/DenseServer.js"

/** The installed program with a settings file, as a person or a script runs it: every command, each in a process of its own. */

const { whole } = inject("shipped")
const folder = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-commands-")))
const description = join(whole, "node_modules/rclone-openapi/openapi.json")

let embedder: Awaited<ReturnType<typeof startDense>>

beforeAll(async () => {
  embedder = await startDense()
  writeFileSync(
    join(folder, "holdfast.yaml"),
    `data_dir: data\nembedder:\n  kind: http\n  url: ${embedder.url}\npoll_interval: 1s\n`
  )
})

afterAll(async () => {
  await embedder.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `until` sends SIGTERM once stderr says so. */
const holdfast = (args: ReadonlyArray<string>, until?: string, cwd = folder): Promise<Ended> =>
  new Promise((done) => {
    const child = spawn(join(whole, "node_modules/.bin/holdfast"), args, {
      cwd,
      env: { PATH: process.env["PATH"] ?? "" },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (text) => stdout += text)
    child.stderr.on("data", (text) => {
      stderr += text
      if (until !== undefined && stderr.includes(until)) child.kill("SIGTERM")
    })
    child.on("close", (code) => done({ code, stdout, stderr }))
  })

const driven = new Set<string>()

/** Runs a command with --json; everything on stdout must be one object. */
const json = async (path: string, args: ReadonlyArray<string> = [], until?: string) => {
  driven.add(path)
  const ended = await holdfast([...path.split(" "), ...args, "--json"], until)
  const told: Record<string, unknown> = JSON.parse(ended.stdout)
  return { code: ended.code, ...told }
}

describe("the installed program", { timeout: 900_000 }, () => {
  it("runs every command and answers each with one JSON object", async () => {
    expect(await json("config show")).toMatchObject({
      code: 0,
      settings: { data_dir: { value: "data", from: `file ${join(folder, "holdfast.yaml")}` } }
    })
    expect(await json("migrate")).toMatchObject({ code: 0 })
    expect(await json("index", [description, "--name", "rclone"])).toMatchObject({
      code: 0,
      catalog: "rclone",
      status: "succeeded",
      embedded: 101
    })
    expect(await json("search", ["copy", "a", "file", "--limit", "2"])).toMatchObject({
      code: 0,
      degraded: null,
      hits: [{ catalog: "rclone" }, { catalog: "rclone" }]
    })
    expect(await json("status")).toMatchObject({ code: 0, catalogs: [{ catalog: "rclone", state: "Indexed" }] })
    expect(await json("catalogs list")).toMatchObject({ code: 0, catalogs: [{ name: "rclone", items: 101 }] })
    expect(await json("catalogs show", ["rclone"])).toMatchObject({ code: 0 })
    expect(await json("embedder show")).toMatchObject({ code: 0, uses: { provider: "http" } })
    expect(await json("embedder set", ["--yes"])).toMatchObject({ code: 0, step: "none" })
    expect(await json("doctor")).toMatchObject({ code: 0 })
    expect(await json("explain", ["HTTP 429 Too Many Requests: rate limit exceeded"])).toMatchObject({ code: 0 })
    expect(await json("completions", ["bash"])).toMatchObject({ code: 0, shell: "bash" })

    expect(await json("index", [description, "--name", "later", "--detach"])).toMatchObject({
      code: 0,
      job: 2,
      status: "pending"
    })
    expect(await json("jobs cancel", ["2"])).toMatchObject({ code: 0 })
    expect(await json("jobs retry", ["2"])).toMatchObject({ code: 0 })
    expect(await json("worker", [], "Indexed catalog later")).toMatchObject({
      code: 0,
      stopped: true,
      signal: "SIGTERM"
    })
    expect(await json("jobs show", ["2"])).toMatchObject({ code: 0, job: { id: 2, status: "succeeded" } })
    expect(await json("jobs list")).toMatchObject({ code: 0, jobs: [{ id: 2 }, { id: 1 }] })
    expect(await json("catalogs remove", ["later"])).toMatchObject({ code: 0 })
    expect(await json("gates list")).toMatchObject({ code: 0, gates: [] })
    expect(await json("gates open", ["nobody"])).toMatchObject({ code: 1, error: { tag: "GateNotClosed" } })

    expect([...driven].toSorted()).toEqual(table.commands.map(({ path }) => path.join(" ")).toSorted())
  })

  it("says what is wrong with bad input in one sentence, with its exit code", async () => {
    const broken = join(folder, "broken")
    mkdirSync(broken)
    writeFileSync(join(broken, "holdfast.yaml"), "workers: [")
    const cases: ReadonlyArray<readonly [ReadonlyArray<string>, number, RegExp, string?]> = [
      [["index", "missing.json"], 1, /There is no file .*missing\.json/],
      [["index"], 2, /file\|url/],
      [["search", "x", "--limit", "-1"], 2, /limit/],
      [["search", "x", "--mode", "fuzzy"], 2, /hybrid, lexical,? (?:or )?semantic/],
      [["jobs", "show", "one"], 2, /one/],
      [["nonsense"], 2, /nonsense/],
      [["status", "--workers", "none"], 2, /workers is "none" \(flag --workers\)/],
      [["config", "show", "--config", "absent.yaml"], 2, /There is no settings file .*absent\.yaml/],
      [["config", "show"], 2, /holdfast\.yaml is broken YAML at line/, broken]
    ]
    for (const [args, code, sentence, cwd] of cases) {
      const ended = await holdfast(args, undefined, cwd)
      expect([args, ended.code, ended.stdout]).toEqual([args, code, ""])
      expect(lasting(ended.stderr)[0]).toMatch(/^✗ error /)
      expect(lasting(ended.stderr)[0]).toMatch(sentence)
    }
  })
})
