import * as SqlClient from "@effect/sql/SqlClient"
import { beforeAll, describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import * as Client from "../../../src/adapters/pglite/Client.js"
import { freshDirectory, readyDirectory } from "../../support/Databases.js"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const outdir = join(root, "node_modules/.cache/holdfast-hold")
const program = join(outdir, "hold.js")

/** Bundled, because a process that compiles each module for itself takes five times as long to start. */
beforeAll(() =>
  build({
    absWorkingDir: root,
    entryPoints: { hold: "test/support/HoldDirectory.ts", engine: "src/adapters/pglite/engine.js" },
    outdir,
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["@electric-sql/*", "pg-native", "cloudflare:sockets"],
    banner: { js: "import { createRequire } from \"node:module\"; const require = createRequire(import.meta.url);" },
    logLevel: "warning"
  })
)

/** Another process that opens the directory; killed at the latest with the scope. */
const another = (directory: string, statement = "select 1") =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [program, directory, statement], {
        stdio: ["pipe", "pipe", "inherit"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** The first line that it says: `open`, or the tag of the failure. */
const firstLine = (child: ChildProcess) =>
  Effect.promise(async () => {
    if (child.stdout === null) throw new Error("the child has no output")
    const [line] = await once(createInterface(child.stdout), "line")
    return String(line)
  })

const killed = (child: ChildProcess) =>
  Effect.promise(async () => {
    const ended = once(child, "exit")
    child.kill("SIGKILL")
    await ended
  })

const ended = (child: ChildProcess) =>
  Effect.promise(async () => {
    const exit = once(child, "exit")
    child.stdin?.end()
    return (await exit)[0]
  })

const query = (directory: string, statement: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)).pipe(Effect.provide(Client.layer(directory)))

const opening = (directory: string) => Effect.flip(Effect.scoped(Layer.build(Client.layer(directory))))

const locks = (directory: string) => readdirSync(join(directory, "lock")).map(Number).toSorted((a, b) => a - b)

/** Rewrites what the newest lock says about its holder. */
const pretend = (directory: string, change: Record<string, unknown>) => {
  const file = join(directory, "lock", String(locks(directory).at(-1)))
  const me = { pid: process.pid, host: "elsewhere", place: "elsewhere", started: "", since: "2026-01-01T00:00:00.000Z" }
  writeFileSync(file, JSON.stringify({ ...me, ...change }))
  return file
}

describe("a data directory", () => {
  it.scopedLive("that another process holds names that process", () =>
    Effect.gen(function*() {
      const directory = yield* readyDirectory
      const holder = yield* another(directory)
      expect(yield* firstLine(holder)).toBe("open")
      const failure = yield* opening(directory)
      expect(failure).toMatchObject({ _tag: "DataDirectoryHeld", pid: holder.pid })
      expect(failure.message).toContain(`process ${holder.pid} on `)
      expect(yield* ended(holder)).toBe(0)
      expect(yield* query(directory, "select 1 as one")).toEqual([{ one: 1 }])
    }), 60_000)

  it.scopedLive(
    "is free at once when its holder was killed, with every finished statement in it",
    () =>
      Effect.gen(function*() {
        const directory = yield* readyDirectory
        const holder = yield* another(directory, "create table kept as select generate_series(1, 1000) as n")
        expect(yield* firstLine(holder)).toBe("open")
        yield* killed(holder)
        expect(yield* query(directory, "select count(*) as n from kept")).toEqual([{ n: 1000 }])
      }),
    60_000
  )

  it.scopedLive(
    "goes to exactly one of several processes that start together, also over a dead one's lock",
    () =>
      Effect.gen(function*() {
        const directory = yield* readyDirectory
        const dead = yield* another(directory)
        yield* firstLine(dead)
        yield* killed(dead)
        const racers = yield* Effect.all(Array.from({ length: 4 }, () => another(directory)))
        const said = yield* Effect.forEach(racers, firstLine, { concurrency: "unbounded" })
        expect(said.toSorted()).toEqual(["DataDirectoryHeld", "DataDirectoryHeld", "DataDirectoryHeld", "open"])
      }),
    60_000
  )

  it.scopedLive(
    "is shared by all layers of this process, whatever they call it, until the last of them ends",
    () =>
      Effect.gen(function*() {
        const directory = yield* readyDirectory
        const link = `${directory}-link`
        symlinkSync(directory, link)
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(link)))
        const first = yield* Scope.make()
        const one = yield* Scope.extend(Layer.build(Client.layer(directory)), first)
        yield* Effect.scoped(Effect.gen(function*() {
          const other = yield* Layer.build(Client.layer(link))
          const here = Context.get(one, SqlClient.SqlClient)
          const there = Context.get(other, SqlClient.SqlClient)
          yield* here`create table counter as select 0 as n`
          // Whole transactions take turns, whichever layer they come from: else counts are lost.
          const counts = (sql: SqlClient.SqlClient) =>
            sql.withTransaction(Effect.gen(function*() {
              const [row] = yield* sql<{ readonly n: number }>`select n from counter`
              yield* sql`update counter set n = ${(row?.n ?? 0) + 1}`
            }))
          yield* Effect.all([1, 2, 3].flatMap(() => [counts(here), counts(there)]), { concurrency: "unbounded" })
          yield* Scope.close(first, Exit.void)
          expect(yield* there`select n from counter`).toEqual([{ n: 6 }])
        }))
        const holder = yield* another(directory)
        expect(yield* firstLine(holder)).toBe("open")
        expect(yield* opening(directory)).toMatchObject({ _tag: "DataDirectoryHeld", pid: holder.pid })
      }),
    120_000
  )

  it.scopedLive(
    "is opened anew by who comes while it closes, and not taken for somebody else's",
    () =>
      Effect.gen(function*() {
        const directory = yield* readyDirectory
        const first = yield* Scope.make()
        yield* Scope.extend(Layer.build(Client.layer(directory)), first)
        const closing = yield* Effect.fork(Scope.close(first, Exit.void))
        yield* Effect.yieldNow()
        expect(yield* query(directory, "select 1 as one")).toEqual([{ one: 1 }])
        yield* Fiber.join(closing)
      }),
    120_000
  )

  it.scopedLive("is not held by a later process that got the dead one's number", () =>
    Effect.gen(function*() {
      const directory = yield* readyDirectory
      const holder = yield* another(directory)
      yield* firstLine(holder)
      const file = join(directory, "lock", String(locks(directory).at(-1)))
      const told = JSON.parse(readFileSync(file, "utf8"))
      yield* killed(holder)
      writeFileSync(file, JSON.stringify({ ...told, pid: process.pid }))
      expect(yield* query(directory, "select 1 as one")).toEqual([{ one: 1 }])
    }), 60_000)

  it.scopedLive(
    "held from another machine is taken over only after that one fell silent",
    () =>
      Effect.gen(function*() {
        const directory = yield* readyDirectory
        const file = pretend(directory, { pid: 1 })
        const early = yield* Effect.option(Effect.timeout(query(directory, "select 1"), "1 second"))
        expect(early._tag).toBe("None")
        utimesSync(file, 0, 0)
        expect(yield* query(directory, "select 1 as one")).toEqual([{ one: 1 }])
      }),
    60_000
  )

  it.scopedLive(
    "whose lock bears a time to come is free once that was seen to stand still",
    () =>
      Effect.gen(function*() {
        const directory = yield* readyDirectory
        const file = pretend(directory, { pid: 1 })
        const later = Date.now() / 1000 + 7200
        utimesSync(file, later, later)
        const [took] = yield* Effect.timed(query(directory, "select 1"))
        expect(Duration.toSeconds(took)).toBeGreaterThan(14)
        expect(Duration.toSeconds(took)).toBeLessThan(25)
      }),
    60_000
  )

  it.scopedLive(
    "held from another machine names its holder as soon as a sign of life was seen",
    () =>
      Effect.gen(function*() {
        const directory = yield* readyDirectory
        const file = pretend(directory, { pid: 1 })
        const later = Date.now() / 1000 + 7200
        utimesSync(file, later, later)
        yield* Effect.forkScoped(Effect.delay(Effect.sync(() => utimesSync(file, later + 3, later + 3)), "1 second"))
        expect(yield* opening(directory)).toMatchObject({ _tag: "DataDirectoryHeld", host: "elsewhere" })
      }),
    60_000
  )

  it.scopedLive("keeps two lock files at most, however often it is opened", () =>
    Effect.gen(function*() {
      const directory = yield* readyDirectory
      yield* Effect.repeatN(query(directory, "select 1"), 2)
      expect(locks(directory).length).toBe(2)
    }), 60_000)

  it.scopedLive("keeps what was written over a restart", () =>
    Effect.gen(function*() {
      const directory = yield* readyDirectory
      yield* query(directory, "create table kept as select 42 as n")
      expect(yield* query(directory, "select n from kept")).toEqual([{ n: 42 }])
    }), 60_000)
})

const reason = (path: string) =>
  Effect.map(opening(path), (failure) => failure._tag === "DataDirectoryUnusable" ? failure.reason : failure._tag)

describe("what is no data directory", () => {
  it.scopedLive("is told apart: a file, somebody else's files, another version, damage", () =>
    Effect.gen(function*() {
      const directory = yield* freshDirectory
      const at = (name: string, content?: Record<string, string>) => {
        const path = join(directory, name)
        mkdirSync(join(path, "postgres"), { recursive: true })
        for (const [file, text] of Object.entries(content ?? {})) writeFileSync(join(path, "postgres", file), text)
        return path
      }
      writeFileSync(join(directory, "file"), "")
      expect(yield* reason(join(directory, "file"))).toBe("not-a-directory")
      expect(yield* reason(join(directory, "file", "below"))).toBe("not-a-directory")
      symlinkSync(join(directory, "nowhere"), join(directory, "link"))
      expect(yield* reason(join(directory, "link"))).toBe("dangling-link")
      expect(yield* reason("/proc/holdfast")).toBe("cannot-be-made")
      expect(yield* reason(at("photos", { "cat.jpg": "x" }))).toBe("not-ours")
      expect(yield* reason(at("older", { PG_VERSION: "15\n" }))).toBe("not-ours")
      expect(yield* reason(at("broken", { PG_VERSION: "18\n" }))).toBe("damaged")
      expect(existsSync(join(directory, "photos", "postgres", "cat.jpg"))).toBe(true)
    }), 60_000)

  it.scopedLive("a database whose making was cut short is made anew", () =>
    Effect.gen(function*() {
      const directory = yield* readyDirectory
      rmSync(join(directory, "postgres", "global"), { recursive: true })
      writeFileSync(join(directory, "postgres.unfinished"), "")
      expect(yield* query(directory, "select 1 as one")).toEqual([{ one: 1 }])
      expect(existsSync(join(directory, "postgres.unfinished"))).toBe(false)
    }), 60_000)
})
