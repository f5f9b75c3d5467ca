import * as Effect from "effect/Effect"
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Store from "../../domain/store/StoreFailure.js"
import * as SqlFailure from "../postgres/driver/SqlFailure.js"
import * as DirectoryLock from "./DirectoryLock.js"
import * as EngineThread from "./EngineThread.js"
import { makeDirectory } from "./makeDirectory.js"

/**
 * A data directory: `postgres/` with the database's files, `lock/` with who holds it. While a database is being created
 * `postgres.unfinished` stands beside it; found later, it says that nothing is lost by beginning anew.
 */

/** The major version of PostgreSQL that the embedded engine is. */
const major = "18"

/** A first start takes three seconds on an idle machine, half a minute on a very busy one. */
const starting = "2 minutes"

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "")

const reasons: { readonly [code: string]: Store.DataDirectoryUnusable["reason"] } = {
  EEXIST: "not-a-directory",
  ENOTDIR: "not-a-directory",
  EDANGLING: "dangling-link",
  EACCES: "no-permission",
  EPERM: "no-permission",
  EROFS: "no-permission"
}

/** Names the file system's error; `otherwise` is what an error means that has no name here. */
const unusable =
  (directory: string, otherwise: Store.DataDirectoryUnusable["reason"]) => (error: unknown): Store.StoreFailure => {
    if (Store.isStoreFailure(error)) return error
    const code = codeOf(error)
    const detail = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ").slice(0, 300)
    if (code === "ENOSPC" || code === "EDQUOT") return new Store.StoreFull({ detail })
    if (code === "EFBIG") return new Store.StoreFull({ detail, limit: "file-size" })
    return new Store.DataDirectoryUnusable({ directory, reason: reasons[code] ?? otherwise, detail })
  }

const notOurs = (directory: string, detail: string) =>
  new Store.DataDirectoryUnusable({ directory, reason: "not-ours", detail })

const paths = (directory: string) => ({
  database: join(directory, "postgres"),
  unfinished: join(directory, "postgres.unfinished")
})

/** Under the lock: an unfinished database goes; anything else that is not our engine's is refused. */
const inspect = (directory: string) => {
  const { database, unfinished } = paths(directory)
  if (existsSync(unfinished)) rmSync(database, { recursive: true, force: true })
  if (!existsSync(database) || readdirSync(database).length === 0) return writeFileSync(unfinished, "")
  const version = join(database, "PG_VERSION")
  if (!existsSync(version)) throw notOurs(directory, "postgres/ has no PG_VERSION")
  const found = readFileSync(version, "utf8").trim()
  if (found !== major) throw notOurs(directory, `postgres/ was made by PostgreSQL ${found}, this is ${major}`)
}

const attempt = (
  directory: string,
  act: () => void,
  otherwise: Store.DataDirectoryUnusable["reason"] = "damaged"
) => Effect.try({ try: act, catch: unusable(directory, otherwise) })

/**
 * A database that does not start: a full disk is a full disk, anything else is damage. Nothing is there yet that could be damaged
 * where it is just being made: then its files (of 16 MiB) were cut short, which no system call told.
 */
const notStarted = (directory: string) => (failure: Store.StoreFailure): Store.StoreFailure => {
  if (failure._tag === "StoreFull" || failure._tag === "StoreReadOnly") return failure
  const detail = "detail" in failure ? failure.detail : ""
  return existsSync(paths(directory).unfinished)
    ? new Store.DataDirectoryUnusable({
      directory,
      reason: "cannot-be-made",
      detail: `${detail}; a limit on the size of files, "ulimit -f", may be too low for it`
    })
    : new Store.DataDirectoryUnusable({ directory, reason: "damaged", detail })
}

/** Makes the directory where there is none, and answers its one name, whatever links lead to it. */
export const realPath = Effect.fn("DataDirectory.realPath")(function*(directory: string) {
  yield* attempt(directory, () => makeDirectory(directory), "cannot-be-made")
  return yield* Effect.try({ try: () => realpathSync(directory), catch: unusable(directory, "damaged") })
})

/**
 * Takes hold of the directory and starts its database; both end with the scope. When another process takes the directory away
 * (possible only after fifteen seconds without a sign of life), the engine stops before it can write again.
 */
export const open = Effect.fn("DataDirectory.open")(function*(directory: string) {
  const lock = yield* Effect.catchTag(
    DirectoryLock.take(directory),
    "LockRefused",
    ({ cause }) => Effect.fail(unusable(directory, "damaged")(cause))
  )
  yield* attempt(directory, () => inspect(directory))
  const { database, unfinished } = paths(directory)
  const engine = yield* SqlFailure.renamed(EngineThread.start(database)).pipe(
    Effect.mapError(notStarted(directory)),
    Effect.timeoutFail({
      duration: starting,
      onTimeout: () => new Store.StoreUnavailable({ detail: "the embedded database did not start within two minutes" })
    })
  )
  yield* attempt(directory, () => rmSync(unfinished, { force: true }))
  yield* Effect.forkScoped(Effect.zipRight(lock.lost, engine.abandon))
  return engine
})
