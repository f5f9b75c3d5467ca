import type * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Settings } from "../Settings.js"
import type { CommandFailure } from "./Fault.js"
import type { Output } from "./Output.js"
import type { Parameter, Value } from "./Parameter.js"
import type { CommandResult } from "./CommandResult.js"

type Parameters = Readonly<Record<string, Parameter>>

type Values<P extends Parameters> = { readonly [K in keyof P]: Value<P[K]> }

/** What every command may use. */
export type Needs = Settings | Output | Scope.Scope | FileSystem.FileSystem | CommandTable

/** A command's work: from its values to what it has to say. */
export type Handler<V> = (values: V) => Effect.Effect<CommandResult, CommandFailure, Needs>

interface About<P extends Parameters> {
  readonly path: ReadonlyArray<string>
  readonly summary: string
  /** Paragraphs for `--help`. */
  readonly details?: ReadonlyArray<string>
  readonly examples?: ReadonlyArray<string>
  readonly parameters: P
  /** The least level that reaches the log unless `--log-level` says otherwise. */
  readonly logs?: "info" | "warning"
  /** A stop by signal is how it ends, and no interruption. */
  readonly endsBySignal?: boolean
}

/** One command. Its work is loaded when it runs, so that help costs nothing. */
export interface Command extends About<Parameters> {
  readonly load: () => Promise<Handler<Readonly<Record<string, unknown>>>>
}

export const command = <const P extends Parameters>(
  about: About<P>,
  load: () => Promise<{ readonly run: Handler<Values<P>> }>
): Command => ({
  ...about,
  // Given.values makes for each part the value that its tag stands for: exactly Values<P>
  load: async () => (await load()).run as Handler<Readonly<Record<string, unknown>>>
})

/** All commands in the order of the help, and what the groups of them are about. */
export interface Table {
  readonly commands: ReadonlyArray<Command>
  readonly groups: Readonly<Record<string, string>>
}

/** The table, for a command that speaks of the others: importing it would close a circle. */
export class CommandTable extends Context.Tag("holdfast/CommandTable")<CommandTable, Table>() {}

const startsWith = (path: ReadonlyArray<string>, prefix: ReadonlyArray<string>): boolean =>
  prefix.every((word, index) => path[index] === word)

/** The command at this path. */
export const find = ({ commands }: Table, path: ReadonlyArray<string>): Command | undefined =>
  commands.find((one) => one.path.length === path.length && startsWith(one.path, path))

/** The words that may follow this path. */
export const next = ({ commands }: Table, path: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(
    commands.flatMap((one) => {
      const word = one.path[path.length]
      return startsWith(one.path, path) && word !== undefined ? [word] : []
    })
  )
]
