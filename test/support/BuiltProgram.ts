import { execFile, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { madeOnce } from "./MadeOnce.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Rclone's description, 101 operations, from its package. */
export const rclone = join(root, "node_modules/rclone-openapi/openapi.json")

/** What was told but the lines about what the program was busy with, which come where a machine is slow. */
export const lasting = (stderr: string): ReadonlyArray<string> =>
  stderr.trim().split("\n").filter((line) => !line.startsWith("… "))

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The program as its users get it, bundled, in a folder of its own that is removed by `remove`. */
export interface BuiltProgram {
  readonly folder: string
  /** What node runs. */
  readonly file: string
  readonly start: (args: ReadonlyArray<string>, env: Record<string, string>) => ReturnType<typeof spawn>
  readonly run: (args: ReadonlyArray<string>, env: Record<string, string>) => Promise<Ended>
  readonly write: (name: string, content: string | Uint8Array) => string
  readonly remove: () => void
}

/** The program as a bundle: many tests start it. */
const bundled = () =>
  madeOnce(
    "program",
    ["package-lock.json", ".config/bundle.mjs", "src"],
    (folder) => promisify(execFile)(process.execPath, [".config/bundle.mjs", relative(root, folder)], { cwd: root })
  )

/** The program, bundled, with a folder of its own to work in. */
export const buildProgram = async (): Promise<BuiltProgram> => {
  const file = join(await bundled(), "holdfast.js")
  const folder = mkdtempSync(join(tmpdir(), "holdfast-program-"))
  const start: BuiltProgram["start"] = (args, env) =>
    spawn(process.execPath, [file, ...args], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", ...env }
    })
  return {
    folder,
    file,
    start,
    run: (args, env) =>
      new Promise((done) => {
        const child = start(args, env)
        let stdout = ""
        let stderr = ""
        child.stdin?.end()
        child.stdout?.on("data", (text) => stdout += text)
        child.stderr?.on("data", (text) => stderr += text)
        child.on("close", (code) => done({ code: code ?? -1, stdout, stderr }))
      }),
    write: (file, content) => {
      const path = join(folder, file)
      writeFileSync(path, content)
      return path
    },
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
