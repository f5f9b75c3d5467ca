import { find, next } from "./Command.js"
import type { Command } from "./Command.js"
import { table } from "./commands.js"
import { globals } from "./Globals.js"
import * as Parameter from "./Parameter.js"

type Pair = readonly [string, string]

/** Words set in lines of at most `width`. */
const wrapped = (text: string, width: number): ReadonlyArray<string> =>
  text.split(" ").reduce<ReadonlyArray<string>>((lines, word) => {
    const last = lines.at(-1)
    return last === undefined || last.length + 1 + word.length > width
      ? [...lines, word]
      : [...lines.slice(0, -1), `${last} ${word}`]
  }, [])

const listed = (pairs: ReadonlyArray<Pair>, width: number): ReadonlyArray<string> => {
  const left = Math.min(34, Math.max(...pairs.map(([name]) => name.length)))
  return pairs.flatMap(([name, text]) => {
    const [first = "", ...others] = wrapped(text, width - left - 4)
    const head = name.length > left
      ? [`  ${name}`, `  ${" ".repeat(left)}  ${first}`]
      : [`  ${name.padEnd(left)}  ${first}`]
    return [...head, ...others.map((line) => `  ${" ".repeat(left)}  ${line}`)]
  })
}

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", title, ...lines]

const operands = (command: Command) => Object.values(command.parameters).filter((part) => !Parameter.isFlag(part))
const flags = (command: Command) => Object.values(command.parameters).filter(Parameter.isFlag)

const fallback = (part: Parameter.Parameter): string =>
  "fallback" in part && part.fallback !== undefined ? ` (default ${part.fallback})` : ""

const everywhere = (width: number) =>
  section(
    "Flags of every command",
    listed([
      ...globals.map(({ flag, help, hint }): Pair => [hint === null ? `--${flag}` : `--${flag} ${hint}`, help]),
      ["--<setting> VALUE", "Any setting, such as --data-dir or --embedder-kind; \"holdfast config show\" lists them"]
    ], width)
  )

const ofCommand = (command: Command, width: number): ReadonlyArray<string> => [
  ...wrapped(`${command.summary}.`, width),
  "",
  `  ${
    [
      "holdfast",
      ...command.path,
      ...operands(command).map(Parameter.operandUsage),
      ...flags(command).map((part) => `[${Parameter.flagUsage(part)}]`)
    ].join(" ")
  }`,
  ...(command.details ?? []).flatMap((paragraph) => ["", ...wrapped(paragraph, width)]),
  ...section(
    "Arguments",
    listed(operands(command).map((part): Pair => [Parameter.operandUsage(part), part.help]), width)
  ),
  ...section(
    "Flags",
    listed(flags(command).map((part): Pair => [Parameter.flagUsage(part), `${part.help}${fallback(part)}`]), width)
  ),
  ...everywhere(width),
  ...section("Examples", (command.examples ?? []).map((example) => `  ${example}`))
]

const exitCodes: ReadonlyArray<Pair> = [
  ["0", "done"],
  ["1", "failed: the message says why"],
  ["2", "usage or settings are wrong"],
  ["4", "sign-in needed"],
  ["5", "finished, with refused items"],
  ["6", "wait: rate limit or budget"],
  ["7", "a dependency is down"],
  ["130", "interrupted"]
]

const summaryOf = (path: ReadonlyArray<string>): Pair => {
  const command = find(table, path)
  const own = command === undefined ? [] : operands(command).map(Parameter.operandUsage)
  const inner = command === undefined ? [next(table, path).join("|")] : own
  return [[...path, ...inner].join(" "), command?.summary ?? table.groups[path.join(" ")] ?? ""]
}

const ofGroup = (path: ReadonlyArray<string>, width: number): ReadonlyArray<string> => [
  path.length === 0
    ? "holdfast runs the LLM work an application cannot afford to lose."
    : `${table.groups[path.join(" ")] ?? ""}.`,
  "",
  `  ${["holdfast", ...path].join(" ")} <command> [flags]`,
  ...section("Commands", listed(next(table, path).map((word) => summaryOf([...path, word])), width)),
  ...everywhere(width),
  ...(path.length > 0 ? [] : section("Exit codes", listed(exitCodes, width))),
  ...(path.length > 0 ? [] : [
    "",
    "\"holdfast <command> --help\" tells more about each."
  ])
]

/** The help for a command, a group of commands, or the whole program, for so many columns. */
export const help = (path: ReadonlyArray<string>, columns: number): string => {
  const width = Math.min(100, Math.max(60, columns))
  const command = find(table, path)
  return [...(command === undefined ? ofGroup(path, width) : ofCommand(command, width)), ""].join("\n")
}
