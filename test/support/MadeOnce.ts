import { createHash, randomUUID } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** Folders that many tests need and that take seconds to make: kept in the cache for as long as what they follow from is the same. */

const root = fileURLToPath(new URL("../..", import.meta.url))

const filesOf = (path: string): ReadonlyArray<string> =>
  statSync(join(root, path)).isFile()
    ? [path]
    : readdirSync(join(root, path)).toSorted().flatMap((name) => filesOf(join(path, name)))

const hashOf = (from: ReadonlyArray<string>): string => {
  const hash = createHash("sha256")
  for (const file of from.flatMap(filesOf)) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest("hex").slice(0, 16)
}

/** The folder of this name, made by `make` unless it is there already. `from` are the files and folders that it follows from. */
export const madeOnce = async (
  name: string,
  from: ReadonlyArray<string>,
  make: (folder: string) => Promise<unknown>
): Promise<string> => {
  const cache = join(root, "node_modules/.cache")
  const kept = join(cache, `holdfast-${name}-${hashOf(from)}`)
  if (existsSync(kept)) return kept
  mkdirSync(cache, { recursive: true })
  const made = `${kept}-${randomUUID()}`
  await make(made)
  try {
    renameSync(made, kept)
  } catch {
    // Whoever comes second finds the name taken, and the first one's is as good.
    rmSync(made, { recursive: true, force: true })
  }
  return kept
}
