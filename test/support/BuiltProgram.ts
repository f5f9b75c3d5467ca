import { execFile, spawn } from "node:child_process"
import { createHash, randomUUID } from "node:crypto"
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

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

/** What a bundle follows from. */
const madeOf = (): string => {
  const hash = createHash("sha256")
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).map((name) => join("src", name))
  for (const file of ["package-lock.json", ".config/bundle.mjs", ...sources.toSorted()]) {
    if (statSync(join(root, file)).isFile()) hash.update(file).update(readFileSync(join(root, file)))
  }
  return hash.digest("hex").slice(0, 16)
}

/** The program as a bundle, made once of the same sources: many tests start it. Answers its folder below the root. */
const bundled = async (): Promise<string> => {
  const kept = `node_modules/.cache/holdfast-program-${madeOf()}`
  if (existsSync(join(root, kept))) return kept
  const made = `${kept}-${randomUUID()}`
  await promisify(execFile)(process.execPath, [".config/bundle.mjs", made], { cwd: root })
  try {
    renameSync(join(root, made), join(root, kept))
  } catch {
    // Whoever comes second finds the name taken, and the first one's is as good.
    rmSync(join(root, made), { recursive: true, force: true })
  }
  return kept
}

/** The program, bundled, with a folder of its own to work in. */
export const buildProgram = async (): Promise<BuiltProgram> => {
  const file = join(root, await bundled(), "holdfast.js")
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
