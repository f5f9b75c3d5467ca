import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { pathToFileURL } from "node:url"
import {
  BadLocation,
  DanglingLink,
  FileNotFound,
  FileUnreadable,
  NoPermission,
  NotAFile,
  SourceTooLarge
} from "../../domain/catalog/CatalogProblem.js"
import * as Prose from "../../domain/catalog/Prose.js"
import * as Bytes from "./Bytes.js"
import { SourceSettings } from "./SourceSettings.js"

const kinds: Readonly<Record<Exclude<FileSystem.File.Type, "File">, string>> = {
  Directory: "a directory",
  SymbolicLink: "a symbolic link",
  BlockDevice: "a device",
  CharacterDevice: "a device",
  FIFO: "a pipe",
  Socket: "a socket",
  Unknown: "something else"
}

const codeOf = (error: PlatformError): string =>
  error._tag === "SystemError" && error.cause instanceof Error && "code" in error.cause
    ? String(error.cause.code)
    : error._tag

const reasons: Readonly<Record<string, string>> = {
  ELOOP: "its symbolic links lead back to each other",
  ENAMETOOLONG: "its name is longer than the file system allows",
  EIO: "the disk reports an error",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  ESTALE: "the network file system lost it"
}

const renamed = (location: string) => (error: PlatformError) => {
  const code = codeOf(error)
  return code === "ENOENT" || code === "ENOTDIR"
    ? new FileNotFound({ location })
    : code === "EACCES" || code === "EPERM"
    ? new NoPermission({ location })
    : new FileUnreadable({ location, why: reasons[code] ?? code })
}

/** Where a path leads of which the system says that there is nothing: a link without a target is not a slip of the pen. */
const missing = (location: string, absolute: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readLink(absolute)).pipe(
    Effect.match({
      onFailure: () => new FileNotFound({ location }),
      onSuccess: (target) => new DanglingLink({ location, target: Prose.brief(target, 500) })
    }),
    Effect.flatMap(Effect.fail)
  )

/** The URIs that the description may call itself by: the path as it was typed, and the one that its links lead to. */
const addressesOf = Effect.fnUntraced(function*(absolute: string) {
  const files = yield* FileSystem.FileSystem
  const real = yield* Effect.orElseSucceed(files.realPath(absolute), () => absolute)
  return [...new Set([absolute, real])].map((path) => pathToFileURL(path).href)
})

/** The bytes of a regular file, or of what a symbolic link leads to, its absolute path and its URIs. */
export const read = Effect.fn("FileSource.read")(function*(typed: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { maxBytes } = yield* SourceSettings
  const location = Prose.brief(typed, 500)
  if (typed.trim() === "" || typed.includes("\0")) return yield* new BadLocation({ location, why: "it names no file" })
  const absolute = path.resolve(typed)
  const info = yield* files.stat(absolute).pipe(
    Effect.mapError(renamed(location)),
    Effect.catchTag("FileNotFound", () => missing(location, absolute))
  )
  if (info.type !== "File") return yield* new NotAFile({ location, kind: kinds[info.type] })
  if (info.size > BigInt(maxBytes)) return yield* new SourceTooLarge({ location, limit: maxBytes })
  const collected = yield* Bytes.collect(
    location,
    maxBytes,
    files.stream(absolute, { chunkSize: FileSystem.KiB(256) })
  ).pipe(Effect.catchTags({
    SystemError: (error) => Effect.fail(renamed(location)(error)),
    BadArgument: (error) => Effect.fail(renamed(location)(error))
  }))
  return { ...collected, location, absolute, addresses: yield* addressesOf(absolute) }
})
