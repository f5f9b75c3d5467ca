import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { TestProject } from "vitest/node"

/**
 * What a user has after `npm install holdfast`: the packages packed as they are published, and installed into TypeScript projects
 * outside of the repository, which are as strict as projects are. Packed and installed once for all tests.
 */

declare module "vitest" {
  interface ProvidedContext {
    /** The projects' folders: one with holdfast and the examples, one with holdfast-failure alone. */
    readonly shipped: { readonly whole: string; readonly failure: string; readonly files: ReadonlyArray<string> }
  }
}

const root = fileURLToPath(new URL("../..", import.meta.url))

/** npm's own variables would make an inner npm take this repository for its project. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

const run = async (cwd: string, program: string, ...args: ReadonlyArray<string>) => {
  const { stdout } = await promisify(execFile)(program, args, { cwd, env: environment, maxBuffer: 2 ** 26 }).catch(
    (error: { readonly message: string; readonly stdout: string }) => {
      throw new Error(`${error.message}\n${error.stdout}`)
    }
  )
  return stdout
}

const { devDependencies }: { readonly devDependencies: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8")
)

/** At the repository's own versions, which lie in npm's cache already. */
const pinned = (...names: ReadonlyArray<string>) => names.map((name) => `${name}@${devDependencies[name]}`)

const compilerOptions = {
  target: "ES2022",
  module: "NodeNext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  rootDir: "src",
  outDir: "out"
}

/** A project with these packages and sources. */
const project = async (folder: string, packages: ReadonlyArray<string>, sources: Readonly<Record<string, string>>) => {
  mkdirSync(join(folder, "src"), { recursive: true })
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }))
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["src"] }))
  for (const [name, text] of Object.entries(sources)) writeFileSync(join(folder, "src", name), text)
  await run(folder, "npm", "install", "--prefer-offline", "--no-audit", "--no-fund", ...packages)
  return folder
}

const example = (name: string) => readFileSync(join(root, "test/examples", name), "utf8")

interface Packed {
  readonly filename: string
  readonly files: ReadonlyArray<{ readonly path: string }>
}

/** vitest's global set-up. */
export default async function setup(vitest: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-shipped-"))
  const clear = () => rmSync(folder, { recursive: true, force: true })
  process.once("exit", clear)
  const pack = async (what: string) => {
    const told = await run(root, "npm", "pack", what, "--json", "--silent", "--pack-destination", folder)
    // the build tells of itself before npm does
    const packed: ReadonlyArray<Packed> = JSON.parse(told.slice(told.indexOf("[\n")))
    if (packed[0] === undefined) throw new Error(`npm pack made nothing of ${what}`)
    return { file: join(folder, packed[0].filename), files: packed[0].files.map(({ path }) => path) }
  }
  const packed = await pack(".")
  // Packing builds both.
  const [whole, failure] = await Promise.all([
    project(
      join(folder, "whole"),
      [packed.file, ...pinned("effect", "@effect/ai", "typescript", "@types/node", "rclone-openapi")],
      {
        "service.ts": example("service.ts"),
        "apart.ts": example("apart.ts"),
        "own.ts": example("own.ts"),
        "model.ts": example("model.ts"),
        "failure.ts": example("failure.ts")
      }
    ),
    pack("./dist/failure").then(({ file }) =>
      project(join(folder, "failure"), [file, ...pinned("effect", "@types/node")], {
        "failure.ts": example("failure.ts").replace("holdfast/failure", "holdfast-failure")
      })
    )
  ])
  vitest.provide("shipped", { files: packed.files, whole, failure })
  return () => {
    process.off("exit", clear)
    clear()
  }
}
