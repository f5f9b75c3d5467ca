import * as Effect from "effect/Effect"
import { CommandTable } from "../Command.js"
import * as Completions from "../Completions.js"
import { UsageProblem } from "../Fault.js"
import { commandResult } from "../CommandResult.js"

export const run = ({ shell }: { readonly shell: string }) =>
  Effect.flatMap(CommandTable, (table) => {
    const script = Completions.script(table, shell)
    return script === undefined
      ? Effect.fail(
        new UsageProblem({
          path: ["completions"],
          message: `There are completions for ${Completions.shells.join(", ")}.`
        })
      )
      : Effect.succeed(commandResult({ shell, script }, () => [script.trimEnd()]))
  })
