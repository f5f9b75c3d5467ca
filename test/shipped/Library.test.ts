import { execFile } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, inject, it } from "vitest"

/** What a TypeScript program can do with the installed packages. */

const { failure, files, whole } = inject("shipped")

const node = (cwd: string, args: ReadonlyArray<string>, env: Record<string, string> = {}) =>
  promisify(execFile)(process.execPath, args, { cwd, env: { PATH: process.env["PATH"] ?? "", ...env } })

const compile = (project: string) =>
  node(whole, [join(whole, "node_modules/typescript/bin/tsc"), "-p", project]).then(
    () => "",
    (error: { readonly stdout: string }) => error.stdout
  )

describe("the installed package", { timeout: 900_000 }, () => {
  it("has what it needs, a licence, and no map without its source", () => {
    expect(files).toEqual(expect.arrayContaining([
      "LICENSE",
      "README.md",
      "dist/bin/holdfast.js",
      "dist/bin/engine.js",
      "dist/bin/model.js",
      "dist/domain/failure/index.d.ts",
      "dist/programs/index.d.ts",
      "dist/programs/index.js"
    ]))
    expect(files.filter((file) => !/^(?:LICENSE|README\.md|package\.json|dist\/.*\.(?:js|d\.ts))$/.test(file))).toEqual(
      []
    )
    expect(files.filter((file) => file.startsWith("dist/programs/cli/"))).toEqual([])
  })

  it("compiles the README's examples in a strict project that checks its libraries too, and its service runs", async () => {
    expect(await compile(whole)).toBe("")
    const service = await node(whole, ["out/service.js", join(whole, "data")])
    expect(service.stdout).toMatch(/operations\/rmdir/)
    expect(service.stdout).toMatch(/job 1 is (?:pending|running)/)
    const own = await node(whole, ["out/own.js", join(whole, "own")])
    expect(own.stdout).toMatch(/job 1: 4 words; job 2: none is no ticket\./)
    expect(own.stdout.match(/told the author, once: default\/1\.\d+\/1\/notify/g)).toHaveLength(1)
  })

  it("answers the demo as its README shows", async () => {
    const holdfast = (...args: ReadonlyArray<string>) =>
      node(whole, ["node_modules/.bin/holdfast", ...args, "--data-dir", join(whole, "data")])
    await holdfast("index", join(whole, "node_modules/rclone-openapi/openapi.json"), "--name", "rclone")
    const question = ["how do I copy a file to another remote?", "--catalog", "rclone", "--limit", "3"]
    const found = await holdfast("search", ...question)
    const readme = readFileSync(join(whole, "node_modules/holdfast/README.md"), "utf8")
    expect(readme).toContain(found.stdout.trimEnd().replaceAll(/^/gm, "    "))
  })

  it("runs composed apart, and takes the settings of its environment where the program asks for them", async () => {
    const refused = await node(whole, ["out/apart.js"], { HOLDFAST_WORKERS: "none" }).then(
      () => "",
      (error: { readonly stderr: string }) => error.stderr
    )
    expect(refused).toContain("workers is \"none\" (environment HOLDFAST_WORKERS)")
    const apart = await node(whole, ["out/apart.js"], { HOLDFAST_WORKER: "2" })
    expect(apart.stdout).toContain(
      "Nothing reads the environment variable HOLDFAST_WORKER; did you mean HOLDFAST_WORKERS?"
    )
    expect(apart.stdout).toMatch(
      /rclone.* is succeeded; \/\S+; limit is -1; allowed is a whole number from 1 to 1000\./
    )
  })

  it("classifies failures, and holdfast-failure does the same with nothing but effect beside it", async () => {
    const told = /^RateLimited: Wait\. .+\n$/
    expect((await node(whole, ["out/failure.js"])).stdout).toMatch(told)
    expect(await compile(failure)).toBe("")
    expect((await node(failure, ["out/failure.js"])).stdout).toMatch(told)
    const installed = readdirSync(join(failure, "node_modules")).filter((name) => !name.startsWith("."))
    expect(installed.filter((name) => /holdfast|pg|pglite|energetic|effect/.test(name))).toEqual([
      "effect",
      "holdfast-failure"
    ])
  })
})
