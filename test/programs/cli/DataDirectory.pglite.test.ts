import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { buildProgram, lasting } from "../../support/BuiltProgram.js"
import type { BuiltProgram } from "../../support/BuiltProgram.js"
import { prepare } from "../../support/Databases.js"

let program: BuiltProgram

beforeAll(async () => {
  program = await buildProgram()
  program.write(
    "api.json",
    JSON.stringify({
      openapi: "3.1.0",
      info: { title: "T", version: "1" },
      paths: { "/x": { get: { responses: {} } } }
    })
  )
})

afterAll(() => program.remove())

const run = (directory: string, ...args: ReadonlyArray<string>) =>
  program.run([...args, "--data-dir", join(program.folder, directory)], {})

describe("a data directory, to the program", { timeout: 120_000 }, () => {
  it("is not made by who reads, who says that there is no store", async () => {
    const reading = [["status"], ["catalogs", "list"], ["search", "x"], ["jobs", "list"], ["gates", "list"], [
      "embedder",
      "show"
    ], ["doctor"]]
    const ended = await Promise.all(reading.map((args) => run("none", ...args)))
    for (const { stderr, stdout } of ended) expect(stdout + stderr).toMatch(/no store in|no data directory/)
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 1, 0, 0, 1, 0])
    expect(existsSync(join(program.folder, "none"))).toBe(false)
    mkdirSync(join(program.folder, "empty"))
    expect((await run("empty", "status")).stdout).toContain("no store in")
    expect(readdirSync(join(program.folder, "empty"))).toEqual([])
  })

  it("that no data directory can be is named as what it is, at once", async () => {
    writeFileSync(join(program.folder, "file"), "")
    symlinkSync(join(program.folder, "nowhere", "at-all"), join(program.folder, "link"))
    const cases: ReadonlyArray<readonly [string, RegExp]> = [
      ["file", /is not a directory/],
      ["link", /stands behind a link to nothing/],
      ["link/below", /stands behind a link to nothing/],
      ["../../proc/holdfast", /cannot be made/]
    ]
    for (const [directory, words] of cases) {
      const { code, stderr } = await run(directory, "index", "api.json")
      expect(stderr).toMatch(words)
      expect(stderr).not.toContain("[object")
      expect(code).toBe(1)
    }
    expect((await run("file", "status")).stderr).toMatch(/is not a directory/)
    expect((await run("../../proc/holdfast", "status")).stdout).toContain("no store in")
  })

  /** The program where no file may grow beyond so many blocks of 512 bytes. */
  const limited = (blocks: number, directory: string) => {
    const index = [process.execPath, program.file, "index", "api.json", "--name", "more", "--data-dir", directory]
    const shell = ["-c", `ulimit -f ${blocks} && exec "$@"`, "sh", ...index]
    return promisify(execFile)("sh", shell, { cwd: program.folder })
  }

  it("that a limit on the size of files keeps from being made is not called damaged", async () => {
    await expect(limited(4000, "limited")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/data directory \S+limited cannot be made \(.*ulimit -f/)
    })
  })

  it("whose files may not grow any further is full and not damaged, in one sentence and none of the engine's", async () => {
    await Effect.runPromise(prepare(join(program.folder, "grown")))
    expect((await run("grown", "index", "api.json", "--name", "api", "--detach")).code).toBe(0)
    const stderr = await limited(4000, "grown").then(
      () => "it was written",
      (ended: { readonly code: number; readonly stderr: string }) => `${ended.code} ${lasting(ended.stderr).join("\n")}`
    )
    expect(stderr).toMatch(
      /^7 ✗ error The database's files reached the limit on their size \(.*\)\. Raise "ulimit -f"[^\n]*$/
    )
    expect((await run("grown", "status")).stdout).toMatch(/^api {2}/)
  })
})
