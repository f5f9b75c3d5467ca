import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { stdin } from "node:process"
import { Output } from "./Output.js"

/** Ask the person at the terminal; none where nobody is there to answer. An answer but yes is a no. */
export const confirm = Effect.fnUntraced(function*(question: string) {
  const output = yield* Output
  if (output.json || !output.isWatched || !stdin.isTTY) return Option.none<boolean>()
  yield* output.show(Option.some(`${question} [y/N] `))
  const answer = yield* Effect.async<string>((done) => {
    const read = (data: Buffer) => done(Effect.succeed(data.toString("utf8")))
    stdin.once("data", read)
    return Effect.sync(() => stdin.off("data", read))
  }).pipe(Effect.ensuring(Effect.sync(() => stdin.pause())))
  yield* output.show(Option.none())
  return Option.some(/^\s*y(es)?\s*$/i.test(answer))
})
