import * as Effect from "effect/Effect"
import * as Completions from "../Completions.js"
import { UsageProblem } from "../Fault.js"
import { report } from "../Report.js"

export const run = ({ shell }: { readonly shell: string }) => {
  const script = Completions.script(shell)
  return script === undefined
    ? Effect.fail(
      new UsageProblem({
        path: ["completions"],
        message: `There are completions for ${Completions.shells.join(", ")}.`
      })
    )
    : Effect.succeed(report({ shell, script }, () => [script.trimEnd()]))
}
