#!/usr/bin/env node
import { readFileSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { helpOrVersion, wantsJson } from "./HelpOrVersion.js"
import type { HelpOrVersion } from "./HelpOrVersion.js"

/** The program's edge: the only file that sees the process. */

const argv = process.argv.slice(2)

/** The package's own version; the file lies two folders below it when built and three in the sources. */
const version = (): string => {
  for (const above of ["../..", "../../.."]) {
    try {
      const text = readFileSync(new URL(`${above}/package.json`, import.meta.url), "utf8")
      const found: { readonly name?: string; readonly version?: string } = JSON.parse(text)
      if (found.name === "holdfast" && found.version !== undefined) return found.version
    } catch {
      continue
    }
  }
  return "unknown"
}

const tell = async (asked: HelpOrVersion): Promise<void> => {
  const json = wantsJson(argv)
  if (asked._tag === "Version") {
    process.stdout.write(json ? `${JSON.stringify({ version: version() })}\n` : `holdfast ${version()}\n`)
  } else {
    const [{ help }, { known }] = await Promise.all([import("./Help.js"), import("./Width.js")])
    const text = help(asked.path, known(process.stdout.columns, process.stdout.isTTY ? 80 : 100))
    process.stdout.write(json ? `${JSON.stringify({ help: text })}\n` : text)
  }
}

process.stdout.on("error", () => process.exit())

const asked = helpOrVersion(argv)
if (asked === undefined) {
  // By itself V8 optimises a function of the embedded database fifty times as early: for code that is gone a moment later it
  // took a quarter of all CPU time of `status` (2.9 s, so 2.2 s), and a fifth of an index of 1,223 operations (7.7 s, so 6.5 s).
  setFlagsFromString("--wasm-tiering-budget=100000000")
  const { run } = await import("./run.js")
  process.exit(await run(argv, process))
} else {
  await tell(asked)
}
