import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Style } from "./Style.js"

/** Where the program's words go: results to stdout, everything else to stderr. */
export class Output extends Context.Tag("holdfast/Output")<Output, {
  readonly json: boolean
  readonly stdout: Style
  readonly stderr: Style
  /** Whether a person watches stderr on a terminal. */
  readonly isWatched: boolean
  /** Results. Ends when the text is written; a reader that went away is no error. */
  readonly print: (text: string) => Effect.Effect<void>
  /** A line for the person at the terminal. */
  readonly note: (line: string) => Effect.Effect<void>
  /** The line that shows how things stand, in place of its predecessor; none takes it away. Watched terminals only. */
  readonly show: (line: Option.Option<string>) => Effect.Effect<void>
}>() {}

export const note = (line: string) => Effect.flatMap(Output, (output) => output.note(line))
