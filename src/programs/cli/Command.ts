import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Settings } from "../Settings.js"
import type { CommandFailure } from "./Fault.js"
import type { Output } from "./Output.js"
import type { Part, Value } from "./Part.js"
import type { Report } from "./Report.js"

type Parts = Readonly<Record<string, Part>>

type Values<P extends Parts> = { readonly [K in keyof P]: Value<P[K]> }

/** What every command may use. */
export type Needs = Settings | Output | Scope.Scope | FileSystem.FileSystem

/** A command's work: from its values to what it has to say. */
export type Handler<V> = (values: V) => Effect.Effect<Report, CommandFailure, Needs>

interface About<P extends Parts> {
  readonly path: ReadonlyArray<string>
  readonly summary: string
  /** Paragraphs for `--help`. */
  readonly details?: ReadonlyArray<string>
  readonly examples?: ReadonlyArray<string>
  readonly parts: P
  /** The least level that reaches the log unless `--log-level` says otherwise. */
  readonly logs?: "info" | "warning"
  /** A stop by signal is how it ends, and no interruption. */
  readonly endsBySignal?: boolean
}

/** One command. Its work is loaded when it runs, so that help costs nothing. */
export interface Command extends About<Parts> {
  readonly load: () => Promise<Handler<Readonly<Record<string, unknown>>>>
}

export const command = <const P extends Parts>(
  about: About<P>,
  load: () => Promise<{ readonly run: Handler<Values<P>> }>
): Command => ({
  ...about,
  // parse.ts makes for each part the value that its tag stands for: exactly Values<P>
  load: async () => (await load()).run as Handler<Readonly<Record<string, unknown>>>
})
