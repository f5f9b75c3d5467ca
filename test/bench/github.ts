import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"

/**
 * GitHub's API description, which the questions are asked of: from GitHub's own package on npm, fetched once and kept. It is no
 * dependency, because the package holds 400 MB of other editions.
 */
const source = "@octokit/openapi@23.0.2"
const member = "package/generated/api.github.com.json"

/** The description's path, fetched into the folder where it is not there yet. Throws one sentence where it cannot be had. */
export const fetchGithub = (folder: string): string => {
  const path = join(folder, `${source.replaceAll(/[^a-z0-9.]+/g, "-")}.json`)
  if (existsSync(path)) return path
  mkdirSync(folder, { recursive: true })
  try {
    const file = execFileSync("npm", ["pack", source, "--silent", "--pack-destination", folder], { encoding: "utf8" })
    const archive = join(folder, file.trim())
    execFileSync("tar", ["-xzf", archive, "-C", folder, member])
    renameSync(join(folder, member), path)
    rmSync(archive)
    rmSync(join(folder, "package"), { recursive: true })
    return path
  } catch (cause) {
    throw new Error(`The bench asks its questions of ${source}, which "npm pack" could not fetch: be online once.`, {
      cause
    })
  }
}

/** The operations that a description has, by the ids that answers name. */
export const operationIds = (path: string): ReadonlySet<string> =>
  new Set(Array.from(readFileSync(path, "utf8").matchAll(/"operationId": ?"([^"]+)"/g), ([, id = ""]) => id))
