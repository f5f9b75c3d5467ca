import * as Effect from "effect/Effect"
import type { ExitCode } from "../../domain/failure/Consequence.js"
import { main } from "./main.js"
import type { Signal } from "./main.js"
import { wantsJson } from "./Quick.js"
import * as Terminal from "./Terminal.js"

type Process = Pick<typeof process, "stdout" | "stderr" | "once" | "exit">

/** Ends at the first signal. At the second the program ends at once: nothing that is stored needs it. */
const signal = (host: Process): Effect.Effect<Signal> =>
  Effect.async<Signal>((done) => {
    let asked = false
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      const hear = () => {
        host.once(name, hear)
        if (asked) host.exit(130)
        asked = true
        done(Effect.succeed(name))
      }
      host.once(name, hear)
    }
  })

/** Run a command line in this process and answer its exit code. */
export const run = (argv: ReadonlyArray<string>, host: Process): Promise<ExitCode> =>
  Effect.runPromise(
    Effect.flatMap(
      Terminal.make(host.stdout, host.stderr, wantsJson(argv)),
      (output) => main(argv, output, signal(host))
    )
  )
