import { next } from "./Command.js"
import { table } from "./commands.js"

/** What `--help` and its like ask for. */
export type HelpOrVersion =
  | { readonly _tag: "Help"; readonly path: ReadonlyArray<string> }
  | { readonly _tag: "Version" }

/** The longest known command that the words begin with; flags in between are passed over. */
const pathOf = (words: ReadonlyArray<string>): ReadonlyArray<string> =>
  words.reduce<ReadonlyArray<string>>(
    (path, word) => next(table, path).includes(word) ? [...path, word] : path,
    []
  )

/** What stands before `--`: behind it nothing is a flag. */
const beforeDashes = (argv: ReadonlyArray<string>): ReadonlyArray<string> =>
  argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv

/** Help and version win over everything else on the line, and are told without loading what the commands need. */
export const helpOrVersion = (argv: ReadonlyArray<string>): HelpOrVersion | undefined => {
  const tokens = beforeDashes(argv)
  const words = tokens.filter((token) => !token.startsWith("-"))
  if (words[0] === "help") return { _tag: "Help", path: pathOf(words.slice(1)) }
  if (tokens.includes("--help") || tokens.includes("-h")) return { _tag: "Help", path: pathOf(words) }
  if (tokens.includes("--version") || tokens.includes("-V")) return { _tag: "Version" }
  return argv.every((token) => token === "--json") ? { _tag: "Help", path: [] } : undefined
}

export const wantsJson = (argv: ReadonlyArray<string>): boolean => beforeDashes(argv).includes("--json")
