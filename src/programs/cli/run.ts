import * as Effect from "effect/Effect"
import type { ExitCode } from "../../domain/failure/Consequence.js"
import { main } from "./main.js"
import type { Signal } from "./main.js"
import { wantsJson } from "./HelpOrVersion.js"
import * as Terminal from "./Terminal.js"

type Process = Pick<typeof process, "stdout" | "stderr" | "once" | "exit">

/** Milliseconds within which a signal that comes again is the same wish: npx, timeout and the like pass on what all were sent. */
const sameWish = 1_000

/** Ends at the first signal. At a later one the program ends at once: nothing that is stored needs it. */
export const signal = (host: Pick<Process, "once" | "exit">): Effect.Effect<Signal> =>
  Effect.clockWith((clock) =>
    Effect.async<Signal>((done) => {
      let askedAt: number | undefined
      for (const name of ["SIGINT", "SIGTERM"] as const) {
        const hear = () => {
          host.once(name, hear)
          const now = clock.unsafeCurrentTimeMillis()
          if (askedAt !== undefined && now - askedAt > sameWish) host.exit(130)
          askedAt ??= now
          done(Effect.succeed(name))
        }
        host.once(name, hear)
      }
    })
  )

/** Run a command line in this process and answer its exit code. */
export const run = (argv: ReadonlyArray<string>, host: Process): Promise<ExitCode> =>
  Effect.runPromise(
    Effect.flatMap(
      Terminal.make(host.stdout, host.stderr, wantsJson(argv)),
      (output) => main(argv, output, signal(host))
    )
  )
