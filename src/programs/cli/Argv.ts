import * as Option from "effect/Option"
import { nearest } from "../../domain/text/nearest.js"
import { all } from "../settings/table.js"
import type { Key } from "../settings/table.js"
import { find, next } from "./Command.js"
import type { Command } from "./Command.js"
import { table } from "./commands.js"
import { quoted } from "./Given.js"
import type { Given } from "./Given.js"
import { globals, logLevels } from "./Globals.js"
import type { LogLevelName } from "./Globals.js"
import * as Parameter from "./Parameter.js"
import { wantsJson } from "./HelpOrVersion.js"

/** What the flags that every command takes say. */
export interface Globals {
  readonly settings: ReadonlyMap<Key, string>
  readonly json: boolean
  readonly config: Option.Option<string>
  readonly logLevel: Option.Option<LogLevelName>
}

/** A command line as it was meant, or what is wrong with it. */
export type Asked =
  | {
    readonly _tag: "Run"
    readonly command: Command
    readonly given: Given
    readonly globals: Globals
  }
  | {
    readonly _tag: "Mistaken"
    readonly path: ReadonlyArray<string>
    readonly message: string
    readonly json: boolean
  }

const suggestion = (word: string, known: ReadonlyArray<string>): string =>
  Option.match(nearest(word, known), { onNone: () => "", onSome: (meant) => ` Did you mean ${quoted(meant)}?` })

const ownFlags = (command: Command | undefined): ReadonlyArray<Parameter.Flag> =>
  command === undefined ? [] : Object.values(command.parameters).filter(Parameter.isFlag)

/** Every flag that may stand on this line, with whether a value follows. */
const flagsOf = (command: Command | undefined): ReadonlyMap<string, boolean> =>
  new Map([
    ...globals.map(({ flag, hint }) => [`--${flag}`, hint !== null] as const),
    ...all.map(({ flag }) => [flag, true] as const),
    ...ownFlags(command).map((part) => [`--${part.flag}`, Parameter.takesValue(part)] as const)
  ])

/** Take apart a command line: which command, what every command takes, and what is the command's own. */
export const read = (argv: ReadonlyArray<string>): Asked => {
  const json = wantsJson(argv)
  const operands: Array<string> = []
  const given = new Map<string, string>()
  let path: ReadonlyArray<string> = []
  let command: Command | undefined
  const mistaken = (message: string): Asked => ({ _tag: "Mistaken", path, message, json })

  for (let at = 0; at < argv.length; at++) {
    const token = argv[at] ?? ""
    if (token === "--") {
      operands.push(...argv.slice(at + 1))
      break
    }
    if (!token.startsWith("-") || token === "-") {
      if (command !== undefined) {
        operands.push(token)
        continue
      }
      if (!next(table, path).includes(token)) {
        return mistaken(
          `There is no command ${quoted([...path, token].join(" "))}.${suggestion(token, next(table, path))}`
        )
      }
      path = [...path, token]
      command = find(table, path)
      continue
    }
    const [flag = token, ...rest] = token.split("=")
    const takes = flagsOf(command).get(flag)
    if (takes === undefined) {
      return mistaken(
        `There is no flag ${quoted(flag)}${
          path.length === 0 ? " before the command" : ` for "holdfast ${path.join(" ")}"`
        }.${suggestion(flag, [...flagsOf(command).keys()])}`
      )
    }
    const attached = token.includes("=") ? rest.join("=") : undefined
    if (!takes && attached !== undefined) return mistaken(`${flag} takes no value.`)
    const following = argv[at + 1]
    if (takes && attached === undefined) {
      if (following === undefined || following.startsWith("--")) return mistaken(`${flag} needs a value.`)
      at++
    }
    if (given.has(flag)) return mistaken(`${flag} is given twice.`)
    given.set(flag, takes ? attached ?? following ?? "" : "")
  }

  if (command === undefined) {
    return mistaken(
      path.length === 0
        ? `Say what to do: ${next(table, []).join(", ")}.`
        : `"holdfast ${path.join(" ")}" needs one of: ${next(table, path).join(", ")}.`
    )
  }
  const level = Option.fromNullable(given.get("--log-level"))
  const logLevel = Option.flatMap(level, (name) => Option.fromNullable(logLevels.find((one) => one === name)))
  if (Option.isSome(level) && Option.isNone(logLevel)) {
    return mistaken(`--log-level takes one of ${logLevels.join(", ")}, not ${quoted(level.value)}.`)
  }
  return {
    _tag: "Run",
    command,
    given: {
      operands,
      flags: new Map(
        ownFlags(command).flatMap(({ flag }) => {
          const text = given.get(`--${flag}`)
          return text === undefined ? [] : [[flag, text] as const]
        })
      )
    },
    globals: {
      json,
      config: Option.fromNullable(given.get("--config")),
      logLevel,
      settings: new Map(all.flatMap(({ flag, key }) => {
        const text = given.get(flag)
        return text === undefined ? [] : [[key, text] as const]
      }))
    }
  }
}
