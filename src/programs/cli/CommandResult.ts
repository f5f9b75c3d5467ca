import type { ExitCode } from "../../domain/failure/Consequence.js"
import type { Style } from "./Style.js"

/** What a command has to say at its end: the same as one JSON object and as text, and the exit code. */
export interface CommandResult {
  readonly json: Readonly<Record<string, unknown>>
  readonly text: (style: Style) => ReadonlyArray<string>
  readonly exitCode: ExitCode
  /** In place of the one object, one a line: the answers to input that is lines itself. */
  readonly lines?: ReadonlyArray<Readonly<Record<string, unknown>>>
}

export const commandResult = (
  json: Readonly<Record<string, unknown>>,
  text: (style: Style) => ReadonlyArray<string>,
  exitCode: ExitCode = 0
): CommandResult => ({ json, text, exitCode })
