import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Client from "../../src/adapters/pglite/Client.js"

/**
 * A process for tests of the directory lock: opens the data directory named by its argument, runs the statement that follows,
 * says `open` on a line, and stays until it is told to end by the end of its input. Says the failure's tag when it cannot open.
 */
const [, , directory = "", statement = "select 1"] = process.argv

const say = (line: string) =>
  Effect.async<void>((resume) => void process.stdout.write(`${line}\n`, () => resume(Effect.void)))

const inputEnds = Effect.async<void>((resume) => {
  process.stdin.once("end", () => resume(Effect.void))
  process.stdin.resume()
})

await Effect.runPromise(
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement)).pipe(
    Effect.zipRight(say("open")),
    Effect.zipRight(inputEnds),
    Effect.provide(Client.layer(directory)),
    Effect.catchAll((failure) => say(failure._tag))
  )
)
