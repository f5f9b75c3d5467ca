import { lstatSync, mkdirSync, statSync } from "node:fs"
import { dirname } from "node:path"

/** What the file system says of a path that is no directory and cannot become one, with the path that it speaks of. */
const refused = (code: string, message: string) => Object.assign(new Error(message), { code })

const codeOf = (error: unknown) => error instanceof Error && "code" in error ? error.code : undefined

/** Follows links; undefined where nothing is there. */
const found = (path: string) => statSync(path, { throwIfNoEntry: false })

const isLink = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true

/**
 * Makes a directory with those above it, or finds it there. Throws the file system's error, or one of these codes: ENOTDIR for
 * something else of that name, EDANGLING for a link to nothing. Node's own recursive way tries for ever where a file system
 * takes no directories, as that of /proc.
 */
export const makeDirectory = (path: string): void => {
  const there = found(path)
  if (there?.isDirectory() === true) return
  if (there !== undefined) throw refused("ENOTDIR", `${path} is a file`)
  if (isLink(path)) throw refused("EDANGLING", `${path} is a link to nothing`)
  if (dirname(path) !== path) makeDirectory(dirname(path))
  try {
    mkdirSync(path)
  } catch (error) {
    // Another process was faster.
    if (codeOf(error) !== "EEXIST" || found(path)?.isDirectory() !== true) throw error
  }
}
