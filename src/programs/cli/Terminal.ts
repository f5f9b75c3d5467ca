import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { harmless, harmlessJson } from "./Harmless.js"
import type { Output } from "./Output.js"
import type { Style } from "./Style.js"
import * as Width from "./Width.js"

/** The part of a stream that is written to. */
interface Sink {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly write: (text: string, done: () => void) => boolean
  readonly on: (event: "error", listener: () => void) => unknown
}

const variable = (name: string) =>
  Effect.option(Config.string(name)).pipe(Effect.map(Option.filter((value) => value !== "")))

const writer = (sink: Sink) => {
  // A reader that went away (EPIPE) hears nothing more; that is no trouble of ours.
  let gone = false
  sink.on("error", () => {
    gone = true
  })
  return (text: string): Effect.Effect<void> =>
    Effect.async((done) => {
      if (gone || text === "") return done(Effect.void)
      sink.write(text, () => done(Effect.void))
    })
}

/** The terminal, or whatever the two streams lead to. NO_COLOR and TERM=dumb are obeyed. */
export const make = Effect.fnUntraced(function*(
  stdout: Sink,
  stderr: Sink,
  json: boolean
): Effect.fn.Return<Output["Type"]> {
  const plain = Option.isSome(yield* variable("NO_COLOR")) || Option.contains(yield* variable("TERM"), "dumb")
  const style = (sink: Sink): Style => ({
    colour: sink.isTTY === true && !plain,
    columns: sink.isTTY === true ? Width.known(sink.columns, 80) : null
  })
  const isWatched = stderr.isTTY === true
  const out = writer(stdout)
  const error = writer(stderr)
  let shown = ""
  const erase = () => shown === "" ? "" : "\r\u001b[K"
  const [outStyle, errorStyle] = [style(stdout), style(stderr)]
  const printed = (text: string): string => json ? harmlessJson(text) : harmless(text, outStyle.colour)
  const noted = (text: string): string => harmless(text, errorStyle.colour)
  return {
    json,
    stdout: outStyle,
    stderr: errorStyle,
    isWatched,
    print: (text) =>
      Effect.zipRight(Effect.suspend(() => isWatched ? error(erase()) : Effect.void), out(printed(text))),
    note: (line) => Effect.suspend(() => error(`${erase()}${noted(line)}\n${shown}`)),
    show: (line) =>
      Effect.suspend(() => {
        if (!isWatched) return Effect.void
        const before = erase()
        shown = noted(Option.getOrElse(line, () => ""))
        return error(`${before}${shown}`)
      })
  }
})
